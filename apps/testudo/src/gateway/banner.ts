import { dirname, relative } from 'node:path';
import { type Address, addressText, isLoopback } from '../config/address.ts';
import type { Style } from '../output/style.ts';
import { indent, pairs } from '../output/table.ts';
import { count, day } from '../output/text.ts';
import { nextStep } from '../page/next-step.ts';
import type { RunningListener } from './gateway.ts';

/** What the start of the demo prints: where everything is, how to trust the CA, what to try. */
export function demoBanner(view: {
  readonly listeners: readonly RunningListener[];
  readonly caFile: string;
  readonly caExpires: Date;
  readonly isNewCa: boolean;
  /** How to call this program. */
  readonly program: string;
  readonly style: Style;
}): string[] {
  const { style } = view;
  const [welcome, echo] = view.listeners as [RunningListener, RunningListener];
  const ca = shellWord(shortPath(view.caFile));
  const data = shellWord(shortPath(dirname(view.caFile)));
  const next = nextStep(welcome.address.port, view.program, data);
  const url = `https://localhost:${welcome.address.port}/`;
  return [
    '',
    `  ${style.strong('Testudo is running.')} ${style.faint('Only this machine can reach it (127.0.0.1). Ctrl+C ends it.')}`,
    '',
    ...indent(
      pairs([
        [
          style.strong('Welcome page'),
          `${style.accent(url)}\nshows each client its own connection, message by message`,
        ],
        [
          style.strong('Echo service'),
          `${style.accent(`localhost:${echo.address.port}`)}\nTLS in front of a service that sends back what it gets`,
        ],
        [
          style.strong('Local CA'),
          `${shortPath(view.caFile)}\n${view.isNewCa ? 'new, ' : ''}good until ${day(view.caExpires)}; its key never leaves this machine`,
        ],
      ]),
      2,
    ),
    '',
    `  ${style.strong('Try it')}`,
    ...indent(
      [
        `curl --cacert ${ca} ${url}connection.txt`,
        `openssl s_client -CAfile ${ca} -connect localhost:${echo.address.port}`,
        `${view.program} connect localhost:${echo.address.port} --ca ${ca}`,
      ],
      4,
    ),
    '',
    `  ${style.strong('Trust the CA in a browser')} ${style.faint('(and take it out again when you are done)')}`,
    ...indent(
      pairs([
        ['Firefox', 'Settings, Privacy & Security, View Certificates, Authorities, Import'],
        ['Chromium', 'chrome://certificate-manager, Local certificates, Import; or on Linux:'],
        ['', `${view.program} ca trust ${ca} --install --store nss`],
        ['macOS', `security add-trusted-cert -k login.keychain ${ca}`],
      ]),
      4,
    ),
    '',
    `  ${style.strong('Put your own service behind it')} ${style.faint('(save this as testudo.yaml, then start again with the command below)')}`,
    ...indent([...next.config.split('\n'), '', next.command], 4),
    '',
  ];
}

/** What the start with a configuration prints. */
export function configBanner(view: {
  readonly listeners: readonly RunningListener[];
  readonly caFile: string | undefined;
  /** The plain HTTP listener for ACME. */
  readonly http?: Address | undefined;
  readonly style: Style;
}): string[] {
  const { style, listeners, http } = view;
  return [
    '',
    `  ${style.strong('Testudo is running')} with ${count(listeners.length, 'listener')}. ${style.faint('Ctrl+C ends it.')}`,
    '',
    ...indent(
      pairs([
        ...listeners.map(({ plan, address }): [string, string] => [
          style.strong(plan.name),
          `${style.accent(whereText(address, plan.service.kind))}  ${serviceText(plan)}${
            isLoopback(address.host) ? style.faint('  (this machine only)') : ''
          }`,
        ]),
        ...(http === undefined
          ? []
          : [
              [
                style.strong('plain HTTP'),
                `${style.accent(`http://${addressText(http)}`)}  answers CAs, redirects everything else to https`,
              ] as [string, string],
            ]),
      ]),
      2,
    ),
    ...(view.caFile === undefined
      ? []
      : ['', `  The local CA, for clients to trust: ${shortPath(view.caFile)}`]),
    '',
  ];
}

function whereText(address: Address, kind: string): string {
  return ['welcome', 'folder', 'proxy'].includes(kind)
    ? `https://${addressText(address)}`
    : addressText(address);
}

function serviceText({ service }: RunningListener['plan']): string {
  switch (service.kind) {
    case 'forward':
      return `\u2192 ${addressText(service.target)}`;
    case 'proxy':
      return `\u2192 ${service.upstream.href}`;
    case 'folder':
      return `serves ${shortPath(service.root)}`;
    case 'echo':
      return 'echo';
    case 'welcome':
      return 'welcome page';
  }
}

/** From here, when that is shorter. */
export function shortPath(file: string): string {
  const fromHere = relative(process.cwd(), file);
  return fromHere !== '' && !fromHere.startsWith('..') && fromHere.length < file.length ? fromHere : file;
}

/** As a shell takes it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

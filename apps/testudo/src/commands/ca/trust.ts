import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Certificate } from '@testudo/x509';
import { Option } from 'commander';
import { EXIT, type ExitCode, Failure } from '../../failure.ts';
import { loadCertificates } from '../../identity/certificate-files.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { authorityFiles } from '../../identity/local-authority.ts';
import type { Io } from '../../io.ts';
import { type Style, styleFor } from '../../output/style.ts';
import { trustInstructions } from '../../trust/instructions.ts';
import { nssStore } from '../../trust/nss-store.ts';
import {
  type Store,
  type StoreName,
  type StoreOutcome,
  type TrustedRoot,
  trustedRoot,
} from '../../trust/stores.ts';
import { systemStore } from '../../trust/system-store.ts';
import { type CaVerb, DATA_OPTION, writeJson, writeLines } from './common.ts';

/** Adds `testudo ca trust`. */
export function addTrust({ ca, io, finish }: CaVerb): void {
  ca.command('trust')
    .summary('how to make this machine and its programs trust the CA')
    .description(
      'Says how to trust the root on each kind of system, and in programs that have a list of their own. --install does it ' +
        'where it can: the system\u2019s list (Debian, Ubuntu, Alpine; as root) and the databases of Chromium, Firefox and ' +
        'Thunderbird in your home. It asks no questions, and says what it did.',
    )
    .argument('[file]', 'a root (default: that of the data folder)')
    .option('--install', 'install it')
    .option('--uninstall', 'remove it again')
    .addOption(new Option('--store <store>', 'only in this store').choices(['system', 'nss']))
    .option(...DATA_OPTION)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  testudo ca trust\n  sudo testudo ca trust --install --store system --data ~/.local/share/testudo\n' +
        '  testudo ca trust --install --store nss',
    )
    .action(async (file: string | undefined, options: TrustOptions) =>
      finish(await trust(file, options, io)),
    );
}

interface TrustOptions {
  readonly install?: boolean;
  readonly uninstall?: boolean;
  readonly store?: StoreName;
  readonly data?: string;
  readonly json?: boolean;
}

async function trust(file: string | undefined, options: TrustOptions, io: Io): Promise<ExitCode> {
  if (options.install && options.uninstall)
    throw new Failure('--install and --uninstall exclude each other', EXIT.usage);
  const path = resolve(file ?? authorityFiles(dataFolder(io.env, options.data)).certificate);
  const root = trustedRoot(rootIn(path, file === undefined));
  if (!options.install && !options.uninstall) {
    if (options.store !== undefined) throw new Failure('--store needs --install or --uninstall', EXIT.usage);
    writeInstructions(path, root, options, io);
    return EXIT.ok;
  }
  const stores: Readonly<Record<StoreName, Store>> = { system: systemStore(io.env), nss: nssStore(io.env) };
  const wanted = options.store === undefined ? (['system', 'nss'] as const) : ([options.store] as const);
  const outcomes: StoreOutcome[] = [];
  for (const name of wanted)
    outcomes.push(...(await (options.install ? stores[name].install(root) : stores[name].uninstall(root))));
  if (options.json) writeJson(io, { file: path, stores: outcomes });
  else writeLines(io, outcomeLines(outcomes, styleFor(io.stdout, io.env), io));
  return exitCodeOf(outcomes, options);
}

/** The certificate to trust. Throws a `Failure` when it is no CA: trusting it would do nothing, or not what was meant. */
function rootIn(path: string, isOwn: boolean): Certificate {
  if (isOwn && !existsSync(path))
    throw new Failure(`there is no CA in ${resolve(path, '..')}: make one with: testudo ca init`);
  const [certificate] = loadCertificates(path) as [Certificate];
  if (certificate.extensions.basicConstraints?.ca !== true)
    throw new Failure(`${path}: this certificate is no CA: give that of the CA which issued it`);
  if (!certificate.isSelfIssued)
    throw new Failure(
      `${path}: this CA is an intermediate: give the root above it, "${certificate.issuer.shown}"`,
    );
  return certificate;
}

function writeInstructions(path: string, root: TrustedRoot, options: TrustOptions, io: Io): void {
  const all = trustInstructions(path, root);
  if (options.json) {
    writeJson(io, { file: path, instructions: all });
    return;
  }
  const style = styleFor(io.stdout, io.env);
  writeLines(io, [
    `To trust ${path}:`,
    ...all.flatMap(({ where, trust: commands, undo }) => [
      '',
      style.strong(where),
      ...commands.map((line) => `  ${line}`),
      ...undo.map((line) => `  ${style.faint(`undo: ${line}`)}`),
    ]),
    '',
    'Whoever has its key can then pretend to be any site to whoever trusts it: testudo ca init --permit limits that.',
    'Or let it be done where it can: testudo ca trust --install',
  ]);
}

function outcomeLines(outcomes: readonly StoreOutcome[], style: Style, { program }: Io): string[] {
  return [
    ...outcomes.map(({ place, outcome, detail }) => {
      const colour = outcome === 'failed' ? style.bad : outcome === 'skipped' ? style.warn : style.good;
      return `${colour(outcome)}: ${place}: ${detail}`;
    }),
    ...(outcomes.some(({ outcome }) => outcome === 'skipped' || outcome === 'failed')
      ? [`How to do it by hand: ${program} ca trust`]
      : []),
  ];
}

/**
 * 1 when something failed, or when nothing is now as it was wanted. A place that could not be looked at may still hold
 * the root that was to be taken out.
 */
function exitCodeOf(outcomes: readonly StoreOutcome[], { uninstall }: TrustOptions): ExitCode {
  const isSkipped = ({ outcome }: StoreOutcome): boolean => outcome === 'skipped';
  const isBad = outcomes.some(({ outcome }) => outcome === 'failed');
  return isBad || (uninstall ? outcomes.some(isSkipped) : outcomes.every(isSkipped)) ? EXIT.refused : EXIT.ok;
}

import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { toAsciiDomain } from '@testudo/x509';
import { EXIT, failures } from '../failure.ts';
import { type AcmePlan, acmeNames, acmePlan } from './acme-plan.ts';
import { type Address, addressText } from './address.ts';
import { LOCAL_NAMES } from './defaults.ts';
import {
  defaultLimits,
  HTTP_SERVICES,
  LIMITS,
  type LimitName,
  type Limits,
  type ServiceKind,
} from './limits.ts';
import {
  type CertificateConfig,
  type HstsConfig,
  type LimitsConfig,
  type ListenerConfig,
  ONLY_FOR,
} from './listener-schema.ts';
import { overlaps, type Place } from './overlap.ts';
import type { Config } from './schema.ts';
import { type TlsPlan, tlsPlan } from './tls-plan.ts';

export { DEFAULT_TLS, type TlsPlan } from './tls-plan.ts';

/** What is behind a listener. */
export type ServicePlan =
  | { readonly kind: 'forward'; readonly target: Address & { readonly host: string } }
  | { readonly kind: 'proxy'; readonly upstream: URL; readonly trustForwarded: boolean }
  | { readonly kind: 'folder'; readonly root: string; readonly dotfiles: boolean }
  | { readonly kind: 'echo' }
  /** The page; `program` and `data` are for the command that it proposes. */
  | { readonly kind: 'welcome'; readonly program?: string; readonly data?: string };

/** Where the passphrase of an encrypted private key is: never on a command line, where everybody on a machine can read it. */
export type PassphraseSource =
  /** The first line of a file. */
  | { readonly kind: 'file'; readonly file: string }
  /** A variable of the environment. */
  | { readonly kind: 'environment'; readonly name: string };

/** Where a certificate comes from. */
export type CertificatePlan = { readonly isDefault: boolean } & (
  | { readonly kind: 'local'; readonly names: readonly string[] }
  /** Issued over ACME. */
  | { readonly kind: 'acme'; readonly names: readonly string[] }
  /** Without names it serves those that stand in it. */
  | {
      readonly kind: 'files';
      readonly certificate: string;
      readonly key: string;
      readonly passphrase: PassphraseSource | undefined;
      readonly names: readonly string[] | undefined;
    }
);

export interface ListenerPlan {
  readonly name: string;
  readonly address: Address;
  readonly service: ServicePlan;
  readonly certificates: readonly CertificatePlan[];
  readonly tls: TlsPlan;
  /** The value of Strict-Transport-Security; undefined for none. */
  readonly hsts: string | undefined;
  readonly limits: Limits;
}

export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  /** Where the local CA lives; undefined for the default. */
  readonly data: string | undefined;
  /** Time that open connections get to finish, in milliseconds. */
  readonly drain: number;
  readonly logLevel: Config['logLevel'];
  readonly acme: AcmePlan | undefined;
}

/** A checked configuration with defaults filled in and paths resolved from the file's place. */
export function planOf(config: Config, file: string): Plan {
  const from = dirname(resolve(file));
  const problems: string[] = [];
  const places = config.listeners.map(({ name, listen }, i) => ({
    name: name ?? `listener ${i + 1} (${addressText(listen)})`,
    address: listen,
  }));
  const listeners = config.listeners.map((listener, i) => {
    const { name } = places[i]!;
    const complain = (text: string): void => void problems.push(`${file}: ${name}: ${text}`);
    return listenerPlan(listener, name, from, complain);
  });
  problems.push(...[...overlaps(places), ...repeatedNames(config)].map((text) => `${file}: ${text}`));
  const acme = acmePlan(config, from, (text) => problems.push(`${file}: ${text}`));
  if (problems.length > 0) throw failures(problems, EXIT.usage);
  return {
    listeners: listeners as ListenerPlan[],
    data: config.data === undefined ? undefined : resolve(from, config.data),
    drain: config.drain,
    logLevel: config.logLevel,
    acme,
  };
}

type Complain = (text: string) => void;

function listenerPlan(
  config: ListenerConfig,
  name: string,
  from: string,
  complain: Complain,
): ListenerPlan | undefined {
  const service = servicePlan(config, from, complain);
  const certificates = certificatePlans(config, from, complain);
  const isHttp = service !== undefined && HTTP_SERVICES.includes(service.kind);
  const tls = tlsPlan(config, from, isHttp, complain);
  if (service === undefined) return undefined;
  if (!isHttp && config.hsts) complain('hsts is for HTTP: use it with proxy or folder');
  for (const [option, services] of Object.entries(ONLY_FOR))
    if (config[option as keyof typeof ONLY_FOR] !== undefined && !services.includes(service.kind))
      complain(`${option} is for ${services.join(' and ')}`);
  if (isHttp && config.alpn?.some((protocol) => protocol !== 'http/1.1' && protocol !== 'http/1.0')) {
    complain(
      'alpn: only http/1.1 and http/1.0 are served over HTTP listeners; use forward for other protocols',
    );
  }
  return {
    name,
    address: config.listen,
    service,
    certificates,
    hsts: config.hsts ? hstsValue(config.hsts) : undefined,
    limits: limitsFor(service.kind, config.limits, complain),
    tls,
  };
}

function limitsFor(kind: ServiceKind, own: LimitsConfig, complain: Complain): Limits {
  for (const name of Object.keys(defined(own)) as LimitName[]) {
    const { services } = LIMITS[name];
    if (!services.includes(kind)) complain(`limits.${name} is for ${services.join(' and ')}`);
  }
  return { ...defaultLimits(kind), ...defined(own) };
}

function servicePlan(config: ListenerConfig, from: string, complain: Complain): ServicePlan | undefined {
  const found: ServicePlan[] = [];
  if (config.forward) found.push({ kind: 'forward', target: config.forward });
  if (config.proxy)
    found.push({ kind: 'proxy', upstream: config.proxy, trustForwarded: config.trustForwarded ?? false });
  if (config.folder)
    found.push({ kind: 'folder', root: resolve(from, config.folder), dotfiles: config.dotfiles ?? false });
  if (config.echo) found.push({ kind: 'echo' });
  if (config.welcome) found.push({ kind: 'welcome' });
  if (found.length === 0)
    complain('does not say what is behind it: add one of forward, proxy, folder, echo or welcome');
  if (found.length > 1)
    complain(
      `has ${found.map(({ kind }) => kind).join(' and ')}: a listener has one service, so use one per listener`,
    );
  return found[0];
}

function certificatePlans(config: ListenerConfig, from: string, complain: Complain): CertificatePlan[] {
  const { certificate, key, names, passphraseFile, passphraseEnv } = config;
  const own = { certificate, key, names, passphraseFile, passphraseEnv };
  if (config.certificates !== undefined && Object.values(own).some((value) => value !== undefined)) {
    complain('has both certificate and certificates: put all of them into certificates');
  }
  const list: readonly CertificateConfig[] =
    config.certificates ?? (certificate === undefined ? [] : [{ ...own, certificate, default: false }]);
  if (list.length === 0)
    complain('has no certificate: add certificate: local, or certificate: and key: with two files');
  if (list.filter((one) => one.default).length > 1)
    complain('has several default certificates: mark only one');
  return list.map((one) => {
    if (one.passphraseFile !== undefined && one.passphraseEnv !== undefined)
      complain(
        `the certificate ${one.certificate} has both passphraseFile and passphraseEnv: leave one of the two out`,
      );
    const hasPassphrase = (one.passphraseFile ?? one.passphraseEnv) !== undefined;
    const isDefault = one.default;
    if (one.certificate === 'local') {
      if (one.key !== undefined) complain('certificate: local has its own key: leave key out');
      if (hasPassphrase) complain('certificate: local needs no passphrase: leave it out');
      // Mail addresses and URIs, which a certificate may have, too, name no server.
      for (const name of one.names ?? [])
        if (isIP(name) === 0 && toAsciiDomain(name.replace(/^\*\./, '')) === undefined)
          complain(`names: "${name}" is neither a domain nor an address`);
      return { kind: 'local', names: one.names ?? LOCAL_NAMES, isDefault };
    }
    if (one.certificate === 'acme') {
      if (one.key !== undefined) complain('certificate: acme makes its own key: leave key out');
      if (hasPassphrase) complain('certificate: acme needs no passphrase: leave it out');
      return { kind: 'acme', names: acmeNames(one.names, complain), isDefault };
    }
    if (one.key === undefined) complain(`the certificate ${one.certificate} needs its private key: add key:`);
    return {
      kind: 'files',
      certificate: resolve(from, one.certificate),
      key: resolve(from, one.key ?? ''),
      passphrase: one.passphraseFile
        ? { kind: 'file', file: resolve(from, one.passphraseFile) }
        : one.passphraseEnv
          ? { kind: 'environment', name: one.passphraseEnv }
          : undefined,
      names: one.names,
      isDefault,
    };
  });
}

/** Listeners of the same name. */
function repeatedNames({ listeners }: Config): string[] {
  const names = listeners.flatMap(({ name }) => name ?? []);
  const repeated = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return [...repeated].map((text) => `two listeners are called ${text}: give each its own name`);
}

/** All that listens for a plan. */
export function placesOf({ listeners, acme }: Plan): Place[] {
  return [...listeners, ...(acme?.http === undefined ? [] : [{ name: 'acme: http', address: acme.http }])];
}

/** RFC 6797 §6.1. */
function hstsValue({ maxAge, includeSubDomains, preload }: HstsConfig): string {
  return [
    `max-age=${Math.floor(maxAge / 1000)}`,
    ...(includeSubDomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ].join('; ');
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function defined<T extends object>(object: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<
    Defined<T>
  >;
}

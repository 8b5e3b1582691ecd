import { resolve } from 'node:path';
import { VERSIONS } from '@testudo/tls';
import { clientCertificateOf, HTTP_PROTOCOLS, LIFETIME_WITH_REVOCATION } from './defaults.ts';
import type { ListenerConfig } from './listener-schema.ts';
import { DEFAULT_CONFIG } from './schema.ts';

type Complain = (text: string) => void;

/** Options that a plan takes over as they are; the schema says what each means. */
const AS_CONFIGURED = [
  'minVersion',
  'maxVersion',
  'cipherSuites',
  'groups',
  'requireAlpn',
  'strictSni',
  'stapling',
  'earlyData',
  'dangerouslyAllowLegacy',
] as const satisfies readonly (keyof ListenerConfig)[];

type AsConfigured = Pick<ListenerConfig, (typeof AS_CONFIGURED)[number]>;

/** How a listener speaks TLS. What is undefined is left to the engine. */
export interface TlsPlan extends Required<AsConfigured> {
  readonly alpn: readonly string[] | undefined;
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly clientCa: string | undefined;
  readonly clientRevocation: ClientRevocationPlan | undefined;
  readonly tickets: TicketPlan;
  /** Files with keys for Encrypted Client Hello; clients are told those of the first. */
  readonly ech: readonly string[];
}

/** Whether clients' certificates are revoked; files with their paths resolved. */
export type ClientRevocationPlan = Readonly<NonNullable<ListenerConfig['clientRevocation']>>;

/** Sessions of clients: how long they can be resumed, and the keys that seal them. Times in milliseconds. */
export type TicketPlan =
  | { readonly kind: 'none' }
  /** Keys that nobody else has, replaced by new ones; an old one opens tickets for as long as those live. */
  | { readonly kind: 'own'; readonly rotate: number | undefined; readonly lifetime: number | undefined }
  /** Keys in files that several gateways share; the first seals. */
  | { readonly kind: 'files'; readonly files: readonly string[]; readonly lifetime: number | undefined };

/** The TLS side of a listener's configuration; `complain` hears what does not go together. */
export function tlsPlan(config: ListenerConfig, from: string, isHttp: boolean, complain: Complain): TlsPlan {
  checkVersions(config, complain);
  checkEarlyData(config, complain);
  checkClients(config, complain);
  const alpn = config.alpn ?? (isHttp ? HTTP_PROTOCOLS : undefined);
  if (config.requireAlpn && alpn === undefined)
    complain('requireAlpn needs alpn: the protocols that are served');
  return {
    ...(Object.fromEntries(AS_CONFIGURED.map((name) => [name, config[name]])) as Required<AsConfigured>),
    alpn,
    clientCertificate: clientCertificateOf(config),
    clientCa: config.clientCa === undefined ? undefined : resolve(from, config.clientCa),
    clientRevocation: config.clientRevocation && {
      ...config.clientRevocation,
      crls: config.clientRevocation.crls.map((file) => resolve(from, file)),
    },
    tickets: ticketPlan(config, from, complain),
    ech: config.ech.map((file) => resolve(from, file)),
  };
}

/** What a listener has that says nothing of TLS, not in front of HTTP. */
export const DEFAULT_TLS: TlsPlan = tlsPlan(DEFAULT_CONFIG.listeners[0]!, '', false, () => {});

function ticketPlan(config: ListenerConfig, from: string, complain: Complain): TicketPlan {
  const { tickets, clientRevocation } = config;
  if (tickets === false) return { kind: 'none' };
  const { rotate, keys } = tickets;
  const lifetime = tickets.lifetime ?? (clientRevocation && LIFETIME_WITH_REVOCATION);
  if (keys === undefined) return { kind: 'own', rotate, lifetime };
  if (rotate !== undefined)
    complain('tickets: rotate does not apply to keys in files: whoever shares those files replaces them');
  return { kind: 'files', files: keys.map((file) => resolve(from, file)), lifetime };
}

function checkVersions(config: ListenerConfig, complain: Complain): void {
  const { minVersion, maxVersion, dangerouslyAllowLegacy, ech } = config;
  if (ech.length > 0 && maxVersion !== undefined && VERSIONS[maxVersion] < VERSIONS['TLSv1.3'])
    complain('ech needs TLSv1.3: raise maxVersion');
  if (minVersion !== undefined && maxVersion !== undefined && VERSIONS[minVersion] > VERSIONS[maxVersion])
    complain('minVersion is above maxVersion: swap them');
  for (const version of [minVersion, maxVersion]) {
    if (version === undefined || VERSIONS[version] >= VERSIONS['TLSv1.2'] || dangerouslyAllowLegacy) continue;
    complain(
      `${version} is broken (RFC 8996): to serve an old device anyway, add dangerouslyAllowLegacy: true, preferably on a listener of its own`,
    );
  }
}

function checkEarlyData({ earlyData, tickets, maxVersion }: ListenerConfig, complain: Complain): void {
  if (!earlyData) return;
  if (tickets === false)
    complain('earlyData needs tickets: only a client that resumes a session can send it');
  if (maxVersion !== undefined && maxVersion !== 'TLSv1.3')
    complain('earlyData needs TLS 1.3: raise maxVersion');
}

function checkClients(config: ListenerConfig, complain: Complain): void {
  const { clientCertificate, clientCa, clientRevocation } = config;
  if (clientCertificate !== undefined && clientCertificate !== 'none' && !clientCa)
    complain(
      'clientCertificate needs clientCa: the file with the CA that issues the clients\u2019 certificates',
    );
  if (clientCertificate === 'none' && clientCa)
    complain('clientCa is not used with clientCertificate: none; say optional or required');
  if (clientRevocation === undefined) return;
  if (!clientCa) complain('clientRevocation needs clientCa: without it no client sends a certificate');
  if (clientRevocation.crls.length === 0 && !clientRevocation.online)
    complain('clientRevocation has nothing to go by: add crls: with files, or online: true');
}

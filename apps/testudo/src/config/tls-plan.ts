import { resolve } from 'node:path';
import { VERSIONS, type VersionName } from '@testudo/tls';
import type { ListenerConfig } from './config.ts';

type Complain = (text: string) => void;

/** How a listener speaks TLS. */
export interface TlsPlan {
  readonly minVersion: VersionName | undefined;
  readonly maxVersion: VersionName | undefined;
  readonly cipherSuites: readonly string[] | undefined;
  readonly groups: readonly string[] | undefined;
  readonly alpn: readonly string[] | undefined;
  /** Refuse clients that offer no application protocol; those that offer none of ours are refused anyway. */
  readonly requireAlpn: boolean;
  /** Refuse clients that want a name that no certificate is for, or none. */
  readonly strictSni: boolean;
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly clientCa: string | undefined;
  readonly clientRevocation: ClientRevocationPlan | undefined;
  /** Staple OCSP responses to certificates that name a responder. */
  readonly stapling: boolean;
  readonly tickets: TicketPlan;
  /** Files with keys for Encrypted Client Hello; clients are told those of the first. */
  readonly ech: readonly string[];
  /** Take versions before TLS 1.2. */
  readonly dangerouslyAllowLegacy: boolean;
  /** Bytes of early data (0-RTT) that are taken from a client that resumes; 0 for none. */
  readonly earlyData: number;
}

/** Whether clients' certificates are revoked. */
export interface ClientRevocationPlan {
  /** Files with CRLs, PEM or DER. */
  readonly crls: readonly string[];
  /** Ask the responders and the lists that certificates name. */
  readonly online: boolean;
  /** `hard-fail`: a certificate must be known to be good. */
  readonly mode: 'hard-fail' | 'soft-fail';
  /** Which certificates of a path. */
  readonly scope: 'path' | 'leaf';
}

/** Sessions of clients: how long they can be resumed, and the keys that seal them. Times in milliseconds. */
export type TicketPlan =
  | { readonly kind: 'none' }
  /** Keys that nobody else has, replaced by new ones; an old one opens tickets for as long as those live. */
  | { readonly kind: 'own'; readonly rotate: number | undefined; readonly lifetime: number | undefined }
  /** Keys in files that several gateways share; the first seals. */
  | { readonly kind: 'files'; readonly files: readonly string[]; readonly lifetime: number | undefined };

export const DEFAULT_TLS: TlsPlan = {
  minVersion: undefined,
  maxVersion: undefined,
  cipherSuites: undefined,
  groups: undefined,
  alpn: undefined,
  requireAlpn: false,
  strictSni: false,
  clientCertificate: 'none',
  clientCa: undefined,
  clientRevocation: undefined,
  stapling: true,
  tickets: { kind: 'own', rotate: undefined, lifetime: undefined },
  earlyData: 0,
  ech: [],
  dangerouslyAllowLegacy: false,
};

/**
 * A client that resumes is not asked for its certificate again: where it could be revoked meanwhile, sessions are short.
 * Milliseconds.
 */
const LIFETIME_WITH_REVOCATION = 3_600_000;

/** Bytes: enough for a request, and what a client may make us keep. */
const DEFAULT_EARLY_DATA = 16_384;

/** The TLS side of a listener's configuration; `complain` hears what does not go together. */
export function tlsPlan(config: ListenerConfig, from: string, isHttp: boolean, complain: Complain): TlsPlan {
  checkVersions(config, complain);
  checkEarlyData(config, complain);
  checkClients(config, complain);
  const alpn = config.alpn ?? (isHttp ? ['http/1.1'] : undefined);
  if (config.requireAlpn && alpn === undefined)
    complain('requireAlpn needs alpn: the protocols that are served');
  return {
    minVersion: config.minVersion,
    maxVersion: config.maxVersion,
    cipherSuites: config.cipherSuites,
    groups: config.groups,
    alpn,
    requireAlpn: config.requireAlpn ?? false,
    strictSni: config.strictSni ?? false,
    clientCertificate: config.clientCertificate ?? (config.clientCa === undefined ? 'none' : 'required'),
    clientCa: config.clientCa === undefined ? undefined : resolve(from, config.clientCa),
    clientRevocation: config.clientRevocation && {
      crls: (config.clientRevocation.crls ?? []).map((file) => resolve(from, file)),
      online: config.clientRevocation.online ?? false,
      mode: config.clientRevocation.mode ?? 'hard-fail',
      scope: config.clientRevocation.scope ?? 'path',
    },
    stapling: config.stapling ?? true,
    tickets: ticketPlan(config, from, complain),
    earlyData: config.earlyData === true ? DEFAULT_EARLY_DATA : config.earlyData || 0,
    ech: (config.ech ?? []).map((file) => resolve(from, file)),
    dangerouslyAllowLegacy: config.dangerouslyAllowLegacy ?? false,
  };
}

function ticketPlan(config: ListenerConfig, from: string, complain: Complain): TicketPlan {
  const { tickets = {}, clientRevocation } = config;
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
  if (ech !== undefined && maxVersion !== undefined && VERSIONS[maxVersion] < VERSIONS['TLSv1.3'])
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
  if ((clientRevocation.crls ?? []).length === 0 && clientRevocation.online !== true)
    complain('clientRevocation has nothing to go by: add crls: with files, or online: true');
}

import { peerNameOf, toAsciiDomain } from '@testudo/x509';
import { alpn } from '../extensions/alpn.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { OCSP_REQUEST, statusRequest } from '../extensions/certificate-status.ts';
import { keyShare } from '../extensions/key-share.ts';
import * as negotiation from '../extensions/negotiation.ts';
import { earlyData, PSK_DHE_KE, pskKeyExchangeModes } from '../extensions/pre-shared-key.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import { sessionTicket } from '../extensions/session-ticket.ts';
import type { Flow } from '../flow.ts';
import type { KeyShare } from '../groups/index.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { Offer } from '../handshake/offer.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { offeredSession } from '../sessions/offered-session.ts';
import type { Session } from '../sessions/session.ts';
import {
  type CipherSuite,
  EMPTY_RENEGOTIATION_INFO_SCSV,
  FALLBACK_SCSV,
  isSuite13,
} from '../suites/index.ts';
import { keyExchangeOf } from '../tls12/key-exchange/index.ts';
import { clientRenegotiationInfo } from '../tls12/renegotiation-info.ts';
import { canSendEarlyData } from '../tls13/early-data.ts';
import { offeredPsks } from '../tls13/offered-psk.ts';
import { SSL30, TLS12, TLS13 } from '../versions.ts';

const UNCOMPRESSED = 0;
const NOTHING = new Uint8Array(0);

/** A ClientHello for everything the configuration allows (RFC 9846 §4.2.2). Without the PSK: that comes last. */
export function* makeOffer(h: ClientHandshake): Flow<Offer> {
  const { config, provider } = h;
  const session = h.session && (yield* offeredSession(h, h.session));
  const shares = config.versions.includes(TLS13)
    ? config.keyShareGroups.map((group) => group.start(provider))
    : [];
  const hello: ClientHello = {
    // The best version but TLS 1.3, which stands in supported_versions (RFC 9846 §4.2.2).
    legacyVersion: Math.min(TLS12, config.versions[0]!),
    random: provider.randomBytes(32),
    legacySessionId: sessionId(h, session),
    cipherSuites: [...offeredSuites(h).map((suite) => suite.id), ...signals(h)],
    legacyCompressionMethods: compressionMethods(h),
    extensions: offeredExtensions(h, session, shares),
  };
  const psks = yield* offeredPsks(h, session);
  const offersEarlyData = canSendEarlyData(h, psks);
  if (offersEarlyData) hello.extensions.set(earlyData, null);
  return { hello, shares, session, psks, offersEarlyData };
}

function offeredExtensions(
  h: ClientHandshake,
  session: Session | undefined,
  shares: readonly KeyShare[],
): ExtensionBlock<'client_hello'> {
  const { config } = h;
  const block = new ExtensionBlock('client_hello');
  // SSL 3.0 has none, and some of its servers do not take them.
  if (config.versions[0] === SSL30) return block;
  if (h.serverName !== undefined) block.set(serverName, serverNamesFor(h.serverName));
  if (config.versions.some(isOlder)) {
    block.set(negotiation.extendedMasterSecret, null);
    if (config.encryptThenMac && offeredSuites(h).some((suite) => suite.cipher.kind === 'cbc'))
      block.set(negotiation.encryptThenMac, null);
    // Empty in a first handshake, in place of the signalling suite (RFC 5746 §3.4); later our last Finished (§3.5).
    block.set(negotiation.renegotiationInfo, clientRenegotiationInfo(h));
    block.set(negotiation.ecPointFormats, [UNCOMPRESSED]);
    if (config.sessionTickets) block.set(sessionTicket, isOlderSession(session) ? session.ticket : NOTHING);
  }
  block.set(
    negotiation.supportedGroups,
    config.groups.map((group) => group.id),
  );
  // Before TLS 1.2 it must not be sent (RFC 5246 §7.4.1.4.1).
  if (config.versions[0]! >= TLS12)
    block.set(negotiation.signatureAlgorithms, [...config.signatureSchemeIds]);
  if (config.alpnProtocols.length > 0) block.set(alpn, [...config.alpnProtocols]);
  if (config.requestOcsp) block.set(statusRequest, OCSP_REQUEST);
  if (config.versions.includes(TLS13)) {
    block.set(negotiation.supportedVersions, [...config.versions]);
    block.set(pskKeyExchangeModes, [PSK_DHE_KE]);
    if (config.postHandshakeAuth) block.set(negotiation.postHandshakeAuth, null);
    block.set(
      keyShare,
      shares.map((own) => ({ group: own.group.id, keyExchange: own.share })),
    );
  }
  return block;
}

/**
 * With 1.3 on offer, 32 random bytes that make it look like a 1.2 resumption to middleboxes (RFC 9846 §E.4). A 1.2
 * session is named by its ID; one that has only a ticket by random bytes, whose echo shows that the server took
 * it (RFC 5077 §3.4).
 */
function sessionId(h: ClientHandshake, session: Session | undefined): Uint8Array {
  if (isOlderSession(session) && session.id.length > 0) return session.id;
  const wantsId = isOlderSession(session) || h.config.versions.includes(TLS13);
  return wantsId ? h.provider.randomBytes(32) : NOTHING;
}

/** By preference; nothing is compressed unless it was asked for. */
function compressionMethods({ config }: ClientHandshake): number[] {
  const method = config.dangerousCompression?.method;
  return method === undefined ? [UNCOMPRESSED] : [method, UNCOMPRESSED];
}

/** What the key exchanges can do with this configuration. */
function offeredSuites({ config }: ClientHandshake): CipherSuite[] {
  return config.cipherSuites.filter((suite) => isSuite13(suite) || keyExchangeOf(suite).available(config));
}

/** Suites that are none: without extensions, that renegotiation is secure (RFC 5746 §3.3); a fallback (RFC 7507 §4). */
function signals({ config, renegotiates }: ClientHandshake): number[] {
  if (renegotiates !== undefined) return [];
  const { fallback } = config;
  return [
    ...(config.versions[0] === SSL30 ? [EMPTY_RENEGOTIATION_INFO_SCSV] : []),
    ...(fallback ? [FALLBACK_SCSV] : []),
  ];
}

function isOlder(version: number): boolean {
  return version < TLS13;
}

function isOlderSession(session: Session | undefined): session is Session {
  return session !== undefined && isOlder(session.version);
}

/** The name to show in SNI: as A-labels, without a final dot; addresses have none (RFC 6066 §3). */
export function sniFor(host: string | undefined): string | undefined {
  return host === undefined || peerNameOf(host).kind === 'ip' ? undefined : toAsciiDomain(host);
}

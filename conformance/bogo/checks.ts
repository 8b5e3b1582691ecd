import { readFileSync } from 'node:fs';
import { type ConnectionInfo, VERSIONS } from '@testudo/tls';
import { parseCertificates } from '@testudo/x509';
import type { ShimCredential, ShimPsk } from './credentials.ts';
import type { ConnectionFlags } from './flags.ts';
import { sameBytes, splitIdentifiers } from './values.ts';

/** What is known when a handshake is complete. */
export interface Completed {
  readonly info: ConnectionInfo;
  readonly isServer: boolean;
  readonly isResume: boolean;
  readonly credentials: readonly ShimCredential[];
  readonly psks: readonly ShimPsk[];
  /** The session that came, or was kept, so far. */
  readonly hasSession: boolean;
}

/** What the flags expect and did not come; undefined when all is as expected. */
export function complaintAbout(flags: ConnectionFlags, done: Completed): string | undefined {
  for (const check of CHECKS) {
    const complaint = check(flags, done);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

type Check = (flags: ConnectionFlags, done: Completed) => string | undefined;

const CHECKS: readonly Check[] = [
  (flags, { info }) => differs('version', flags.number('expect-version'), VERSIONS[info.version]),
  (flags, { info }) => {
    const expected = flags.number('expect-cipher') ?? flags.number('expect-cipher-aes');
    return differs('cipher suite', expected, info.cipherSuite.id);
  },
  (flags, { info }) =>
    // A resumed TLS 1.2 connection has no key exchange, and so no group.
    info.group === undefined ? undefined : differs('group', flags.number('expect-curve-id'), info.group.id),
  (flags, { info, isServer }) => {
    // Nothing is signed where a session is resumed, and before TLS 1.2 the key alone says how.
    if (info.resumed || VERSIONS[info.version] < 0x0303) return undefined;
    const scheme = isServer ? info.clientSignatureScheme : info.serverSignatureScheme;
    return differs('signature scheme', flags.number('expect-peer-signature-algorithm'), scheme?.id);
  },
  (flags, { info, isResume }) => {
    const expected = isResume && !flags.has('expect-session-miss');
    return differs('resumption', expected, info.resumed);
  },
  (flags, { info, isServer }) => {
    const expected = (isServer ? flags.text('select-alpn') : flags.text('expect-alpn')) ?? '';
    return differs('application protocol', expected, info.alpnProtocol ?? '');
  },
  (flags, { info }) => {
    const expected = flags.has('expect-no-next-proto') ? '' : flags.text('expect-next-proto');
    return differs('next protocol', expected, info.npnProtocol ?? '');
  },
  (flags, { info }) => differs('server name', flags.text('expect-server-name'), info.serverName),
  (flags, { info }) =>
    flags.has('expect-extended-master-secret')
      ? differs('extended master secret', true, info.extendedMasterSecret)
      : undefined,
  (flags, { info }) => (flags.has('expect-hrr') ? differs('HRR', true, info.helloRetryRequest) : undefined),
  (flags, { info }) =>
    flags.has('expect-no-hrr') ? differs('HRR', false, info.helloRetryRequest) : undefined,
  (flags, { info }) => differs('ECH', flags.has('expect-ech-accept'), info.ech === 'accepted'),
  (flags, { info }) => {
    const received = info.applicationSettings?.received;
    const text = received && Buffer.from(received).toString();
    const expected = flags.text('expect-peer-application-settings');
    return text === expected ? undefined : `application settings: expected ${expected}, got ${text}`;
  },
  (flags, { info }) =>
    differs('hash kept', flags.has('expect-sha256-client-cert'), info.peerCertificateHash !== undefined),
  (flags, { info }) => {
    const matched = info.trustAnchors?.matched;
    if (flags.has('expect-peer-match-trust-anchor')) return differs('match of a trust anchor', true, matched);
    return flags.has('expect-no-peer-match-trust-anchor')
      ? differs('match of a trust anchor', false, matched)
      : undefined;
  },
  (flags, { info }) => {
    const expected = splitIdentifiers(flags.bytes('expect-peer-available-trust-anchors'));
    return expected === undefined
      ? undefined
      : differs('trust anchors', String(expected), String(info.trustAnchors?.available));
  },
  checkEarlyData,
  checkSession,
  checkPeerCertificate,
  checkSelectedCredential,
  // A session does not keep what came beside the certificate.
  (flags, { info }) =>
    info.resumed
      ? undefined
      : (bytesDiffer('OCSP response', flags.bytes('expect-ocsp-response'), info.ocspResponse) ??
        bytesDiffer(
          'SCT list',
          flags.bytes('expect-signed-cert-timestamps'),
          info.signedCertificateTimestamps,
        )),
  (flags, { info }) =>
    flags.has('expect-verify-result')
      ? differs('verdict', flags.has('verify-fail'), info.authorizationError !== undefined)
      : undefined,
];

/** Only whether it was taken: the engine does not say why not. */
function checkEarlyData(flags: ConnectionFlags, { info, isResume }: Completed): string | undefined {
  const reason = flags.text('expect-early-data-reason');
  if (flags.has('expect-accept-early-data') && isResume)
    return differs('early data', 'accepted', info.earlyData);
  if (flags.has('expect-reject-early-data') && info.earlyData === 'accepted') return 'early data was taken';
  if (reason === undefined) return undefined;
  return differs('early data', reason === 'accepted', info.earlyData === 'accepted');
}

/** Up to TLS 1.2 a session is there as soon as the handshake is complete. */
function checkSession(flags: ConnectionFlags, done: Completed): string | undefined {
  const { info, isServer, isResume, hasSession } = done;
  if (!isResume && isServer) {
    if (flags.has('expect-session-id')) return differs('session in the store', true, hasSession);
    if (flags.has('expect-no-session-id')) return differs('session in the store', false, hasSession);
  }
  if (isServer || info.version === 'TLSv1.3') return undefined;
  const expected = !flags.has('expect-no-session') && (!info.resumed || flags.has('expect-ticket-renewal'));
  return differs('new session', expected, hasSession);
}

function checkPeerCertificate(flags: ConnectionFlags, { info, isServer }: Completed): string | undefined {
  const file = flags.text('expect-peer-cert-file');
  const { peerCertificates } = info;
  if (file !== undefined) {
    const expected = parseCertificates(readFileSync(file, 'utf8')).map(({ der }) => der);
    if (Buffer.concat(expected).compare(Buffer.concat(peerCertificates)) !== 0)
      return 'another certificate chain came than expected';
  }
  const type = flags.number('expect-peer-certificate-type');
  if (type !== undefined && (info.peerRawPublicKey !== undefined) !== (type === 2))
    return 'another certificate type than expected';
  if (info.peerRawPublicKey !== undefined) return undefined;
  const isAnonymous =
    flags.has('expect-no-peer-cert') || info.pskIdentity !== undefined || flags.text('psk') !== undefined;
  if (isAnonymous) return peerCertificates.length > 0 ? 'an unexpected peer certificate' : undefined;
  if (isServer && !flags.has('require-any-client-certificate')) return undefined;
  return peerCertificates.length === 0 ? 'no peer certificate' : undefined;
}

function checkSelectedCredential(
  flags: ConnectionFlags,
  { info, credentials, psks }: Completed,
): string | undefined {
  const { localCertificates, localRawPublicKey, pskIdentity } = info;
  const used =
    pskIdentity === undefined
      ? credentials.find(({ credential }) =>
          localRawPublicKey === undefined
            ? credential.certificates === localCertificates
            : credential.rawPublicKey === localRawPublicKey,
        )
      : psks.find(({ psk }) => sameBytes(psk.identity, pskIdentity));
  return differs('credential', flags.number('expect-selected-credential'), used?.number ?? -1);
}

function differs<T>(what: string, expected: T | undefined, actual: T | undefined): string | undefined {
  return expected === undefined || expected === actual
    ? undefined
    : `${what}: expected ${expected}, got ${actual}`;
}

function bytesDiffer(
  what: string,
  expected: Uint8Array | undefined,
  actual: Uint8Array | undefined,
): string | undefined {
  return expected === undefined || sameBytes(expected, actual) ? undefined : `${what}: not as expected`;
}

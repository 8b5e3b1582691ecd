import type { CryptoProvider, HashName } from '@testudo/crypto';
import { HASH_LENGTH } from '@testudo/crypto';
import { type CipherSuite, cipherSuite } from '../suites/index.ts';
import { TLS12, type VersionName, versionName } from '../versions.ts';
import { abandonedByClients } from './abandoned-sessions.ts';
import { isFresh, type Session } from './session.ts';

/** A session as the RFCs define it (RFC 5246 §7); in TLS 1.3 what its ticket stands for. */
export interface SessionDescription {
  readonly version: VersionName;
  /** The session ID; SHA-256 of the ticket where there is none; empty on a server, which has the ticket's contents only. */
  readonly identifier: Uint8Array;
  /** The peer's chain, DER, leaf first. */
  readonly peerCertificates: readonly Uint8Array[];
  /** SubjectPublicKeyInfo, DER, where the peer showed that instead of a chain (RFC 7250). */
  readonly peerRawPublicKey: Uint8Array | undefined;
  /** Always null: what was compressed is not resumed. */
  readonly compressionMethod: 0;
  readonly cipherSpec: CipherSpec;
  /** Not too old, and no connection of it has ended with a fatal alert in this process. */
  readonly isResumable: boolean;
  /** The master secret, or in TLS 1.3 the ticket's PSK: only where it was asked for, and not enumerable. */
  readonly masterSecret?: Uint8Array;
}

/** The algorithms of a session. Lengths in bytes. */
export interface CipherSpec {
  readonly cipherSuite: CipherSuite;
  readonly bulkCipher: string;
  readonly keyLength: number;
  /** Undefined with an AEAD. */
  readonly mac: HashName | undefined;
  readonly macLength: number;
  /** The hash of the PRF or key schedule; before TLS 1.2 the version decides. */
  readonly prf: HashName | 'md5-sha1';
}

/**
 * Describes a session. Undefined for one whose cipher suite is not known here.
 *
 * @param options.now milliseconds since 1970. Default `Date.now()`.
 * @param options.exposeSecrets tell the master secret, too. Default false.
 */
export function describeSession(
  provider: CryptoProvider,
  session: Session,
  options: { now?: number; exposeSecrets?: boolean } = {},
): SessionDescription | undefined {
  const suite = cipherSuite(session.cipherSuite);
  if (suite === undefined) return undefined;
  const description: SessionDescription = {
    version: versionName(session.version) as VersionName,
    identifier: identifierOf(provider, session),
    peerCertificates: session.peerCertificates,
    peerRawPublicKey: session.peerRawPublicKey,
    compressionMethod: 0,
    cipherSpec: cipherSpec(suite, session.version),
    isResumable: isFresh(session, options.now ?? Date.now()) && !abandonedByClients.has(provider, session),
  };
  if (options.exposeSecrets === true)
    Object.defineProperty(description, 'masterSecret', { value: session.secret.slice(), enumerable: false });
  return description;
}

function identifierOf(provider: CryptoProvider, { id, ticket }: Session): Uint8Array {
  if (id.length > 0 || ticket.length === 0) return id;
  return provider.digest('sha256', ticket);
}

function cipherSpec(suite: CipherSuite, version: number): CipherSpec {
  const { cipher } = suite;
  const mac = cipher.kind === 'aead' ? undefined : cipher.mac;
  return {
    cipherSuite: suite,
    bulkCipher: cipher.name,
    keyLength: cipher.keyLength,
    mac,
    macLength: mac === undefined ? 0 : HASH_LENGTH[mac],
    prf: version < TLS12 ? 'md5-sha1' : suite.hash,
  };
}

import type { CryptoProvider, HashName } from '@testudo/crypto';
import type { Transcript, TranscriptHash } from '../handshake/transcript.ts';
import type { SignatureScheme } from '../signature-schemes.ts';
import { type CipherSuite, suiteFits } from '../suites/index.ts';
import { TLS12, type Version, type VersionName, versionName } from '../versions.ts';
import { type Padding, tlsPadding } from './cbc-padding.ts';
import { prf } from './prf.ts';
import { HmacOfRecord, type RecordMac } from './record-mac.ts';

export type Role = 'client' | 'server';

/** What has changed from SSL 3.0 to TLS 1.2, while the flow of messages stayed the same. */
export interface VersionRules {
  readonly version: Version;
  /** The hash that runs over the handshake. */
  transcriptHash(suite: CipherSuite): TranscriptHash;
  /** PRF(secret, label, seed), `length` bytes (RFC 5246 §5). */
  prf(
    provider: CryptoProvider,
    suite: CipherSuite,
    secret: Uint8Array,
    label: string,
    seed: Uint8Array,
    length: number,
  ): Uint8Array;
  /** What Finished holds for the transcript so far (RFC 5246 §7.4.9). */
  finishedData(
    provider: CryptoProvider,
    transcript: Transcript,
    suite: CipherSuite,
    master: Uint8Array,
    role: Role,
  ): Uint8Array;
  /** What a client signs in CertificateVerify, whose transcript is that so far (RFC 5246 §7.4.8). */
  certificateVerifyContent(provider: CryptoProvider, transcript: Transcript, master: Uint8Array): Uint8Array;
  /** What may sign a handshake, by preference; `configured` are those of the configuration that TLS 1.2 has. */
  signatureSchemes(configured: readonly SignatureScheme[]): readonly SignatureScheme[];
  /** True when a signature names its scheme (1.2); before, the key's kind decided. */
  readonly namesSignatureSchemes: boolean;
  /** True when ServerHello may hold extensions; SSL 3.0 has but renegotiation_info (RFC 5746 §4.5). */
  readonly hasExtensions: boolean;
  /** What may sign CertificateVerify: as `signatureSchemes` in every version of TLS. */
  clientSignatureSchemes(configured: readonly SignatureScheme[]): readonly SignatureScheme[];
  /** True when a client without a certificate says so by a warning (SSL 3.0), and not by an empty Certificate. */
  readonly warnsWithoutCertificate: boolean;
  /** True when a CBC record brings its IV along (1.1, 1.2); before, it was the end of the record before. */
  readonly explicitIv: boolean;
  /** What stands at the end of a decrypted CBC record, of which `least` bytes must be left (RFC 5246 §6.2.3.2). In constant flow. */
  padding(plaintext: Uint8Array, least: number, blockLength: number): Padding;
  /** The MAC of records that an AEAD does not protect. */
  recordMac(provider: CryptoProvider, hash: HashName, key: Uint8Array): RecordMac;
}

/** TLS 1.2 (RFC 5246). */
export const rules12: VersionRules = {
  version: TLS12,
  transcriptHash: (suite) => suite.hash,
  prf: (provider, suite, secret, label, seed, length) =>
    prf(provider, suite.hash, secret, label, seed, length),
  finishedData: tlsFinishedData,
  certificateVerifyContent: (_provider, transcript) => transcript.messages(),
  signatureSchemes: (configured) => configured,
  namesSignatureSchemes: true,
  explicitIv: true,
  hasExtensions: true,
  clientSignatureSchemes: (configured) => configured,
  warnsWithoutCertificate: false,
  padding: tlsPadding,
  recordMac: (provider, hash, key) => new HmacOfRecord(provider, hash, key),
};

const VERIFY_DATA_LENGTH = 12;

/** verify_data of TLS: twelve bytes of the PRF over the transcript's hash (RFC 5246 §7.4.9). */
function tlsFinishedData(
  this: VersionRules,
  provider: CryptoProvider,
  transcript: Transcript,
  suite: CipherSuite,
  master: Uint8Array,
  role: Role,
): Uint8Array {
  return this.prf(provider, suite, master, `${role} finished`, transcript.digest(), VERIFY_DATA_LENGTH);
}

/** `TLSv1.2` and its like. */
export function rulesName(rules: VersionRules): VersionName {
  return versionName(rules.version) as VersionName;
}

/** The suites of a configuration that this version has. */
export function suitesOf(suites: readonly CipherSuite[], rules: VersionRules): CipherSuite[] {
  return suites.filter((suite) => suiteFits(suite, rules.version));
}

import { concat, utf8 } from '@testudo/codec';
import { type CryptoProvider, type HashName, lessThanMask, select } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import type { Transcript } from '../handshake/transcript.ts';
import type { CipherSuite } from '../suites/index.ts';
import type { Padding } from '../tls12/cbc-padding.ts';
import type { Role, VersionRules } from '../tls12/version-rules.ts';
import { SSL30 } from '../versions.ts';
import { pads, Ssl30Mac } from './ssl30-mac.ts';
import { rules10 } from './tls10.ts';
import { SSL30_CLIENT_SCHEMES } from './unnamed-schemes.ts';

/**
 * SSL 3.0 (RFC 6101), which RFC 7568 forbids: its padding says nothing, so that whoever sits on the wire reads a byte with
 * every 256 connections that he provokes (POODLE). No extensions but renegotiation_info, and so no names and no tickets;
 * clients sign with RSA only.
 */
export const rules30: VersionRules = {
  ...rules10,
  version: SSL30,
  prf: (provider, _suite, secret, label, seed, length) => derive(provider, secret, label, seed, length),
  finishedData,
  hasExtensions: false,
  certificateVerifyContent: (provider, transcript, master) =>
    keyedHashes(provider, master, transcript.messages()),
  clientSignatureSchemes: () => SSL30_CLIENT_SCHEMES,
  warnsWithoutCertificate: true,
  padding: sslPadding,
  recordMac: (provider, hash, key) => new Ssl30Mac(provider, hash, key),
};

/** MD5(secret + SHA-1('A' + secret + seed)), then with 'BB', 'CCC' and so on (RFC 6101 §6.1, §6.2.2). */
function derive(
  provider: CryptoProvider,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Uint8Array {
  // There are no labels, so that one more use would give another one's secret away.
  if (label !== 'master secret' && label !== 'key expansion')
    throw new TlsError('not-connected', 'SSL 3.0 cannot export keying material');
  const blocks: Uint8Array[] = [];
  for (let i = 0; 16 * i < length; i++) {
    const salt = new Uint8Array(i + 1).fill(0x41 + i);
    const inner = provider.digest('sha1', concat(salt, secret, seed));
    blocks.push(provider.digest('md5', concat(secret, inner)));
  }
  return concat(...blocks).subarray(0, length);
}

const SENDER: Readonly<Record<Role, Uint8Array>> = { client: utf8('CLNT'), server: utf8('SRVR') };

/** Over all messages so far (RFC 6101 §5.6.9). */
function finishedData(
  provider: CryptoProvider,
  transcript: Transcript,
  _suite: CipherSuite,
  master: Uint8Array,
  role: Role,
): Uint8Array {
  return keyedHashes(provider, master, concat(transcript.messages(), SENDER[role]));
}

/** Once with MD5 and once with SHA-1: 36 bytes. */
function keyedHashes(provider: CryptoProvider, master: Uint8Array, messages: Uint8Array): Uint8Array {
  return concat(...(['md5', 'sha1'] as const).map((hash) => keyed(provider, hash, master, messages)));
}

function keyed(
  provider: CryptoProvider,
  hash: HashName,
  master: Uint8Array,
  messages: Uint8Array,
): Uint8Array {
  const { inner, outer } = pads(hash);
  return provider.digest(hash, concat(master, outer, provider.digest(hash, concat(messages, master, inner))));
}

/** Only the last byte has a meaning, how many come before it; less than a block (RFC 6101 §5.2.3.2). In constant flow. */
function sslPadding(plaintext: Uint8Array, least: number, blockLength: number): Padding {
  const last = plaintext[plaintext.length - 1]!;
  const fits = ~lessThanMask(plaintext.length, last + 1 + least);
  const isRight = fits & lessThanMask(last, blockLength);
  return { isRight, length: select(isRight, last + 1, 1) };
}

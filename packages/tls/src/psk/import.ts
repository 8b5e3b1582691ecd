import { type Codec, encode, opaque, struct, uint16, utf8 } from '@testudo/codec';
import { type CryptoProvider, HASH_LENGTH, type HashName } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import { expandLabel } from '../tls13/hkdf-label.ts';
import { TLS13 } from '../versions.ts';
import type { ExternalPsk } from './external-psk.ts';

/** ImportedIdentity (RFC 9258 §5.1). */
const importedIdentity: Codec<{
  externalIdentity: Uint8Array;
  context: Uint8Array;
  targetProtocol: number;
  targetKdf: number;
}> = struct({
  externalIdentity: opaque(2, 1),
  context: opaque(2),
  targetProtocol: uint16,
  targetKdf: uint16,
});

/** The KDFs of TLS 1.3 by their hash (RFC 9258 §10). */
const TARGET_KDF: Partial<Record<HashName, number>> = { sha256: 1, sha384: 2 };

/**
 * Ties a key to TLS 1.3, to one hash and to a context, so that the same key can be used for several without one
 * telling about the other (RFC 9258 §5.1). Both sides import it, with the same context.
 *
 * @param options.context what else the key is bound to: both names, say, against reflection. Default: empty.
 * @param options.target the hash of the suites it is for. Default `sha256`.
 * @throws TlsError `bad-option` for another hash than `sha256` and `sha384`
 */
export function importPsk(
  provider: CryptoProvider,
  psk: ExternalPsk,
  options: { context?: Uint8Array; target?: HashName } = {},
): ExternalPsk {
  const target = options.target ?? 'sha256';
  const targetKdf = TARGET_KDF[target];
  if (targetKdf === undefined) throw new TlsError('bad-option', `TLS 1.3 has no suite with ${target}`);
  const hash = psk.hash ?? 'sha256';
  const identity = encode(importedIdentity, {
    externalIdentity: psk.identity,
    context: options.context ?? new Uint8Array(0),
    targetProtocol: TLS13,
    targetKdf,
  });
  const extracted = provider.hkdfExtract(hash, new Uint8Array(HASH_LENGTH[hash]), psk.key);
  const context = provider.digest(hash, identity);
  const key = expandLabel(provider, hash, extracted, 'derived psk', context, HASH_LENGTH[target]);
  extracted.fill(0);
  return { identity, key, hash: target, imported: true };
}

/** The identity as text, where it is one: for those who look keys up by name. */
export function pskIdentity(name: string): Uint8Array {
  return utf8(name);
}

import { copyOf } from '@testudo/codec';
import { isZero } from '../all-zero.ts';
import { CryptoError } from '../errors.ts';
import type { AgreementKey, CryptoProvider, CurveName, KeyAgreement } from '../provider.ts';
import { CURVES, type NativeCurves } from './curves.ts';
import { type Native, put } from './native.ts';
import { KEYPAIR, Parameters } from './parameters.ts';

/**
 * Diffie-Hellman on curves. A key stays bytes between its generation and its use, so that no native object outlives a call;
 * to make one from both of its halves costs a tenth of the agreement.
 */
export function agreements(
  native: Native,
  curves: NativeCurves,
  others: CryptoProvider['keyAgreement'],
): CryptoProvider['keyAgreement'] {
  const known = new Map<CurveName, KeyAgreement | undefined>();
  return (curve) => {
    if (!known.has(curve)) {
      const other = others(curve);
      known.set(curve, other && agreement(native, curves, curve, other));
    }
    return known.get(curve);
  };
}

function agreement(
  native: Native,
  curves: NativeCurves,
  curve: CurveName,
  other: KeyAgreement,
): KeyAgreement {
  const { lib, memory, result } = native;
  const { length, publicLength } = CURVES[curve];
  const ec = curve === 'x25519' || curve === 'x448' ? undefined : curve;
  const [ownPublic, peerPublic] = [memory.reserve(publicLength), memory.reserve(publicLength)];
  const [ownPrivate, secret] = [memory.reserve(length), memory.reserve(length)];
  const name = memory.text(ec === undefined ? curve.toUpperCase() : 'EC');
  const generation = lib.EVP_PKEY_CTX_new_from_name(0, name, 0);
  const making = lib.EVP_PKEY_CTX_new_from_name(0, name, 0);
  const isReady =
    lib.EVP_PKEY_keygen_init(generation) === 1 &&
    lib.EVP_PKEY_fromdata_init(making) === 1 &&
    (ec === undefined || lib.EVP_PKEY_CTX_set_group_name(generation, memory.text(CURVES[ec].name)) === 1);
  if (!isReady) {
    lib.ERR_clear_error();
    return other;
  }
  const halves = new Parameters(memory, 3).add('pub', 'octets', ownPublic, publicLength);
  if (ec === undefined) halves.add('priv', 'octets', ownPrivate, length);
  else halves.add('priv', 'unsigned', ownPrivate, length).addText('group', CURVES[ec].name);
  const privateHalf = new Parameters(memory, 1).add('priv', 'unsigned', ownPrivate, length);

  class OpensslAgreementKey implements AgreementKey {
    readonly publicKey: Uint8Array;
    /** As OpenSSL takes it: little-endian for the curves of numbers. */
    readonly #private: Uint8Array;

    constructor(publicKey: Uint8Array, privateKey: Uint8Array) {
      this.publicKey = publicKey;
      this.#private = privateKey;
    }

    agree(peerPublicKey: Uint8Array): Uint8Array {
      // OpenSSL would also take compressed and hybrid points, which TLS forbids (RFC 9846 §4.3.8.2).
      const isPlausible =
        peerPublicKey.length === publicLength && (ec === undefined || peerPublicKey[0] === 4);
      const own = isPlausible ? this.#own() : 0;
      const peer = own === 0 ? 0 : peerOf(peerPublicKey);
      const context = peer === 0 ? 0 : lib.EVP_PKEY_CTX_new_from_pkey(0, own, 0);
      result.value = length;
      const isDone =
        context !== 0 &&
        lib.EVP_PKEY_derive_init(context) === 1 &&
        // The point was looked at when it was read, and these groups have no subgroup to fall into (SP 800-56A, 5.6.2.3.4);
        // the whole validation would cost as much as the agreement.
        lib.EVP_PKEY_derive_set_peer_ex(context, peer, 0) === 1 &&
        lib.EVP_PKEY_derive(context, secret.address, result.address) === 1 &&
        result.value === length;
      if (context !== 0) lib.EVP_PKEY_CTX_free(context);
      if (peer !== 0) lib.EVP_PKEY_free(peer);
      if (own !== 0) lib.EVP_PKEY_free(own);
      const shared = isDone ? secret.bytes.slice() : undefined;
      secret.bytes.fill(0);
      // OpenSSL itself refuses an all-zero result (RFC 7748 §6); it is looked at here, too. On the other curves zero is an x
      // coordinate like any other.
      if (shared !== undefined && !(ec === undefined && isZero(shared))) return shared;
      lib.ERR_clear_error();
      throw new CryptoError('bad-key', `the peer's key is not a usable point of ${curve}`);
    }

    /** A key of OpenSSL's, for the caller to free. */
    #own(): number {
      put(ownPublic, this.publicKey);
      put(ownPrivate, this.#private);
      result.value = 0;
      const isDone = lib.EVP_PKEY_fromdata(making, result.address, KEYPAIR, halves.address) === 1;
      ownPrivate.bytes.fill(0);
      return isDone ? result.value : 0;
    }
  }

  function peerOf(publicKey: Uint8Array): number {
    const address = put(peerPublic, publicKey);
    return ec === undefined
      ? lib.EVP_PKEY_new_raw_public_key_ex(0, name, 0, address, publicLength)
      : curves.publicKey(ec, address, publicLength);
  }

  /** Both halves of a new key into their places. */
  function generateInto(): boolean {
    result.value = 0;
    if (lib.EVP_PKEY_generate(generation, result.address) !== 1) return false;
    const key = result.value;
    const isRead = ec === undefined ? readRaw(key) : readNumbers(key);
    lib.EVP_PKEY_free(key);
    return isRead;
  }

  function readRaw(key: number): boolean {
    result.value = publicLength;
    if (lib.EVP_PKEY_get_raw_public_key(key, ownPublic.address, result.address) !== 1) return false;
    result.value = length;
    return lib.EVP_PKEY_get_raw_private_key(key, ownPrivate.address, result.address) === 1;
  }

  function readNumbers(key: number): boolean {
    const { address } = ownPublic;
    return (
      lib.EVP_PKEY_get_octet_string_param(key, memory.text('pub'), address, publicLength, result.address) ===
        1 &&
      result.value === publicLength &&
      ownPublic.bytes[0] === 4 &&
      lib.EVP_PKEY_get_params(key, privateHalf.address) === 1
    );
  }

  return {
    generate(): AgreementKey {
      if (!generateInto()) {
        lib.ERR_clear_error();
        throw new Error(`libcrypto failed to make a key of ${curve}`);
      }
      const key = new OpensslAgreementKey(ownPublic.bytes.slice(), ownPrivate.bytes.slice());
      ownPrivate.bytes.fill(0);
      return key;
    },
    fromPrivate(privateKey: Uint8Array): AgreementKey {
      // For vectors, and for keys that serve long: that one checks the number and finds the public half.
      const { publicKey } = other.fromPrivate(privateKey);
      return new OpensslAgreementKey(
        publicKey,
        ec === undefined ? copyOf(privateKey) : copyOf(privateKey).reverse(),
      );
    },
  };
}

import { nodeCrypto } from '../node/index.ts';
import type { CryptoProvider } from '../provider.ts';
import { aeads } from './aead.ts';
import { agreements } from './agreement.ts';
import { ciphers } from './ciphers.ts';
import { NativeCurves } from './curves.ts';
import { digests } from './hashes.ts';
import { kems } from './kem.ts';
import { macs } from './mac.ts';
import { type Native, openNative } from './native.ts';
import { selfTest } from './self-test.ts';
import { signatures } from './signatures.ts';

/** What is hot, on libcrypto; the rest is `node:crypto`'s. Throws an Error with the reason where that cannot be. */
export function openOpenssl(): CryptoProvider {
  const native = openNative();
  try {
    return openWith(native);
  } catch (error) {
    // Else node:crypto, which serves then, would find it and report it as its own.
    native.lib.ERR_clear_error();
    throw error;
  }
}

function openWith(native: Native): CryptoProvider {
  const curves = new NativeCurves(native);
  const hashing = digests(native, nodeCrypto);
  const { digest, hmac, hkdfExtract, hkdfExpand } = hashing;
  const provider: CryptoProvider = {
    ...nodeCrypto,
    name: 'openssl',
    digest,
    hmac,
    hkdfExtract,
    hkdfExpand,
    mac: macs(native, nodeCrypto.mac),
    aead: aeads(native),
    cipher: ciphers(native, nodeCrypto.cipher),
    keyAgreement: agreements(native, curves, nodeCrypto.keyAgreement),
    kem: kems(native, nodeCrypto.kem),
    ...signatures(native, curves, hashing, nodeCrypto),
  };
  selfTest(provider);
  return provider;
}

import { bytesEqual, contextTag, der } from '@testudo/codec';
import type { CryptoProvider, PrivateKey } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { encryptPkcs8 } from './encrypted-key.ts';
import { encodeMacData } from './integrity.ts';
import { Pkcs12Oid } from './oids.ts';
import { encryptWithPassword, type PasswordEncryption } from './password-encryption.ts';

export interface Pkcs12Content {
  readonly provider: CryptoProvider;
  readonly password: string;
  /** Default: certificates only, as a trust store. */
  readonly privateKey?: PrivateKey | undefined;
  /** The key's own first, then those above it. */
  readonly certificates: readonly Certificate[];
  /** What programs show. Default: the first certificate's common name. */
  readonly friendlyName?: string | undefined;
  /**
   * `modern`: AES-256-CBC, PBKDF2 with HMAC-SHA-256, and HMAC-SHA-256 over all. `legacy`: 3DES and SHA-1, for programs of
   * before 2015; weak. Default `modern`.
   */
  readonly encryption?: 'modern' | 'legacy' | undefined;
  /** `pkcs12`: as all programs read it. `pbmac1`: RFC 9579, which new ones read. Default `pkcs12`. */
  readonly mac?: 'pkcs12' | 'pbmac1' | undefined;
  /** Of each derivation from the password. Default 100,000, and 2,048 for `legacy`. */
  readonly iterations?: number | undefined;
}

/** Writes a PKCS#12 file (RFC 7292), DER. */
export function createPkcs12(content: Pkcs12Content): Uint8Array {
  const { provider, password, privateKey, certificates, encryption = 'modern' } = content;
  const iterations = content.iterations ?? (encryption === 'legacy' ? 2048 : 100_000);
  const scheme: PasswordEncryption = { scheme: encryption === 'legacy' ? '3des' : 'pbkdf2', iterations };
  const friendlyName = content.friendlyName ?? certificates[0]?.subject.commonName;
  const keyId = certificates[0] && provider.digest('sha1', certificates[0].der);

  const bags = certificates.map((certificate, i) => {
    const isKeys = privateKey !== undefined && bytesEqual(certificate.spki, privateKey.publicKey.spki);
    const attributes = encodeAttributes(i === 0 ? friendlyName : undefined, isKeys ? keyId : undefined);
    return encodeBag(Pkcs12Oid.certBag, certificateBag(certificate), attributes);
  });
  const safes = [encryptedData(der.sequence(...bags), password, provider, scheme)];
  if (privateKey !== undefined) {
    const pkcs8 = privateKey.exportPkcs8();
    const shrouded = encryptPkcs8(pkcs8, password, provider, scheme);
    pkcs8.fill(0);
    const bag = encodeBag(Pkcs12Oid.shroudedKeyBag, shrouded, encodeAttributes(friendlyName, keyId));
    safes.push(data(der.sequence(bag)));
  }
  const safe = der.sequence(...safes);
  const kind = content.mac === 'pbmac1' ? 'pbmac1' : encryption === 'legacy' ? 'hmac-sha1' : 'hmac-sha256';
  return der.sequence(der.integer(3), data(safe), encodeMacData(safe, password, provider, kind, iterations));
}

function data(bytes: Uint8Array): Uint8Array {
  return der.sequence(der.oid(Pkcs12Oid.data), der.explicit(0, der.octetString(bytes)));
}

/** EncryptedData (RFC 5652 §8). */
function encryptedData(
  bytes: Uint8Array,
  password: string,
  provider: CryptoProvider,
  encryption: PasswordEncryption,
): Uint8Array {
  const { algorithm, ciphertext } = encryptWithPassword(bytes, password, provider, encryption);
  const info = der.sequence(der.oid(Pkcs12Oid.data), algorithm, der.element(contextTag(0), ciphertext));
  return der.sequence(der.oid(Pkcs12Oid.encryptedData), der.explicit(0, der.sequence(der.integer(0), info)));
}

function certificateBag(certificate: Certificate): Uint8Array {
  return der.sequence(der.oid(Pkcs12Oid.x509Certificate), der.explicit(0, der.octetString(certificate.der)));
}

function encodeBag(type: string, value: Uint8Array, attributes: Uint8Array | undefined): Uint8Array {
  return der.sequence(der.oid(type), der.explicit(0, value), attributes);
}

function encodeAttributes(
  friendlyName: string | undefined,
  keyId: Uint8Array | undefined,
): Uint8Array | undefined {
  const attributes: Uint8Array[] = [];
  // BMPString has the first plane only.
  if (friendlyName !== undefined && !/[\ud800-\udfff]/.test(friendlyName))
    attributes.push(der.sequence(der.oid(Pkcs12Oid.friendlyName), der.setOf(der.bmpString(friendlyName))));
  if (keyId !== undefined)
    attributes.push(der.sequence(der.oid(Pkcs12Oid.localKeyId), der.setOf(der.octetString(keyId))));
  return attributes.length === 0 ? undefined : der.setOf(...attributes);
}

import type { PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { type DelegatedCredential, signatureScheme } from '@testudo/tls';
import { Certificate } from '@testudo/x509';

/**
 * A delegated credential (RFC 9345 §4) as the runner gives it. Not `loadDelegatedCredential`, which wants a certificate that
 * allows it: those of the runner do not.
 */
export function readDelegated(
  bytes: Uint8Array,
  certificate: Uint8Array,
  key: PrivateKey,
): DelegatedCredential {
  const buffer = Buffer.from(bytes);
  const keyEnd = 9 + buffer.readUIntBE(6, 3);
  const delegation = {
    validTime: buffer.readUInt32BE(0),
    dcCertVerifyAlgorithm: buffer.readUInt16BE(4),
    publicKey: new Uint8Array(buffer.subarray(9, keyEnd)),
  };
  const algorithm = buffer.readUInt16BE(keyEnd);
  const signature = new Uint8Array(buffer.subarray(keyEnd + 4));
  if (Buffer.compare(delegation.publicKey, key.publicKey.spki) !== 0)
    throw new Error(':KEY_VALUES_MISMATCH:');
  const [scheme, signedWith] = [
    signatureScheme(delegation.dcCertVerifyAlgorithm),
    signatureScheme(algorithm),
  ];
  if (scheme === undefined || signedWith === undefined || scheme.algorithm.name.startsWith('rsa'))
    throw new Error(':INVALID_SIGNATURE_ALGORITHM:');
  return {
    role: 'server',
    signed: { delegation, algorithm, signature },
    scheme,
    signedWith,
    expiresAt: +Certificate.parse(certificate).notBefore + 1000 * delegation.validTime,
    sign: (by, data) => nodeCrypto.sign(by, key, data),
  };
}

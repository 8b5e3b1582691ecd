import { encodePem } from '@testudo/codec';
import type { PrivateKey } from '@testudo/crypto';
import type { Certificate } from './certificate.ts';

/** PEM text of one or more certificates, in order: what `fullchain.pem` files hold. */
export function certificateToPem(...certificates: readonly Certificate[]): string {
  return certificates.map(({ der }) => encodePem('CERTIFICATE', der)).join('');
}

/** PEM text of a private key, PKCS#8 and not encrypted: keep it from others' eyes. */
export function privateKeyToPem(key: PrivateKey): string {
  return encodePem('PRIVATE KEY', key.exportPkcs8());
}

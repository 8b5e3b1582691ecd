import { nodeCrypto } from '@testudo/crypto/node';
import { type Certificate, CertificateError, parsePkcs12, pkcs12Identity } from '@testudo/x509';
import { type Credential, credential } from '../credential.ts';
import type { SecureContextOptions } from './context-options.ts';
import { nodeError } from './errors.ts';

type Input =
  | string
  | Uint8Array
  | { readonly buf: string | Uint8Array; readonly passphrase?: string | undefined };

/**
 * What is in the option `pfx`: keys with their chains, and the self-signed CAs beside them, which are then trusted, as in
 * Node. Throws the errors of OpenSSL: `mac verify failure` for a wrong passphrase.
 */
export function loadPfx(options: SecureContextOptions): {
  credentials: Credential[];
  authorities: Certificate[];
} {
  const loaded = { credentials: [] as Credential[], authorities: [] as Certificate[] };
  if (!options.pfx) return loaded;
  for (const input of [options.pfx].flat() as Input[]) {
    const isPair = typeof input === 'object' && !ArrayBuffer.isView(input);
    const bytes = isPair ? input.buf : input;
    const passphrase = (isPair ? input.passphrase : undefined) ?? options.passphrase ?? '';
    const contents = read(bytes, passphrase);
    loaded.credentials.push(contents.credential);
    loaded.authorities.push(...contents.authorities);
  }
  return loaded;
}

function read(bytes: unknown, password: string): { credential: Credential; authorities: Certificate[] } {
  if (typeof bytes !== 'string' && !ArrayBuffer.isView(bytes)) {
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', 'Unable to load PFX certificate');
  }
  const der =
    typeof bytes === 'string'
      ? Buffer.from(bytes, 'latin1')
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    // Node takes files without a code over their content, too.
    const contents = parsePkcs12(der, { provider: nodeCrypto, password, requiresMac: false });
    const { privateKey, certificateChain } = pkcs12Identity(contents);
    const chain = certificateChain.map((certificate) => certificate.der);
    const authorities = contents.certificates
      .map(({ certificate }) => certificate)
      .filter((certificate) => certificate.isSelfIssued && !certificate.equals(certificateChain[0]!));
    return { credential: credential(nodeCrypto, chain, privateKey), authorities };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw asOpenssl(error);
  }
}

function asOpenssl(error: CertificateError): Error {
  if (error.code === 'wrong-password') return new Error('mac verify failure', { cause: error });
  if (error.code === 'malformed') return new Error(`not enough data: ${error.message}`, { cause: error });
  return nodeError('ERR_CRYPTO_OPERATION_FAILED', `Unable to load PFX certificate: ${error.message}`, error);
}

import { createPrivateKey } from 'node:crypto';
import type { PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Certificate, CertificateError, parseCertificates, parsePrivateKey } from '@testudo/x509';
import { type Credential, credential } from '../credential.ts';
import { TlsError } from '../errors.ts';
import type { SecureContextOptions } from './context-options.ts';
import { type NodeTlsError, type OpensslLibrary, opensslError } from './errors.ts';

type Pem = string | Uint8Array;

/** Pairs each chain of `cert` with the key in `key` that belongs to it. Throws with OpenSSL's codes. */
export function loadCredentials(options: SecureContextOptions): Credential[] {
  const chains = asList<Pem>(options.cert).map(loadChain);
  const keys = asList<Pem | { pem: Pem; passphrase?: string | undefined }>(options.key).map((one) =>
    typeof one === 'string' || one instanceof Uint8Array
      ? loadKey(one, options.passphrase)
      : loadKey(one.pem, one.passphrase ?? options.passphrase),
  );
  // A chain without a key, or the other way round, is of no use; Node takes it, so it is let pass.
  if (keys.length === 0) return [];
  return chains.map((chain) => pair(chain, keys));
}

/** The certificates of `ca`; undefined when the option was not given. */
export function loadAuthorities(ca: SecureContextOptions['ca']): Certificate[] | undefined {
  if (!ca) return undefined;
  return asList<Pem>(ca).flatMap(loadChain);
}

function loadChain(input: Pem): Certificate[] {
  try {
    return parseCertificates(input);
  } catch (error) {
    throw asOpenssl(error, 'no start line', 'PEM routines');
  }
}

function loadKey(input: Pem, passphrase: string | undefined): PrivateKey {
  try {
    return parsePrivateKey(input, nodeCrypto);
  } catch (error) {
    if (error instanceof CertificateError && error.code === 'encrypted-key') {
      if (passphrase === undefined) throw withoutPassphrase(error);
      return decryptKey(input, passphrase);
    }
    throw asOpenssl(error, 'unsupported', 'DECODER routines');
  }
}

/** OpenSSL knows the many ways in which a key can be encrypted. A wrong passphrase throws `ERR_OSSL_BAD_DECRYPT`. */
function decryptKey(input: Pem, passphrase: string): PrivateKey {
  const key = typeof input === 'string' ? input : Buffer.from(input);
  const pkcs8 = createPrivateKey({ key, passphrase }).export({ format: 'der', type: 'pkcs8' });
  return parsePrivateKey(pkcs8, nodeCrypto);
}

function withoutPassphrase(cause: Error): NodeTlsError {
  const error = opensslError('bad decrypt', cause, 'Provider routines');
  error.message += ': the private key is encrypted; give its passphrase';
  return error;
}

function pair(chain: readonly Certificate[], keys: readonly PrivateKey[]): Credential {
  const certificates = chain.map(({ der }) => der);
  let mismatch: unknown;
  for (const key of keys) {
    try {
      return credential(nodeCrypto, certificates, key);
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      mismatch = error;
    }
  }
  throw opensslError('key values mismatch', mismatch, 'x509 certificate routines');
}

function asOpenssl(error: unknown, reason: string, library: OpensslLibrary): unknown {
  if (!(error instanceof CertificateError)) return error;
  const made = opensslError(reason, error, library);
  made.message += `: ${error.message}`;
  return made;
}

function asList<T>(value: unknown): T[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]) as T[];
}

import { nodeCrypto } from '@testudo/crypto/node';
import { type CertificateToVerify, TlsError } from '@testudo/tls';
import { Certificate } from '@testudo/x509';
import type { ConnectionFlags } from './flags.ts';
import type { Notes } from './notes.ts';

/** keyUsage is for the verifier, whose place the shim takes: undefined where it allows what the key did. */
export function keyMisuse(
  flags: ConnectionFlags,
  { chain, keyUsage }: CertificateToVerify,
  notes: Notes,
): TlsError | undefined {
  const leaf = Certificate.parse(chain[0]!);
  const allowed = leaf.extensions.keyUsage;
  if (allowed === undefined || keyUsage === undefined || allowed.has(keyUsage)) return undefined;
  const isRsa = leaf.publicKey(nodeCrypto).kind.type === 'rsa';
  // BoringSSL can be told so up to TLS 1.2.
  if (flags.has('ignore-rsa-key-usage') && isRsa && notes.version < 0x0304) {
    notes.sawKeyMisuse = true;
    return undefined;
  }
  return new TlsError('certificate-unsupported', `KEY_USAGE_BIT_INCORRECT: it is not for ${keyUsage}`);
}

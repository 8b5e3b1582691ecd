import { DecodeError, decodeDer, der, type Oid, Tag } from '@testudo/codec';
import { CryptoError, type CryptoProvider, type PublicKey } from '@testudo/crypto';
import type { Certificate } from './certificate.ts';
import { CertificateError } from './errors.ts';

const DSA: Oid = '1.2.840.10040.4.1';

/**
 * The key of a certificate of a path, by its place: a DSA key may leave out its parameters, and then has those of whoever
 * issued it (RFC 3279 §2.3.2, RFC 5280 §6.1.4 (e)). They are a matter of the path: another issuer of the same name would
 * give others. Throws {@link CertificateError}.
 */
export function keyInPath(provider: CryptoProvider, path: readonly Certificate[], index: number): PublicKey {
  const certificate = path[index]!;
  if (!lacksParameters(certificate)) return certificate.publicKey(provider);
  const from = path.slice(index + 1).find((above) => !lacksParameters(above));
  return keyWithParametersOf(provider, certificate, from);
}

/** As {@link keyInPath}, for a certificate that {@link lacksParameters} and the first above that does not. */
export function keyWithParametersOf(
  provider: CryptoProvider,
  certificate: Certificate,
  from: Certificate | undefined,
): PublicKey {
  const algorithm = from && readKey(from)?.algorithm;
  const key = readKey(certificate)?.key;
  if (algorithm === undefined || key === undefined)
    throw new CertificateError(
      'malformed',
      'the public key has no parameters, and its issuer has none to inherit',
      certificate,
    );
  try {
    return provider.importPublicKey(der.sequence(algorithm, key));
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new CertificateError(
      'malformed',
      `the public key cannot be used: ${error.message}`,
      certificate,
      error,
    );
  }
}

/** Whether the key is one of DSA without parameters. */
export function lacksParameters(certificate: Certificate): boolean {
  return readKey(certificate)?.hasParameters === false;
}

/** Algorithm and key of a SubjectPublicKeyInfo of DSA, both whole; undefined for everything else. */
function readKey({
  spki,
}: Certificate):
  | { readonly algorithm: Uint8Array; readonly key: Uint8Array; readonly hasParameters: boolean }
  | undefined {
  try {
    return decodeDer(spki, (reader) =>
      reader.sequence((info) => {
        const algorithm = info.whole(Tag.sequence);
        const key = info.whole(Tag.bitString);
        return decodeDer(algorithm, (outer) =>
          outer.sequence((identifier) => {
            const isDsa = identifier.oid() === DSA;
            const hasParameters = identifier.remaining > 0;
            if (hasParameters) identifier.whole();
            return isDsa ? { algorithm, key, hasParameters } : undefined;
          }),
        );
      }),
    );
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

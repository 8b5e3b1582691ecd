import { DecodeError, type DerReader, decodeDer } from '@testudo/codec';
import { CertificateError } from './errors.ts';
import type { Extension } from './extensions.ts';

/** One value that fills `bytes`. Throws {@link CertificateError} `malformed` only: `not a CRL: …`. */
export function parseDer<T>(what: string, bytes: Uint8Array, read: (reader: DerReader) => T): T {
  try {
    return decodeDer(bytes, read);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CertificateError('malformed', `not ${what}: ${error.message}`, undefined, error);
  }
}

/** The value of an extension, or undefined when there is none. Throws {@link CertificateError} `malformed`. */
export function parseExtension<T>(
  extension: Extension | undefined,
  name: string,
  read: (reader: DerReader) => T,
): T | undefined {
  return extension && parseDer(`an extension ${name}`, extension.value, read);
}

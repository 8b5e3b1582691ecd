import { type Codec, opaque, struct, uint16 } from '@testudo/codec';

/** A signature (RFC 5246 §4.7). */
export interface DigitallySigned {
  /** SignatureScheme; undefined before TLS 1.2, where the kind of the key decided. */
  readonly algorithm: number | undefined;
  readonly signature: Uint8Array;
}

const named: Codec<{ algorithm: number; signature: Uint8Array }> = struct({
  algorithm: uint16,
  signature: opaque(2),
});

const unnamed: Codec<{ signature: Uint8Array }> = struct({ signature: opaque(2) });

/** @param namesScheme false before TLS 1.2 */
export function digitallySigned(namesScheme: boolean): Codec<DigitallySigned> {
  if (namesScheme) return named as Codec<DigitallySigned>;
  return {
    read: (reader) => ({ algorithm: undefined, ...unnamed.read(reader) }),
    write: (writer, value) => unnamed.write(writer, value),
  };
}

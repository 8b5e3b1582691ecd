import type { CertificateCompression } from '../certificates/types.ts';

/** zlib (RFC 1950) by the streams that browsers, workers and Node have (`CompressionStream`). */
export const zlibCertificates: CertificateCompression = {
  name: 'zlib',
  compress: (data) => through(new CompressionStream('deflate'), data, Number.POSITIVE_INFINITY),
  decompress: (data, length) => through(new DecompressionStream('deflate'), data, length),
};

/** All that comes out; rejects when it is more than `most` bytes, and then reads no further. */
async function through(
  stream: CompressionStream | DecompressionStream,
  data: Uint8Array,
  most: number,
): Promise<Uint8Array> {
  const reader = stream.readable.getReader();
  const writer = stream.writable.getWriter();
  // What fails here fails there, too.
  writer.write(data as Uint8Array<ArrayBuffer>).catch(() => {});
  writer.close().catch(() => {});
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); next.done !== true; next = await reader.read()) {
    const chunk = next.value as Uint8Array;
    length += chunk.length;
    if (length > most) {
      await reader.cancel();
      throw new RangeError(`more than ${most} bytes`);
    }
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

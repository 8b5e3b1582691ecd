import * as zlib from 'node:zlib';
import type { CertificateCompression } from '../../certificates/types.ts';

/** zlib (RFC 1950), by `node:zlib`. At once: a chain takes microseconds, and ours is compressed once only. */
export const zlibCertificates: CertificateCompression = {
  name: 'zlib',
  compress: (data) => plain(zlib.deflateSync(data, { level: 9 })),
  decompress: (data, length) => plain(zlib.inflateSync(data, { maxOutputLength: length })),
};

/** Brotli (RFC 7932), by `node:zlib`: what Chromium offers. */
export const brotliCertificates: CertificateCompression = {
  name: 'brotli',
  compress: (data) =>
    plain(
      zlib.brotliCompressSync(data, { params: { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: data.length } }),
    ),
  decompress: (data, length) => plain(zlib.brotliDecompressSync(data, { maxOutputLength: length })),
};

/** Zstandard (RFC 8878), by `node:zlib`; undefined before Node 22.15 and 23.8. */
export const zstdCertificates: CertificateCompression | undefined = zstd(zlib as unknown as Partial<Zstd>);

/** All that this Node has, by preference: `certificateCompression: certificateCompressions`. */
export const certificateCompressions: readonly CertificateCompression[] = [
  ...(zstdCertificates === undefined ? [] : [zstdCertificates]),
  brotliCertificates,
  zlibCertificates,
];

/** What the types of Node 20 do not know. */
interface Zstd {
  zstdCompressSync(data: Uint8Array): Buffer;
  zstdDecompressSync(data: Uint8Array, options: { readonly maxOutputLength: number }): Buffer;
}

function zstd({ zstdCompressSync, zstdDecompressSync }: Partial<Zstd>): CertificateCompression | undefined {
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  return {
    name: 'zstd',
    compress: (data) => plain(zstdCompressSync(data)),
    decompress: (data, length) => plain(zstdDecompressSync(data, { maxOutputLength: length })),
  };
}

/** A Buffer's slice shares its memory, an array's does not. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

import { bytesEqual, concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import type { CertificateCompression } from '@testudo/tls';
import type { ConnectionFlags } from './flags.ts';

/** The first two bytes of every Certificate that a server sends, and an arbitrary string: as in the runner. */
const SHRINKING_PREFIX = Uint8Array.of(0, 0);
const EXPANDING_PREFIX = Uint8Array.of(1, 2, 3, 4);

/** The runner's own algorithms, by BoringSSL's preference. */
const ALGORITHMS: readonly (CertificateCompression & { readonly id: number })[] = [
  {
    name: 'expanding',
    id: 0xff02,
    compress: (data) => concat(EXPANDING_PREFIX, data),
    decompress: (data) => withoutPrefix(data, EXPANDING_PREFIX),
  },
  {
    name: 'shrinking',
    id: 0xff01,
    compress: (data) => withoutPrefix(data, SHRINKING_PREFIX),
    decompress: (data) => concat(SHRINKING_PREFIX, data),
  },
  {
    name: 'random',
    id: 0xff03,
    compress: (data) => concat(nodeCrypto.randomBytes(1), data),
    decompress: (data) => data.subarray(1),
  },
];

/** How certificates may be compressed, as the flags say. */
export function certificateCompressions(flags: ConnectionFlags): readonly CertificateCompression[] {
  if (flags.has('install-cert-compression-algs')) return ALGORITHMS;
  const one = flags.number('install-one-cert-compression-alg');
  return ALGORITHMS.filter(({ id }) => id === one);
}

function withoutPrefix(data: Uint8Array, prefix: Uint8Array): Uint8Array {
  if (bytesEqual(data.subarray(0, prefix.length), prefix)) return data.subarray(prefix.length);
  throw new RangeError('another prefix');
}

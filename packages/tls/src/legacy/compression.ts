import {
  Z_BUF_ERROR,
  Z_OK,
  Z_STREAM_END,
  Z_SYNC_FLUSH,
  ZStream,
  zlibDeflate,
  zlibDeflateInit,
  zlibInflate,
  zlibInflateInit,
} from 'pako';
import { MAX_EXPANSION, type RecordCompression } from '../record/compression.ts';
import { MAX_PLAINTEXT } from '../record/content-type.ts';

export type { RecordCompression } from '../record/compression.ts';

/**
 * DEFLATE for records up to TLS 1.2 (RFC 3749), one stream for all records of a direction, flushed after each. How long a
 * record is then tells whether it repeats something that was sent before: who can make a client send what he likes, and sees
 * the lengths, guesses the secrets beside it byte by byte (CRIME). That is why nobody compresses records any more (RFC 9325 §3.3),
 * and why this is for old devices and for showing the attack only.
 *
 * ```
 * import { deflate } from '@testudo/tls/legacy/compression';
 *
 * clientConfig({ dangerousCompression: deflate, maxVersion: 'TLSv1.2', ... });
 * ```
 */
export const deflate: RecordCompression = { method: 1, compressor, decompressor };

const DEFAULT_LEVEL = -1;

function compressor(): (content: Uint8Array) => Uint8Array {
  const stream = new ZStream();
  zlibDeflateInit(stream, DEFAULT_LEVEL);
  return (content) => {
    const out = new Uint8Array(content.length + MAX_EXPANSION);
    feed(stream, content, out);
    // With room for everything there is nothing that can fail; no input and nothing to flush is no failure.
    zlibDeflate(stream, Z_SYNC_FLUSH);
    return out.subarray(0, stream.next_out);
  };
}

function decompressor(): (content: Uint8Array, most: number) => Uint8Array | undefined {
  const stream = new ZStream();
  zlibInflateInit(stream);
  const out = new Uint8Array(MAX_PLAINTEXT + 1);
  return (content, most) => {
    if (content.length === 0) return content;
    // One byte of room too many shows what is too long, without unpacking more of it.
    feed(stream, content, out.subarray(0, most + 1));
    const status = zlibInflate(stream, Z_SYNC_FLUSH);
    const isGood = status === Z_OK || status === Z_STREAM_END || status === Z_BUF_ERROR;
    if (!isGood || stream.avail_in > 0 || stream.next_out > most) return undefined;
    return stream.output.slice(0, stream.next_out);
  };
}

function feed(stream: ZStream, input: Uint8Array, output: Uint8Array<ArrayBuffer>): void {
  stream.input = input;
  stream.next_in = 0;
  stream.avail_in = input.length;
  stream.output = output;
  stream.next_out = 0;
  stream.avail_out = output.length;
}

import { DerReader, Tag } from '@testudo/codec';
import { nodeTypeError } from './errors.ts';

/**
 * The option `dhparam`: the finite field for DHE, which the engine takes from RFC 7919 only, as primes of one's own
 * cannot be told from weak ones (Logjam). So the smallest of those that is as large as the given one is used; undefined
 * for `auto`, and, as in Node, for what cannot be read. Throws `ERR_INVALID_ARG_VALUE` below 1024 bits, and warns below
 * 2048, as Node does.
 */
export function finiteFieldFor(dhparam: string | NodeJS.ArrayBufferView | undefined): string | undefined {
  if (!dhparam || dhparam === 'auto') return undefined;
  const bits = primeBits(dhparam);
  if (bits === undefined) return undefined;
  if (bits < 1024) throw nodeTypeError('ERR_INVALID_ARG_VALUE', 'DH parameter is less than 1024 bits');
  if (bits < 2048) process.emitWarning('DH parameter is less than 2048 bits', 'SecurityWarning');
  const size = FIELDS.find((field) => field >= bits) ?? FIELDS.at(-1);
  return `ffdhe${size}`;
}

/** In bits. The two largest cost a server a quarter of a second for each handshake. */
const FIELDS = [2048, 3072, 4096];

const PEM = /-----BEGIN ((?:X9\.42 )?DH PARAMETERS)-----([\s\S]*?)-----END \1-----/;

/** DHParameter (PKCS #3 §9) or DomainParameters (RFC 3279 §2.3.3): the prime comes first in both. */
function primeBits(dhparam: string | NodeJS.ArrayBufferView): number | undefined {
  const text =
    typeof dhparam === 'string'
      ? dhparam
      : Buffer.from(dhparam.buffer, dhparam.byteOffset, dhparam.byteLength).toString('latin1');
  const [, base64] = PEM.exec(text)?.slice(1) ?? [];
  if (base64 === undefined) return undefined;
  try {
    const prime = new DerReader(new Uint8Array(Buffer.from(base64, 'base64'))).enter(Tag.sequence).integer();
    return prime.toString(2).length;
  } catch {
    return undefined;
  }
}

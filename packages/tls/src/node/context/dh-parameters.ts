import { DerReader, Tag } from '@testudo/codec';
import { checkTextOrBytes } from '../errors/arguments.ts';
import { nodeTypeError } from '../errors/errors.ts';
import { isUnreadable, PemReader } from '../material/openssl-pem.ts';

/**
 * The option `dhparam`: the finite field for DHE, which the engine takes from RFC 7919 only, as primes of one's own
 * cannot be told from weak ones (Logjam). So the smallest of those that is as large as the given one is used; undefined
 * for `auto`, and, as in Node, for what cannot be read. Throws `ERR_INVALID_ARG_VALUE` below 1024 bits, and warns below
 * 2048, as Node does.
 */
export function finiteFieldFor(
  dhparam: string | NodeJS.ArrayBufferView | null | undefined,
): string | undefined {
  if (dhparam === undefined || dhparam === null) return undefined;
  checkTextOrBytes('options.dhparam', dhparam);
  if (dhparam === 'auto') return undefined;
  const bits = primeBits(dhparam);
  if (bits === undefined) return undefined;
  if (bits < 1024) throw nodeTypeError('ERR_INVALID_ARG_VALUE', 'DH parameter is less than 1024 bits');
  if (bits < 2048) process.emitWarning('DH parameter is less than 2048 bits', 'SecurityWarning');
  const size = FIELDS.find((field) => field >= bits) ?? FIELDS.at(-1);
  return `ffdhe${size}`;
}

/** In bits. The two largest cost a server a quarter of a second for each handshake. */
const FIELDS = [2048, 3072, 4096];

/** DHParameter (PKCS #3 §9) or DomainParameters (RFC 3279 §2.3.3): the prime comes first in both. */
function primeBits(dhparam: string | NodeJS.ArrayBufferView): number | undefined {
  try {
    const block = new PemReader(dhparam).next(['DH PARAMETERS', 'X9.42 DH PARAMETERS']);
    return block && new DerReader(block).enter(Tag.sequence).integer().toString(2).length;
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

import { nodeError } from '../errors/errors.ts';

/**
 * Protocol names, from an array of names or from ALPN's wire format, where each name follows its length.
 * Throws `ERR_OUT_OF_RANGE` for a name over 255 bytes, `ERR_INVALID_ARG_VALUE` for bytes that are not that format.
 */
export function readProtocols(
  protocols: readonly (string | Uint8Array)[] | NodeJS.ArrayBufferView | null | undefined,
): readonly string[] {
  if (!protocols) return NONE;
  if (ArrayBuffer.isView(protocols)) {
    return fromWire(new Uint8Array(protocols.buffer, protocols.byteOffset, protocols.byteLength));
  }
  // Servers in Node pass over what is neither.
  if (!Array.isArray(protocols)) return NONE;
  return (protocols as readonly (string | Uint8Array)[]).map((protocol, index) => {
    const name = latin1(typeof protocol === 'string' ? Buffer.from(protocol) : protocol);
    const { length } = name;
    if (length >= 1 && length <= 255) return name;
    const problem =
      length === 0 ? 'is zero. It must be >= 1' : 'exceeds the maximum length. It must be <= 255';
    const message = `The byte length of the protocol at index ${index} ${problem}. Received ${length}`;
    throw Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
  });
}

/** A client's. Throws a `TypeError` as Node does for what is neither of both. */
export function checkProtocolsType(protocols: unknown): void {
  if (!protocols || Array.isArray(protocols) || ArrayBuffer.isView(protocols)) return;
  throw new TypeError('Must give a Buffer as first argument');
}

const NONE: readonly string[] = [];

function fromWire(bytes: Uint8Array): string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes[at]!;
    if (end > bytes.length || end === at + 1) {
      throw nodeError('ERR_INVALID_ARG_VALUE', 'ALPNProtocols is not a list of names with their lengths');
    }
    names.push(latin1(bytes.subarray(at + 1, end)));
    at = end;
  }
  return names;
}

/** The engine keeps a name's bytes as Latin-1, so that every name survives. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

import { readFileSync } from 'node:fs';
import { DecodeError, decodePem, fromBase64 } from '@testudo/codec';
import { parseEchConfigList } from '@testudo/tls';
import { EXIT, Failure, systemReason } from '../failure.ts';
import { shown } from '../output/text.ts';

/** From a PEM file (RFC 9934), or the base64 of a DNS record. Throws a `Failure`. */
export function readEchConfigList(source: string): Uint8Array {
  const text = source.replace(/^ech=/, '').replace(/^"(.*)"$/, '$1');
  try {
    // A base64 text cannot be told from a file name: what is a list is one.
    const list = fromBase64OrUndefined(text) ?? pemList(source);
    parseEchConfigList(list);
    return list;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new Failure(
      `${shown(source, 60)}: this holds no ECHConfigList: ${error.message}`,
      EXIT.usage,
      error,
    );
  }
}

function fromBase64OrUndefined(text: string): Uint8Array | undefined {
  try {
    const bytes = fromBase64(text);
    return bytes.length > 4 ? bytes : undefined;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

function pemList(file: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    throw new Failure(
      `${shown(file, 60)} is neither base64 nor a file: ${systemReason(error)}`,
      EXIT.usage,
      error,
    );
  }
  const block = decodePem(text).find(({ label }) => label === 'ECHCONFIG');
  if (block === undefined) throw new Failure(`${file}: there is no ECHCONFIG in this file`, EXIT.usage);
  return block.bytes;
}

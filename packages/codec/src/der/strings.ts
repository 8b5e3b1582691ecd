import { ascii } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import { Tag, tagName } from './tags.ts';

/** True for the tags that {@link decodeDerString} takes. */
export function isStringTag(tag: number): boolean {
  switch (tag) {
    case Tag.utf8String:
    case Tag.printableString:
    case Tag.ia5String:
    case Tag.bmpString:
    case Tag.teletexString:
    case Tag.numericString:
    case Tag.visibleString:
    case Tag.universalString:
      return true;
    default:
      return false;
  }
}

/**
 * Text of a string type's content. Lenient where the world is: TeletexString is read as Latin-1, and a
 * PrintableString may hold any ASCII, since certificates hold `*`, `@` and `_` in it.
 * Throws {@link DecodeError} on bytes that are no characters of the type.
 */
export function decodeDerString(tag: number, content: Uint8Array, offset = 0): string {
  switch (tag) {
    case Tag.utf8String:
      return utf8Text(content, offset);
    case Tag.teletexString:
      return fixedWidth(content, 1, offset);
    case Tag.bmpString:
      return fixedWidth(content, 2, offset);
    case Tag.universalString:
      return fixedWidth(content, 4, offset);
    case Tag.printableString:
    case Tag.ia5String:
    case Tag.numericString:
    case Tag.visibleString:
      if (content.some((byte) => byte > 127))
        throw new DecodeError('bad-value', `a ${tagName(tag)} with a byte over 127`, offset);
      return ascii(content);
    default:
      throw new DecodeError('bad-value', `${tagName(tag)} where a string was expected`, offset);
  }
}

function utf8Text(content: Uint8Array, offset: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new DecodeError('bad-value', 'a UTF8String that is not UTF-8', offset);
  }
}

function fixedWidth(content: Uint8Array, width: 1 | 2 | 4, offset: number): string {
  if (content.length % width !== 0)
    throw new DecodeError(
      'bad-length',
      `a string of ${width}-byte characters with ${content.length} bytes`,
      offset,
    );
  let text = '';
  for (let i = 0; i < content.length; i += width) {
    let code = 0;
    for (let j = 0; j < width; j++) code = code * 256 + content[i + j]!;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw new DecodeError('bad-value', 'a string with an invalid character', offset + i);
    text += String.fromCodePoint(code);
  }
  return text;
}

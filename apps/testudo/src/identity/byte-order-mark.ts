/**
 * The bytes of a file as PEM readers take them: without a byte order mark, and UTF-8 where some editors and shells of Windows write
 * UTF-16. Anything else, such as DER, is as it was.
 */
export function withoutByteOrderMark(content: Uint8Array): Uint8Array {
  for (const [mark, encoding] of MARKS) {
    if (!mark.every((byte, i) => content[i] === byte)) continue;
    const rest = content.subarray(mark.length);
    return encoding === 'utf-8' ? rest : new TextEncoder().encode(new TextDecoder(encoding).decode(rest));
  }
  return content;
}

const MARKS: readonly (readonly [readonly number[], 'utf-8' | 'utf-16le' | 'utf-16be'])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];

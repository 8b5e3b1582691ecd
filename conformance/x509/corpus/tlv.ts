import { concat } from '@testudo/codec';

/** DER taken apart, so that it can be put together wrongly. Content of OCTET STRINGs is left whole. */
export interface Tlv {
  tag: number;
  content: Uint8Array;
  children: Tlv[] | undefined;
  /** How the length is written: as DER has it, with needless bytes, or not at all. */
  length: 'minimal' | 'padded' | 'indefinite';
}

export function parseTlv(bytes: Uint8Array): Tlv {
  return parseAll(bytes)[0]!;
}

function parseAll(bytes: Uint8Array): Tlv[] {
  const items: Tlv[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    let length = bytes[at + 1]!;
    let start = at + 2;
    if (length >= 0x80) {
      const width = length & 0x7f;
      length = 0;
      for (let i = 0; i < width; i++) length = length * 256 + bytes[start++]!;
    }
    const content = bytes.subarray(start, start + length);
    const children = tag & 0x20 ? parseAll(content) : undefined;
    items.push({ tag, content, children, length: 'minimal' });
    at = start + length;
  }
  return items;
}

export function writeTlv(node: Tlv): Uint8Array {
  const content = node.children === undefined ? node.content : concat(...node.children.map(writeTlv));
  if (node.length === 'indefinite')
    return concat(Uint8Array.of(node.tag, 0x80), content, Uint8Array.of(0, 0));
  return concat(Uint8Array.of(node.tag, ...lengthBytes(content.length, node.length === 'padded')), content);
}

/** All values in it, itself included, in the order of their bytes. */
export function allTlv(node: Tlv): Tlv[] {
  return [node, ...(node.children ?? []).flatMap(allTlv)];
}

function lengthBytes(length: number, isPadded: boolean): number[] {
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) digits.unshift(rest & 0xff);
  if (digits.length === 0) digits.push(0);
  if (isPadded) return length < 0x80 ? [0x81, length] : [0x80 | (digits.length + 1), 0, ...digits];
  return length < 0x80 ? [length] : [0x80 | digits.length, ...digits];
}

import type { TestEnd } from '#tls/testing';

/** What an attacker on the wire does with records of a block cipher, and what he needs for it: blocks of 16 bytes. */
export const BLOCK = 16;

/** Says whether a record was taken. */
export type Oracle = (record: Uint8Array) => 'taken' | string;

/** How an engine answers to a record: by its alert, or not at all. */
export function answerOf(end: TestEnd, record: Uint8Array): string {
  const before = end.data.length;
  end.connection.receive(record);
  if (end.data.length > before && end.errors.length === 0) return 'taken';
  const [error] = end.errors;
  return `${error?.code} ${error?.alert} ${end.take().length}`;
}

/** A record with its body cut into blocks. */
export function blocksOf(record: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 5; at + BLOCK <= record.length; at += BLOCK) blocks.push(record.slice(at, at + BLOCK));
  return blocks;
}

/** The same header with another body. */
export function withBlocks(record: Uint8Array, blocks: readonly Uint8Array[]): Uint8Array {
  const length = blocks.length * BLOCK;
  const changed = new Uint8Array(5 + length);
  changed.set(record.subarray(0, 3));
  changed[3] = length >> 8;
  changed[4] = length & 255;
  for (const [i, block] of blocks.entries()) changed.set(block, 5 + i * BLOCK);
  return changed;
}

export function xor(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts[0]!.length);
  for (const part of parts) for (const [i, byte] of part.entries()) out[i]! ^= byte;
  return out;
}

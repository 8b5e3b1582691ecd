import { describe, expect, test } from 'vitest';
import { SizeProbe } from './size-probe.ts';

function find(probe: SizeProbe, limit: number): { size: number; tries: number } {
  let tries = 0;
  for (let size = probe.next; size !== undefined; size = probe.next) {
    if (size <= limit) probe.answered();
    else probe.lost();
    tries++;
  }
  return { size: probe.size, tries };
}

describe('a probe of sizes', () => {
  test.each([1280, 1281, 1400, 1499, 1500])('finds %i', (limit) => {
    const { size, tries } = find(new SizeProbe(1280, 1500), limit);
    expect(size).toBe(limit);
    expect(tries).toBeLessThanOrEqual(9);
  });

  test('stays at the least when nothing more gets through', () => {
    expect(find(new SizeProbe(600, 1500), 100).size).toBe(600);
  });

  test('has nothing to try where least and most are the same', () => {
    const probe = new SizeProbe(600, 600);
    expect([probe.next, probe.size, probe.paddingFor(10)]).toEqual([undefined, 600, undefined]);
    probe.answered();
    probe.lost();
    expect(probe.size).toBe(600);
  });

  test('says how much padding makes a message of the size that is tried', () => {
    const probe = new SizeProbe(100, 300);
    // Type, length, payload, padding.
    expect(1 + 2 + 20 + probe.paddingFor(20)!).toBe(probe.next);
    expect(probe.paddingFor(5000)).toBe(16);
  });
});

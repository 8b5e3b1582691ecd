import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test, vi } from 'vitest';
import type { Libcrypto } from './functions.ts';
import { KeyHandles } from './key-handles.ts';
import type { Native } from './native.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Counts what is alive, and tells of what is freed twice. */
function counting() {
  let last = 0;
  const alive = new Set<number>();
  const free = (address: number): number => {
    if (!alive.delete(address)) throw new Error(`${address} is freed, and was not alive`);
    return 0;
  };
  const make = (): number => {
    alive.add(++last);
    return last;
  };
  const lib = { EVP_PKEY_free: free, EVP_PKEY_CTX_free: free } as Partial<Libcrypto>;
  const handles = new KeyHandles({ lib } as Native);
  return { handles, make, alive };
}

afterEach(() => void vi.restoreAllMocks());

test('a key is loaded once for as long as it is alive', () => {
  const { handles, make, alive } = counting();
  const owner = {};
  const handle = handles.get(owner, make)!;
  expect(handles.get(owner, () => expect.unreachable())).toBe(handle);
  expect([...alive]).toEqual([handle.key]);
});

test('what cannot be loaded has no handle, and is tried again', () => {
  const { handles, make } = counting();
  const owner = {};
  expect(handles.get(owner, () => 0)).toBeUndefined();
  expect(() =>
    handles.get(owner, () => {
      throw new Error('not here');
    }),
  ).toThrow('not here');
  expect(handles.size).toBe(0);
  expect(handles.get(owner, make)).toBeDefined();
});

test('no more than 256 are alive, contexts are freed with their keys, and the recent ones stay', () => {
  const { handles, make, alive } = counting();
  const [often, owners] = [{}, Array.from({ length: 2000 }, () => ({}))];
  let loads = 0;
  for (const owner of owners) {
    handles.get(owner, make)!.contexts.set('ecdsa', make());
    handles.get(often, () => {
      loads++;
      return make();
    });
    expect(handles.size).toBeLessThanOrEqual(256);
  }
  expect(loads).toBe(1);
  expect(alive.size).toBeLessThanOrEqual(2 * 256);
});

test('an owner that comes again and again is registered once', () => {
  const register = vi.spyOn(FinalizationRegistry.prototype, 'register');
  const { handles, make, alive } = counting();
  const owners = Array.from({ length: 300 }, () => ({}));
  for (let round = 0; round < 5; round++) for (const owner of owners) handles.get(owner, make);
  expect(register).toHaveBeenCalledTimes(300);
  expect(alive.size).toBe(256);
});

test('a handle that was made room of has no contexts of the key before', () => {
  const { handles, make } = counting();
  const owner = {};
  handles.get(owner, make)!.contexts.set('ecdsa', make());
  for (let i = 0; i < 600; i++) handles.get({}, make);
  expect(handles.get(owner, make)!.contexts.size).toBe(0);
});

test('loading may itself ask for the same owner', () => {
  const { handles, make, alive } = counting();
  const owner = {};
  const handle = handles.get(owner, () => {
    handles.get(owner, make);
    return make();
  })!;
  expect([...alive]).toEqual([handle.key]);
});

test('keys are freed when their owners are collected', async () => {
  const { handles, make, alive } = counting();
  for (let i = 0; i < 100; i++) handles.get({}, make)!.contexts.set('ecdsa', make());
  const kept = {};
  const { key } = handles.get(kept, make)!;
  await vi.waitFor(
    async () => {
      gc();
      await new Promise(setImmediate);
      expect([...alive]).toEqual([key]);
    },
    { timeout: 30_000 },
  );
  expect(handles.get(kept, () => expect.unreachable())?.key).toBe(key);
});

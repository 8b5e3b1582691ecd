import { createRequire } from 'node:module';
import { type CType, FUNCTIONS, type Libcrypto } from './functions.ts';
import { type Cell, NativeMemory, type Place } from './memory.ts';

/** libcrypto and the memory that its calls go through: one for each thread. */
export interface Native {
  readonly lib: Libcrypto;
  readonly memory: NativeMemory;
  /** For the pointer or length that a call gives back: to be read right after the call. */
  readonly result: Cell;
}

/**
 * The libcrypto that this Node carries, through koffi. Throws an Error that says in one line why not: no koffi for this system,
 * addons forbidden, a runtime whose libcrypto is another one, a function missing.
 */
export function openNative(): Native {
  // Bun, Deno and Electron carry BoringSSL, or nothing: what looks like OpenSSL there is not what was tested.
  for (const other of ['bun', 'deno', 'electron'])
    if (process.versions[other] !== undefined) throw new Error(`${other} does not carry OpenSSL`);
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  if (koffi.sizeof('void *') !== 8 || koffi.sizeof('size_t') !== 8 || !isLittleEndian())
    throw new Error('only 64-bit little-endian systems are supported');
  const lib = declare(koffi.load(null));
  const version = `${lib.OPENSSL_version_major()}.${lib.OPENSSL_version_minor()}.`;
  // The process may hold a second libcrypto, of another addon: only Node's own was tested with this Node.
  if (!version.startsWith('3.') || !process.versions.openssl?.startsWith(version))
    throw new Error(`libcrypto is ${version}x, and this Node's OpenSSL ${process.versions.openssl}`);
  if (!hasPlainAddresses(lib, koffi)) throw new Error('addresses are tagged here, and no numbers');
  const memory = new NativeMemory((bytes) => Number(koffi.address(bytes)));
  return { lib, memory, result: memory.cell() };
}

/** What is used of koffi. */
interface Koffi {
  load(path: null): { func(name: string, result: string, parameters: readonly string[]): unknown };
  sizeof(type: string): number;
  address(value: Uint8Array): bigint;
}

const C_TYPES: Readonly<Record<CType, string>> = {
  pointer: 'uintptr_t',
  int: 'int',
  uint: 'unsigned int',
  size: 'size_t',
  long: 'long',
  void: 'void',
};

/** Throws koffi's error, which names the function, when one is missing. */
function declare(library: ReturnType<Koffi['load']>): Libcrypto {
  const declared = Object.entries(FUNCTIONS).map(([name, [result, ...parameters]]) => [
    name,
    library.func(
      name,
      C_TYPES[result],
      parameters.map((type: CType) => C_TYPES[type]),
    ),
  ]);
  return Object.fromEntries(declared) as Libcrypto;
}

/** The most bytes that a function takes whose length is a C `int`: koffi would make a negative number of more. */
export const MAX_INT = 0x7fff_ffff;

/** Some systems mark allocations in the highest bits of their addresses, which a number cannot hold. koffi gives a bigint then. */
function hasPlainAddresses(lib: Libcrypto, koffi: Koffi): boolean {
  const allocated: unknown = lib.EVP_MD_CTX_new();
  if (typeof allocated !== 'number') return false;
  lib.EVP_MD_CTX_free(allocated);
  return Number.isSafeInteger(Number(koffi.address(new Uint8Array(1024))));
}

function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}

/** Puts short bytes where native code finds them. Throws a RangeError when they do not fit, which the caller has checked. */
export function put(place: Place, bytes: Uint8Array): number {
  place.bytes.set(bytes);
  return place.address;
}

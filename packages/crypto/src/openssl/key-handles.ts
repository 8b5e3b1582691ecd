import { isMainThread } from 'node:worker_threads';
import type { Native } from './native.ts';

/** A key of OpenSSL's, and contexts made for it. */
export interface KeyHandle {
  readonly key: number;
  /** By what they are for. Each keeps the key alive by itself. */
  readonly contexts: Map<string, number>;
}

/**
 * OpenSSL's keys for those of JavaScript. Each is freed when its owner is collected, or earlier when too many are alive: V8
 * does not see this memory and would wait too long. An owner that comes again is imported again.
 */
export class KeyHandles {
  readonly #native: Native;
  readonly #byOwner = new WeakMap<object, Handle>();
  /** The oldest first. */
  readonly #alive = new Set<Handle>();
  readonly #collected = new FinalizationRegistry<Handle>((handle) => this.#free(handle));

  constructor(native: Native) {
    this.#native = native;
    // The memory is the process's: nothing else frees it when a thread ends.
    if (!isMainThread)
      process.once('exit', () => {
        for (const handle of this.#alive) this.#free(handle);
      });
  }

  /** The handle of an owner, good until the next call. `load` gives a new key, or 0: then the answer is undefined. */
  get(owner: object, load: () => number): KeyHandle | undefined {
    const present = this.#byOwner.get(owner);
    if (present !== undefined && present.key !== 0) {
      present.isRecent = true;
      return present;
    }
    const key = load();
    if (key === 0) return undefined;
    const handle = this.#handleOf(owner);
    // What `load` ran may have come here for the same owner.
    this.#free(handle);
    if (this.#alive.size >= MOST) this.#makeRoom();
    handle.key = key;
    handle.isRecent = false;
    this.#alive.add(handle);
    return handle;
  }

  /** How many keys are alive. */
  get size(): number {
    return this.#alive.size;
  }

  /** One for as long as the owner lives, however often its key is freed and loaded: it is registered once. */
  #handleOf(owner: object): Handle {
    let handle = this.#byOwner.get(owner);
    if (handle === undefined) {
      handle = { key: 0, contexts: new Map(), isRecent: false };
      this.#byOwner.set(owner, handle);
      this.#collected.register(owner, handle);
    }
    return handle;
  }

  /** Frees the oldest that was not used since this was last asked about it. */
  #makeRoom(): void {
    for (const handle of this.#alive) {
      if (!handle.isRecent) {
        this.#free(handle);
        return;
      }
      handle.isRecent = false;
      this.#alive.delete(handle);
      this.#alive.add(handle);
    }
  }

  #free(handle: Handle): void {
    if (!this.#alive.delete(handle)) return;
    const { lib } = this.#native;
    for (const context of handle.contexts.values()) lib.EVP_PKEY_CTX_free(context);
    handle.contexts.clear();
    lib.EVP_PKEY_free(handle.key);
    handle.key = 0;
  }
}

interface Handle extends KeyHandle {
  /** 0 when it was freed. */
  key: number;
  /** Since the last time that room was made. */
  isRecent: boolean;
}

/** Keys alive at most, of a few kilobytes each. */
const MOST = 256;

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileNameOf } from '../identity/local-authority.ts';
import { makePrivateFolder, writePrivateFile } from '../identity/private-files.ts';

/** Longest file that is read, in characters. */
const LONGEST = 2_048;

/**
 * Answers to challenges in a folder: a CA may come to any of the gateways that share it, also to one that has not ordered
 * anything.
 */
export class SharedAnswers {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  put(kind: 'http' | 'tls', key: string, answer: string): void {
    makePrivateFolder(this.#folder);
    writePrivateFile(this.#file(kind, key), answer);
  }

  remove(kind: 'http' | 'tls', key: string): void {
    rmSync(this.#file(kind, key), { force: true });
  }

  /** Undefined when there is none. */
  get(kind: 'http' | 'tls', key: string): string | undefined {
    try {
      const text = readFileSync(this.#file(kind, key), 'utf8');
      return text.length <= LONGEST ? text : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keys come from whoever connects: they are made names of files, and none leads elsewhere. */
  #file(kind: 'http' | 'tls', key: string): string {
    return join(this.#folder, `${kind}-${fileNameOf(key)}`);
  }
}

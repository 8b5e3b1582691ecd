import { CertificateError } from '../errors.ts';

/** How much work a file may demand before its password is known to be right: its author chooses the counts. */
export interface PasswordLimits {
  /**
   * Steps of a hash that all derivations for one file may take together: iterations times blocks of output, and
   * 2 · N · r · p for scrypt. Default 10,000,000, some seconds at most with OpenSSL.
   */
  readonly steps?: number | undefined;
  /** Bytes of memory that scrypt may take. Default 256 MiB. */
  readonly memory?: number | undefined;
}

/** Counts down; throws {@link CertificateError} `budget-exceeded`. */
export class PasswordWork {
  readonly #memory: number;
  #steps: number;

  constructor(limits: PasswordLimits = {}) {
    this.#steps = limits.steps ?? 10_000_000;
    this.#memory = limits.memory ?? 256 * 1024 * 1024;
  }

  spend(steps: number, memory = 0): void {
    this.#steps -= steps;
    if (this.#steps >= 0 && memory <= this.#memory) return;
    throw new CertificateError(
      'budget-exceeded',
      'trying the password would take more work than is allowed; raise the limit if you trust the file',
    );
  }
}

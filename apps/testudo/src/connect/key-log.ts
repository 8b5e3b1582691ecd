import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs';
import { toHex } from '@testudo/codec';
import type { Observer } from '@testudo/tls';
import { EXIT, Failure, systemReason } from '../failure.ts';

/** Appends a connection's secrets to a file that Wireshark reads (RFC 9850). Whoever has it reads the connection. */
export class KeyLog implements Observer {
  readonly #descriptor: number;

  /** A new file is for its owner's eyes only. Throws a `Failure`. */
  constructor(file: string) {
    try {
      this.#descriptor = openSync(file, 'a', 0o600);
      if (fstatSync(this.#descriptor).size === 0) fchmodSync(this.#descriptor, 0o600);
    } catch (error) {
      throw new Failure(`cannot write the key log ${file}: ${systemReason(error)}`, EXIT.usage, error);
    }
  }

  secret(label: string, clientRandom: Uint8Array, secret: Uint8Array): void {
    writeSync(this.#descriptor, `${label} ${toHex(clientRandom)} ${toHex(secret)}\n`);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

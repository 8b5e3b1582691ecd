import type { TestEnd } from './end.ts';

export type Side = 'client' | 'server';

/** What the wire does to bytes that `from` sent: the chunks that arrive. Nothing is lost by default. */
export type Wire = (bytes: Uint8Array, from: Side) => readonly Uint8Array[];

const straight: Wire = (bytes) => [bytes];

/** One byte at a time. */
export const byteByByte: Wire = (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte));

/** A client and a server of the engine, joined by a wire in memory. */
export class Pair {
  readonly client: TestEnd;
  readonly server: TestEnd;
  readonly wire: Wire;

  constructor(client: TestEnd, server: TestEnd, wire: Wire = straight) {
    this.client = client;
    this.server = server;
    this.wire = wire;
    server.connection.start();
    client.connection.start();
  }

  /** Carries bytes both ways until neither side has any. */
  pump(): this {
    while (this.carry('client') || this.carry('server'));
    return this;
  }

  /** Carries what one side has; false when it has nothing. */
  carry(from: Side): boolean {
    const bytes = this[from].take();
    if (bytes.length === 0) return false;
    const to = from === 'client' ? this.server : this.client;
    for (const chunk of this.wire(bytes, from)) {
      // The owner's duty after every call: take what is to be sent. Here it stays in the connection till then.
      to.connection.receive(chunk);
    }
    return true;
  }

  /** As {@link pump}, with time for answers that come later. */
  async settle(): Promise<this> {
    for (let turn = 0; turn < 40; turn++) {
      this.pump();
      await Promise.resolve();
    }
    return this.pump();
  }
}

/** Cuts bytes into whole records; a rest that is none stands last. */
export function splitRecords(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + ((bytes[at + 3]! << 8) | bytes[at + 4]!);
    records.push(bytes.subarray(at, end));
    at = end;
  }
  return records;
}

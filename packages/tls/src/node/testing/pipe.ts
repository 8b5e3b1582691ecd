import { Duplex } from 'node:stream';

/** One end of a pipe in memory that is no socket: it takes a turn for each chunk, and holds back when asked to. */
export class PipeEnd extends Duplex {
  other!: PipeEnd;
  #wanted: (() => void) | undefined;

  override _read(): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.other.deliver(chunk, () => setImmediate(callback));
  }

  override _final(callback: () => void): void {
    this.other.deliver(null, () => callback());
  }

  /** The other end notices a turn later. */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    setImmediate(() => this.other.destroy());
    callback(error);
  }

  deliver(chunk: Buffer | null, done: () => void): void {
    if (this.push(chunk) || chunk === null) done();
    else this.#wanted = done;
  }
}

export function pipe(): [PipeEnd, PipeEnd] {
  // TLS on it ends as it would, and by itself.
  const options = { allowHalfOpen: false };
  const ends: [PipeEnd, PipeEnd] = [new PipeEnd(options), new PipeEnd(options)];
  [ends[0].other, ends[1].other] = [ends[1], ends[0]];
  return ends;
}

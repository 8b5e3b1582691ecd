import type { TlsError } from '@testudo/tls';
import type { Io } from '../io.ts';
import type { Wire } from './wire.ts';

/**
 * Standard input to the server, the server's data to standard output, each at the other's pace. Ends when the server
 * does. After the end of input it waits as long as data comes, and `quiet` milliseconds more. Resolves with the
 * failure, if there was one.
 */
export function passThrough(
  wire: Wire,
  io: Pick<Io, 'stdin' | 'stdout'>,
  quiet: number,
): Promise<TlsError | undefined> {
  const { stdin, stdout } = io;
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let inputEnded = false;
    let isDone = false;
    // Closing makes the wire call us again.
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      stdin.off('data', onInput).off('end', onInputEnd).off('error', onInputEnd);
      stdin.pause();
      stdout.off('error', onOutputGone);
      if (!inputEnded && wire.failure === undefined) wire.close();
      resolve(wire.failure);
    };
    const waitAgain = (): void => {
      clearTimeout(timer);
      timer = setTimeout(done, quiet);
    };
    const onInput = (chunk: Uint8Array): void => {
      if (wire.isOver || wire.send(chunk)) return;
      stdin.pause();
      wire.onceDrained(() => stdin.resume());
    };
    const onInputEnd = (): void => {
      inputEnded = true;
      if (!wire.isOver) wire.close();
      waitAgain();
    };
    // Whoever read our output has gone: there is nothing left to do.
    const onOutputGone = (): void => done();
    stdin.on('data', onInput).on('end', onInputEnd).on('error', onInputEnd);
    stdout.on('error', onOutputGone);
    wire.listen(() => {
      if (isDone) return;
      for (const bytes of wire.take()) {
        if (stdout.write(bytes)) continue;
        wire.pause();
        stdout.once('drain', () => wire.resume());
      }
      if (wire.isOver) done();
      else if (inputEnded) waitAgain();
    });
  });
}

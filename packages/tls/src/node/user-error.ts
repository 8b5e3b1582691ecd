import { TlsError } from '../errors.ts';
import { setCounterpart } from './errors.ts';

/** Runs a user's callback. What it throws is an uncaught exception, as any handler's, and fails the handshake. */
export function callOut(name: string, call: () => void, reject: (error: Error) => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(rethrow, error);
    reject(userError(name, error instanceof Error ? error : new Error(String(error))));
  }
}

/**
 * What a user's function calls with an error or a value. The first answer counts: another one changes nothing, nor does it
 * end a connection that is long at work. (Node destroys the socket with `ERR_MULTIPLE_CALLBACK`.) A value that cannot be
 * taken fails the handshake, and not the caller.
 */
export function answering<T>(
  name: string,
  take: (value: T | null | undefined) => void,
  reject: (error: Error) => void,
): (error: Error | null | undefined, value?: T | null) => void {
  let isFirst = true;
  return (error, value) => {
    if (!isFirst) return;
    isFirst = false;
    try {
      if (error) reject(userError(name, error));
      else take(value);
    } catch (problem) {
      reject(userError(name, problem as Error));
    }
  };
}

function rethrow(error: unknown): void {
  throw error;
}

/** The user's own error comes out of the socket again, as in Node. */
export function userError(name: string, error: Error): TlsError {
  return setCounterpart(
    new TlsError('internal-error', `${name} failed: ${error.message}`, { cause: error }),
    error,
  );
}

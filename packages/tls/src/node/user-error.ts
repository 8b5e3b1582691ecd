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

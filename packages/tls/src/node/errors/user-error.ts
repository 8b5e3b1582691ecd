import type { Duplex } from 'node:stream';
import { TlsError } from '../../errors.ts';
import { multipleCallback, setCounterpart } from './errors.ts';

/** Runs a user's callback. What it throws fails the handshake, and is told as its error, as in Node. */
export function callOut(name: string, call: () => void, reject: (error: Error) => void): void {
  try {
    call();
  } catch (error) {
    reject(userError(name, error instanceof Error ? error : new Error(String(error))));
  }
}

/**
 * What a user's function calls with an error or a value. The first answer counts: another one ends the connection with
 * `ERR_MULTIPLE_CALLBACK`, however long it has been at work, as in Node; one that is ending already ends as it would. A value
 * that cannot be taken fails the handshake, and not the caller.
 */
export function answering<T>(
  name: string,
  socket: Pick<Duplex, 'destroy'>,
  take: (value: T | null | undefined) => void,
  reject: (error: Error) => void,
): (error: Error | null | undefined, value?: T | null) => void {
  let state: 'open' | 'answered' | 'refused' = 'open';
  const refuse = (error: Error): void => {
    state = 'refused';
    reject(userError(name, error));
  };
  return (error, value) => {
    if (state !== 'open') {
      if (state === 'answered') socket.destroy(multipleCallback());
      return;
    }
    state = 'answered';
    try {
      if (error) refuse(error);
      else take(value);
    } catch (problem) {
      refuse(problem as Error);
    }
  };
}

/** The user's own error comes out of the socket again, as in Node, and the peer hears nothing of it. */
export function userError(name: string, error: Error): TlsError {
  const made = new TlsError('internal-error', `${name} failed: ${error.message}`, { cause: error });
  ofUsers.add(made);
  return setCounterpart(made, error);
}

/** Whether it is this program's own failure, for which the peer gets no alert. */
export function isOfUser(error: TlsError): boolean {
  return ofUsers.has(error);
}

const ofUsers = new WeakSet<TlsError>();

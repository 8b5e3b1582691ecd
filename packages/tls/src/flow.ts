import type { Requests } from './requests.ts';

/**
 * What a handshake is: a generator that reads like the RFC's message flow and suspends only for what can take
 * time. It yields a typed request and is resumed with the answer.
 */
export type Flow<R> = Generator<Request, R, unknown>;

/** One of the {@link Requests}, named. */
export type Request = {
  [Op in keyof Requests]: { readonly op: Op; readonly ask: Requests[Op]['ask'] };
}[keyof Requests];

/** Suspends the flow until the request is answered. The one place where an answer gets its type. */
export function* perform<Op extends keyof Requests>(
  op: Op,
  ask: Requests[Op]['ask'],
): Flow<Requests[Op]['answer']> {
  return (yield { op, ask } as Request) as Requests[Op]['answer'];
}

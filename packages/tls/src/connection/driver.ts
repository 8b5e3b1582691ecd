import type { Flow, Request } from '../flow.ts';
import type { Services } from '../requests.ts';

/** Runs a flow: steps it on, serves what it asks, and remembers what it waits for. */
export class Driver<R> {
  readonly #flow: Flow<R>;
  readonly #services: Services;
  readonly #onAnswer: (resume: () => void) => void;
  #waitsFor: 'message' | 'changeCipherSpec' | 'answer' | 'nothing' = 'nothing';
  #result: { readonly value: R } | undefined;
  #running = false;
  #aborted = false;

  /** @param onAnswer called with what resumes the flow, when an answer came later. */
  constructor(flow: Flow<R>, services: Services, onAnswer: (resume: () => void) => void) {
    this.#flow = flow;
    this.#services = services;
    this.#onAnswer = onAnswer;
  }

  /** What the flow waits for. */
  get waitsFor(): 'message' | 'changeCipherSpec' | 'answer' | 'nothing' {
    return this.#waitsFor;
  }

  /** The flow's end; undefined while it runs. */
  get result(): R | undefined {
    return this.#result?.value;
  }

  /** Starts the flow, or resumes it with the answer it waits for. Throws what the flow throws. */
  resume(answer: unknown): void {
    this.#run(() => this.#flow.next(answer));
  }

  /** Tells a flow that waits for a message that none comes. Throws the error unless the flow goes on without. */
  interrupt(error: Error): void {
    this.#run(() => this.#flow.throw(error));
  }

  /** Closes the flow: its `finally` blocks wipe secrets. An answer that comes later is dropped. */
  abort(): void {
    this.#waitsFor = 'nothing';
    this.#aborted = true;
    // A service or an observer may give up while the flow runs: it is closed as soon as it suspends.
    if (!this.#running) this.#flow.return(undefined as R);
  }

  #run(step: () => IteratorResult<Request, R>): void {
    this.#running = true;
    try {
      this.#runSteps(step);
    } finally {
      this.#running = false;
      if (this.#aborted) this.abort();
    }
  }

  #runSteps(step: () => IteratorResult<Request, R>): void {
    this.#waitsFor = 'nothing';
    let current = step();
    while (current.done !== true) {
      if (this.#aborted) return;
      const request = current.value;
      if (request.op === 'message' || request.op === 'changeCipherSpec') {
        this.#waitsFor = request.op;
        return;
      }
      this.#waitsFor = 'answer';
      const answer = this.#serve(request);
      if (answer instanceof Promise) {
        this.#resumeLater(answer);
        return;
      }
      this.#waitsFor = 'nothing';
      current = this.#flow.next(answer);
    }
    this.#waitsFor = 'nothing';
    this.#result = { value: current.value };
  }

  #serve(request: Exclude<Request, { op: 'message' | 'changeCipherSpec' }>): unknown {
    const serve = this.#services[request.op] as (ask: unknown) => unknown;
    return serve(request.ask);
  }

  #resumeLater(answer: Promise<unknown>): void {
    let isAnswered = false;
    const resume = (step: () => IteratorResult<Request, R>): void => {
      // A promise of the user's making may answer twice: then it is another request that waits.
      if (isAnswered || this.#waitsFor !== 'answer') return;
      isAnswered = true;
      this.#onAnswer(() => this.#run(step));
    };
    answer.then(
      (value) => resume(() => this.#flow.next(value)),
      (error) => resume(() => this.#flow.throw(error)),
    );
  }
}

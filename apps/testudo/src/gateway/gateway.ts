import type { Address } from '../config/address.ts';
import type { ListenerPlan, Plan } from '../config/plan.ts';
import { Failure, failures, messageOf } from '../failure.ts';
import type { Log } from '../output/log.ts';
import { identitiesOf, type PreparedListener, prepare } from './prepare.ts';

export interface RunningListener {
  readonly plan: ListenerPlan;
  /** With the real port. */
  readonly address: Address;
}

/** All listeners of a plan, running. */
export class Gateway {
  readonly #prepared: readonly PreparedListener[];
  readonly #dataFolder: string;
  readonly #log: Log;

  private constructor(prepared: readonly PreparedListener[], dataFolder: string, log: Log) {
    this.#prepared = prepared;
    this.#dataFolder = dataFolder;
    this.#log = log;
  }

  /**
   * Checks everything, takes all addresses, and only then serves. Throws a `Failure` with a line for each thing that is
   * wrong; then nothing runs, and no address is held.
   */
  static async start(plan: Plan, dataFolder: string, log: Log): Promise<Gateway> {
    const prepared = prepare(plan, dataFolder, log);
    const bound = await Promise.allSettled(prepared.map(({ listener }) => listener.bind()));
    const problems = bound.flatMap((result) =>
      result.status === 'rejected' ? [messageOf(result.reason)] : [],
    );
    if (problems.length > 0) {
      for (const { listener } of prepared) listener.destroy();
      throw failures(problems);
    }
    const gateway = new Gateway(prepared, dataFolder, log);
    for (const { listener, warnings } of prepared) {
      for (const warning of warnings) log.warn(warning);
      listener.serve();
    }
    return gateway;
  }

  get listeners(): RunningListener[] {
    return this.#prepared.map(({ plan, listener }) => ({ plan, address: listener.address }));
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#prepared.reduce((sum, { listener }) => sum + listener.connections, 0);
  }

  /** Reads all certificates again. A listener whose certificates cannot be used keeps those it has. */
  reload(): void {
    for (const { plan, endpoint } of this.#prepared) {
      try {
        const identities = identitiesOf(plan.certificates, this.#dataFolder);
        endpoint.replace(identities);
        for (const { identity } of identities) if (identity.warning) this.#log.warn(identity.warning);
        this.#log.info({ listener: plan.name }, 'certificates read again');
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.#log.error(
          { listener: plan.name, reason: error.message },
          'certificates not read again: the old ones stay',
        );
      }
    }
  }

  /** Stops accepting, lets open connections finish for at most `limit` milliseconds, then ends them. */
  async drain(limit: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limit);
    });
    await Promise.all(this.#prepared.map(({ listener }) => listener.drain(deadline)));
    clearTimeout(timer);
  }

  /** Ends everything at once. */
  destroy(): void {
    for (const { listener } of this.#prepared) listener.destroy();
  }
}

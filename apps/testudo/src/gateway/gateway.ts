import type { Certificate } from '@testudo/x509';
import type { AcmeCertificates, AcmeParts } from '../acme/acme-certificates.ts';
import type { Address } from '../config/address.ts';
import { changesBetween } from '../config/changes.ts';
import type { ListenerPlan, Plan } from '../config/plan.ts';
import { Failure, messageOf } from '../failure.ts';
import type { ServedIdentity } from '../identity/certificate-sources.ts';
import { OcspStaples } from '../identity/ocsp-staples.ts';
import { inspectListener } from '../inspection/inspect.ts';
import type { Listener } from '../listeners/listener.ts';
import type { Log } from '../output/log.ts';
import { certificateChanges } from './certificate-changes.ts';
import {
  acmeNamesOf,
  discardGeneration,
  type Generation,
  type GenerationParts,
  nextGeneration,
  shownBy,
} from './generation.ts';
import { httpsPortFor } from './https-port.ts';

export interface RunningListener {
  readonly plan: ListenerPlan;
  /** With the real port. */
  readonly address: Address;
}

/** What a test brings along: time and chance. */
export type GatewaySurroundings = Pick<AcmeParts, 'clock' | 'random'>;

/**
 * All listeners of a plan, running. What outlives a plan (staples, certificates from a CA, sessions, the listeners' sockets)
 * is handed from one generation to the next.
 */
export class Gateway {
  readonly #parts: GenerationParts;
  readonly #log: Log;
  /** What {@link inspect} has said. */
  readonly #told: Set<string> = new Set();
  /** Listeners that are not in the plan any more, with connections that are open. */
  readonly #leaving: Set<Listener> = new Set();
  #generation: Generation | undefined;
  #inspecting: NodeJS.Timeout | undefined;
  #wanted: (() => Plan) | undefined;
  #reloading: Promise<void> | undefined;
  #isEnding = false;
  /** What looks after certificates from a CA, or did so last. */
  #acme: AcmeCertificates | undefined;

  private constructor(dataFolder: string, log: Log, { clock, random }: GatewaySurroundings) {
    this.#log = log;
    const onRevoked = (leaf: Certificate): void => this.#running.sources.acme?.replaceRevoked(leaf);
    this.#parts = {
      dataFolder,
      log,
      clock,
      random,
      staples: new OcspStaples({ dataFolder, log, clock, onRevoked }),
      httpsPort: (host) => httpsPortFor(host, this.#running.prepared),
    };
  }

  /**
   * Checks everything, takes all addresses, and only then serves. Throws a `Failure` with a line for each thing that is
   * wrong; then nothing runs, and no address is held.
   */
  static async start(
    plan: Plan,
    dataFolder: string,
    log: Log,
    surroundings: GatewaySurroundings = {},
  ): Promise<Gateway> {
    const gateway = new Gateway(dataFolder, log, surroundings);
    const first = await nextGeneration(plan, gateway.#parts);
    gateway.#parts.staples.start();
    gateway.#serve(first);
    gateway.#inspecting = setInterval(() => gateway.inspect(), INSPECTION).unref();
    return gateway;
  }

  /** Where the plain HTTP listener for ACME is; undefined without one. */
  get httpAddress(): Address | undefined {
    return this.#running.http?.address;
  }

  get listeners(): RunningListener[] {
    return this.#running.prepared.map(({ plan, listener }) => ({ plan, address: listener.address }));
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#listeners.reduce((sum, { connections }) => sum + connections, 0);
  }

  /** How long open connections get at the end, in milliseconds. */
  get drainTime(): number {
    return this.#running.plan.drain;
  }

  /**
   * Reads everything again: the plan that `load` gives (default: the present one) and all files that it names. All of it
   * counts from the next connection on, or, when anything is wrong, none of it; the log says which. Open connections
   * keep what they have. Wishes that come while one is fulfilled become one. Never rejects.
   */
  reload(load: () => Plan = () => this.#running.plan): Promise<void> {
    this.#wanted = load;
    this.#reloading ??= this.#reloadAll().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** Says in the log what is wrong with certificates and lists, or will be soon: each thing once until a reload. */
  inspect(): void {
    for (const { plan, endpoint } of this.#running.prepared) {
      for (const text of findingsOf(plan, endpoint.identities)) {
        const line = `${plan.name}: ${text}`;
        if (this.#told.has(line)) continue;
        this.#told.add(line);
        this.#log.warn({ listener: plan.name }, text);
      }
    }
  }

  /** Stops accepting, lets open connections finish for at most `limit` milliseconds, then ends them. */
  async drain(limit: number): Promise<void> {
    this.#endLongTermWork();
    await Promise.all(this.#listeners.map((listener) => drained(listener, limit)));
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#endLongTermWork();
    for (const listener of this.#listeners) listener.destroy();
  }

  get #running(): Generation {
    return this.#generation!;
  }

  get #listeners(): Listener[] {
    return [...this.#running.prepared.map(({ listener }) => listener), ...this.#leaving];
  }

  async #reloadAll(): Promise<void> {
    while (this.#wanted !== undefined) {
      const load = this.#wanted;
      this.#wanted = undefined;
      try {
        await this.#reloadOnce(load);
      } catch (error) {
        for (const reason of messageOf(error).split('\n'))
          this.#log.error({ reason }, 'configuration and certificates not reloaded: nothing changes');
      }
    }
  }

  async #reloadOnce(load: () => Plan): Promise<void> {
    const before = this.#running;
    if (this.#isEnding) return this.#log.info(NOT_WHILE_ENDING);
    const level = this.#log.level;
    const next = await this.#make(load(), before).catch((error) => {
      this.#log.level = level;
      throw error;
    });
    if (this.#isEnding) {
      discardGeneration(next, this.#parts.staples, before);
      this.#log.level = level;
      return this.#log.info(NOT_WHILE_ENDING);
    }
    const changes = [
      ...changesBetween(before.plan, next.plan),
      ...certificateChanges(before.prepared, next.prepared),
    ];
    this.#serve(next, before);
    for (const { listener, text } of changes)
      this.#log.info(listener === undefined ? {} : { listener }, text);
    this.#log.info(
      { changes: changes.length },
      changes.length === 0
        ? 'configuration and certificates reloaded: nothing has changed'
        : 'configuration and certificates reloaded',
    );
  }

  #make(plan: Plan, before: Generation): Promise<Generation> {
    if (plan.logLevel !== before.plan.logLevel) this.#log.level = plan.logLevel;
    return nextGeneration(plan, this.#parts, before);
  }

  /** From here on nothing can fail: new connections get what is new. */
  #serve(next: Generation, before?: Generation): void {
    const { prepared, sources, http, plan } = next;
    // Nobody needs to know any more what was before what was before.
    this.#generation = { ...next, prepared: prepared.map((one) => ({ ...one, before: undefined })) };
    for (const one of prepared) {
      if (one.before === undefined) one.listener.serve();
      else one.listener.change(one.settings);
    }
    const kept = new Set(prepared.map(({ listener }) => listener));
    for (const { listener } of before?.prepared ?? []) if (!kept.has(listener)) this.#leave(listener);
    if (before?.http !== http) before?.http?.close();
    if (sources.acme !== undefined) http?.change(sources.acme.board);
    this.#succeed(sources.acme);
    this.#startAcme(acmeNamesOf(plan));
    this.#forgetStaples();
    this.#told.clear();
    this.inspect();
  }

  #leave(listener: Listener): void {
    this.#leaving.add(listener);
    void drained(listener, this.drainTime).then(() => this.#leaving.delete(listener));
  }

  /** One order at a time, also where the block `acme` has changed, was taken out, or is back. */
  #succeed(acme: AcmeCertificates | undefined): void {
    const before = this.#acme;
    if (before === acme) return;
    if (acme === undefined) void before?.retire();
    else {
      if (before !== undefined) acme.follow(before);
      this.#acme = acme;
    }
  }

  /** A new certificate is shown from the next connection on. */
  #startAcme(names: readonly (readonly string[])[]): void {
    const { acme } = this.#running.sources;
    if (acme === undefined) return;
    acme.onChange = (changed) => {
      const { prepared, sources } = this.#running;
      for (const { plan, endpoint } of prepared) {
        if (plan.certificates.some((one) => one.kind === 'acme' && one.names.join() === changed.join()))
          endpoint.replace(sources.identitiesOf(plan.certificates));
      }
      this.#forgetStaples();
    };
    acme.retain(names);
    acme.retry();
    acme.start();
  }

  /** Nobody asks about a certificate that is not shown any more. */
  #forgetStaples(): void {
    this.#parts.staples.retain(shownBy(this.#running.prepared));
  }

  #endLongTermWork(): void {
    this.#isEnding = true;
    clearInterval(this.#inspecting);
    this.#acme?.stop();
    this.#parts.staples.stop();
    this.#running.http?.close();
  }
}

const NOT_WHILE_ENDING = 'the gateway is ending: the configuration is not reloaded';

/** Milliseconds between two looks at what gets old. */
const INSPECTION = 3_600_000;

/** Resolves when all connections are closed, after `limit` milliseconds at most. */
async function drained(listener: Listener, limit: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limit);
  });
  await listener.drain(deadline);
  clearTimeout(timer);
}

/** A file that cannot be used now is no matter while what was read from it serves. */
function findingsOf(plan: ListenerPlan, served: readonly ServedIdentity[]): string[] {
  try {
    return inspectListener(plan, served).map(({ text }) => text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [];
  }
}

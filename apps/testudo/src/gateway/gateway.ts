import type { Certificate } from '@testudo/x509';
import { AcmeCertificates, type AcmeParts } from '../acme/acme-certificates.ts';
import { HttpListener } from '../acme/http-listener.ts';
import type { Address } from '../config/address.ts';
import type { ListenerPlan, Plan } from '../config/plan.ts';
import { Failure, failures, messageOf } from '../failure.ts';
import { CertificateSources, type ServedIdentity } from '../identity/certificate-sources.ts';
import { OcspStaples } from '../identity/ocsp-staples.ts';
import { inspectListener } from '../inspection/inspect.ts';
import type { Log } from '../output/log.ts';
import { httpsPortFor } from './https-port.ts';
import { check, type PreparedListener, prepare } from './prepare.ts';

export interface RunningListener {
  readonly plan: ListenerPlan;
  /** With the real port. */
  readonly address: Address;
}

/** What a test brings along: time and chance. */
export type GatewaySurroundings = Pick<AcmeParts, 'clock' | 'random'>;

/** All listeners of a plan, running. */
export class Gateway {
  readonly #prepared: readonly PreparedListener[];
  readonly #sources: CertificateSources;
  readonly #staples: OcspStaples;
  readonly #http: HttpListener | undefined;
  readonly #log: Log;
  /** What {@link inspect} has said. */
  readonly #told: Set<string> = new Set();
  #inspecting: NodeJS.Timeout | undefined;

  private constructor(
    prepared: readonly PreparedListener[],
    sources: CertificateSources,
    staples: OcspStaples,
    http: HttpListener | undefined,
    log: Log,
  ) {
    this.#prepared = prepared;
    this.#sources = sources;
    this.#staples = staples;
    this.#http = http;
    this.#log = log;
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
    check(plan, log);
    const acme = plan.acme && new AcmeCertificates({ plan: plan.acme, dataFolder, log, ...surroundings });
    const sources = new CertificateSources(dataFolder, acme);
    const onRevoked = (leaf: Certificate): void => acme?.replaceRevoked(leaf);
    const staples = new OcspStaples({ dataFolder, log, clock: surroundings.clock, onRevoked });
    const prepared = prepare(plan, sources, staples, log);
    const http =
      acme && plan.acme?.http
        ? new HttpListener({
            address: plan.acme.http,
            board: acme.board,
            httpsPort: (host) => httpsPortFor(host, prepared),
            log,
          })
        : undefined;
    const binding = [...prepared.map(({ listener }) => listener.bind()), ...(http ? [http.bind()] : [])];
    const bound = await Promise.allSettled(binding);
    const problems = bound.flatMap((result) =>
      result.status === 'rejected' ? [messageOf(result.reason)] : [],
    );
    if (problems.length > 0) {
      for (const { listener } of prepared) listener.destroy();
      http?.close();
      throw failures(problems);
    }
    const gateway = new Gateway(prepared, sources, staples, http, log);
    staples.start();
    for (const { listener } of prepared) listener.serve();
    gateway.inspect();
    gateway.#inspecting = setInterval(() => gateway.inspect(), INSPECTION).unref();
    gateway.#startAcme();
    return gateway;
  }

  /** Where the plain HTTP listener for ACME is; undefined without one. */
  get httpAddress(): Address | undefined {
    return this.#http?.address;
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
    this.#sources.acme?.retry();
    for (const { plan, endpoint } of this.#prepared) {
      try {
        const identities = this.#sources.identitiesOf(plan.certificates);
        endpoint.reload();
        endpoint.replace(identities);
        this.#forgetStaples();
        this.#told.clear();
        this.#log.info({ listener: plan.name }, 'certificates read again');
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.#log.error(
          { listener: plan.name, reason: error.message },
          'certificates not read again: the old ones stay',
        );
      }
    }
    this.inspect();
  }

  /** Says in the log what is wrong with certificates and lists, or will be soon: each thing once until a reload. */
  inspect(): void {
    for (const { plan, endpoint } of this.#prepared) {
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
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limit);
    });
    await Promise.all(this.#prepared.map(({ listener }) => listener.drain(deadline)));
    clearTimeout(timer);
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#endLongTermWork();
    for (const { listener } of this.#prepared) listener.destroy();
  }

  /** A new certificate is shown from the next connection on. */
  #startAcme(): void {
    const { acme } = this.#sources;
    if (acme === undefined) return;
    acme.onChange = (names) => {
      for (const { plan, endpoint } of this.#prepared) {
        if (plan.certificates.some((one) => one.kind === 'acme' && one.names.join() === names.join()))
          endpoint.replace(this.#sources.identitiesOf(plan.certificates));
      }
      this.#forgetStaples();
    };
    acme.start();
  }

  /** Nobody asks about a certificate that is not shown any more. */
  #forgetStaples(): void {
    const shown = this.#prepared.flatMap(({ endpoint }) => endpoint.identities);
    this.#staples.retain(shown.map(({ identity }) => identity));
  }

  #endLongTermWork(): void {
    clearInterval(this.#inspecting);
    this.#sources.acme?.stop();
    this.#staples.stop();
    this.#http?.close();
  }
}

/** Milliseconds between two looks at what gets old. */
const INSPECTION = 3_600_000;

/** A file that cannot be used now is no matter while what was read from it serves. */
function findingsOf(plan: ListenerPlan, served: readonly ServedIdentity[]): string[] {
  try {
    return inspectListener(plan, served).map(({ text }) => text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [];
  }
}

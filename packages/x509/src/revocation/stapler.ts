import type { CryptoProvider } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { ocspUrlsOf } from './distribution-point.ts';
import type { Fetcher } from './fetch.ts';
import { ocspFetch } from './fetching-checker.ts';
import { ocspCertificateId } from './ocsp-certificate-id.ts';
import { encodeOcspRequest } from './ocsp-request.ts';
import { type OcspFinding, verifyOcspResponse } from './ocsp-verify.ts';
import { type RevocationPolicy, SOFT_FAIL } from './policy.ts';

/** Time as the stapler sees it, so that a test can make it pass. */
export interface StaplerClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `action` once, about `delay` milliseconds later; the function that comes back forgets it. */
  schedule(action: () => void, delay: number): () => void;
}

/** What happened; for logs. */
export type StaplerEvent =
  | { readonly kind: 'refreshed'; readonly until: Date }
  /** The responder says so: the certificate must be replaced. Nothing is stapled from now on. */
  | { readonly kind: 'revoked'; readonly since: Date | undefined; readonly reason: string | undefined }
  /** No good answer came; `staplesUntil` tells for how long there still is an earlier one. */
  | { readonly kind: 'failed'; readonly reason: string; readonly staplesUntil: Date | undefined };

export interface OcspStaplerOptions {
  readonly provider: CryptoProvider;
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly fetch: Fetcher;
  readonly clock: StaplerClock;
  /** Default: those in the certificate. */
  readonly urls?: readonly string[] | undefined;
  /** Default {@link SOFT_FAIL}; its clock skew and maximum age matter here. */
  readonly policy?: RevocationPolicy | undefined;
  /** A response kept from before, so that a restart staples at once. It is verified. */
  readonly initial?: Uint8Array | undefined;
  /** Default: nobody is told. */
  readonly onEvent?: ((event: StaplerEvent) => void) | undefined;
}

/** Waiting after the first failure, and at most, in milliseconds; it doubles in between. */
const RETRY = { first: 60_000, longest: 3_600_000 } as const;

/** Milliseconds between refreshes, at least and at most: responders are not to be hammered, nor forgotten. */
const PAUSE = { least: 60_000, most: 4 * 86_400_000 } as const;

/**
 * Keeps an OCSP response for a server's certificate. It asks again when half of an answer's time is over, and keeps the
 * last good one for as long as it is current when the responder is down. Give it to a credential as a getter:
 *
 *     { ...credential, get ocspResponse() { return stapler.response; } }
 */
export class OcspStapler {
  readonly #options: OcspStaplerOptions;
  readonly #policy: RevocationPolicy;
  readonly #urls: readonly string[];
  #current: { readonly response: Uint8Array; readonly until: number } | undefined;
  #cancel: (() => void) | undefined;
  #underWay: Promise<void> | undefined;
  #isRunning = false;
  #failures = 0;

  /** Throws {@link CertificateError} `malformed` when there is no responder to ask. */
  constructor(options: OcspStaplerOptions) {
    this.#options = options;
    this.#policy = options.policy ?? SOFT_FAIL;
    this.#urls = options.urls ?? ocspUrlsOf(options.certificate.extensions);
    if (this.#urls.length === 0)
      throw new CertificateError(
        'malformed',
        'the certificate names no OCSP responder: nothing can be stapled',
        options.certificate,
      );
    if (options.initial !== undefined) this.#take(options.initial);
  }

  /** What to staple now, DER; undefined when there is nothing current. */
  get response(): Uint8Array | undefined {
    const current = this.#current;
    return current !== undefined && this.#options.clock.now() < current.until ? current.response : undefined;
  }

  /** Begins to fetch and to refresh. Resolves after the first attempt, whatever comes of it. */
  async start(): Promise<void> {
    this.#isRunning = true;
    await this.refresh();
  }

  /** Asks no more. What is there is still stapled while it is current. */
  stop(): void {
    this.#isRunning = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Asks now. Resolves when that is done; failures are told to `onEvent`. */
  refresh(): Promise<void> {
    this.#underWay ??= this.#refresh().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #refresh(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    let reason = '';
    for (const url of this.#urls) {
      const finding = await this.#ask(url);
      if (finding.status !== 'unknown') {
        this.#failures = 0;
        this.#report(finding);
        this.#schedule(this.#pauseAfter(finding));
        return;
      }
      reason = finding.reason;
    }
    const pause = Math.min(RETRY.first * 2 ** this.#failures++, RETRY.longest);
    this.#schedule(pause);
    const until = this.response === undefined ? undefined : new Date(this.#current!.until);
    this.#tell({ kind: 'failed', reason, staplesUntil: until });
  }

  async #ask(url: string): Promise<OcspFinding> {
    const { provider, certificate, issuer, fetch } = this.#options;
    try {
      const id = ocspCertificateId(provider, certificate.serialNumber, issuer);
      const request = ocspFetch(url, encodeOcspRequest({ certificateIds: [id] }));
      const { body } = await fetch(request);
      if (body.length > request.maximumLength) throw new Error(`the answer has ${body.length} bytes`);
      return this.#take(body);
    } catch (error) {
      return { status: 'unknown', reason: error instanceof Error ? error.message : 'failed' };
    }
  }

  /** Verifies a response and keeps it when it is good; a revoked certificate gets none. */
  #take(response: Uint8Array): OcspFinding {
    const { provider, certificate, issuer, clock } = this.#options;
    const at = new Date(clock.now());
    const finding = verifyOcspResponse({ provider, response, certificate, issuer, at, policy: this.#policy });
    if (finding.status === 'good') this.#current = { response: response.slice(), until: +finding.until! };
    if (finding.status === 'revoked') this.#current = undefined;
    return finding;
  }

  #report(finding: OcspFinding): void {
    if (finding.status === 'good') this.#tell({ kind: 'refreshed', until: finding.until! });
    if (finding.status === 'revoked')
      this.#tell({ kind: 'revoked', since: finding.since, reason: finding.reason });
  }

  /** Half of what is left of the answer's time. */
  #pauseAfter(finding: OcspFinding): number {
    const left = +(finding.until ?? 0) - this.#options.clock.now();
    return Math.min(Math.max(left / 2, PAUSE.least), PAUSE.most);
  }

  #schedule(delay: number): void {
    if (!this.#isRunning) return;
    this.#cancel = this.#options.clock.schedule(() => void this.refresh(), delay);
  }

  #tell(event: StaplerEvent): void {
    this.#options.onEvent?.(event);
  }
}

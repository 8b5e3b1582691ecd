import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Certificate,
  demandsStapling,
  type Fetcher,
  OcspStapler,
  ocspUrlsOf,
  type StaplerEvent,
} from '@testudo/x509';
import { httpFetcher } from '@testudo/x509/node';
import { type Clock, systemClock } from '../clock.ts';
import { Failure } from '../failure.ts';
import type { Log } from '../output/log.ts';
import type { Identity } from './certificate-files.ts';
import { makePrivateFolder, writePrivateFile } from './private-files.ts';

export interface OcspStaplesParts {
  readonly dataFolder: string;
  readonly log: Log;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Default: over plain HTTP, as certificates say. */
  readonly fetch?: Fetcher | undefined;
  /** Told each time that a responder says so. Default: only the log is. */
  readonly onRevoked?: ((leaf: Certificate) => void) | undefined;
}

/** What is stapled to a certificate now (RFC 6066 §8), DER; undefined when there is nothing current. */
export interface Staple {
  readonly response: Uint8Array | undefined;
}

/**
 * The OCSP responses that listeners staple: one stapler for each certificate that names a responder, whatever number of
 * listeners shows it. Good responses are kept in the data folder, so that a restart staples at once, also when the
 * responder is down.
 */
export class OcspStaples {
  readonly #parts: OcspStaplesParts;
  readonly #staplers: Map<string, OcspStapler> = new Map();
  readonly #complained: Set<string> = new Set();
  #isRunning = false;

  constructor(parts: OcspStaplesParts) {
    this.#parts = parts;
  }

  /** Looks after the staple of a certificate; undefined for one that cannot have any. */
  stapleFor(identity: Identity): Staple | undefined {
    const [leaf, issuer] = identity.chain as [Certificate, Certificate | undefined];
    const urls = ocspUrlsOf(leaf.extensions);
    const key = keyOf(leaf);
    if (urls.length === 0) return undefined;
    if (issuer === undefined || !leaf.issuer.equals(issuer.subject)) {
      this.#complainOnce(key, identity);
      return undefined;
    }
    const known = this.#staplers.get(key);
    if (known !== undefined) return known;
    const { clock = systemClock, fetch = httpFetcher(), log } = this.#parts;
    const file = identity.files.certificate;
    const stapler: OcspStapler = new OcspStapler({
      provider: nodeCrypto,
      certificate: leaf,
      issuer,
      fetch,
      clock,
      initial: this.#kept(key),
      onEvent: (event) => {
        tell(event, file, log);
        if (event.kind === 'refreshed') this.#keep(key, stapler.response);
        if (event.kind === 'revoked') this.#revoked(key, leaf);
      },
    });
    this.#staplers.set(key, stapler);
    if (this.#isRunning) void stapler.start();
    if (stapler.response === undefined && demandsStapling(leaf))
      log.warn({ certificate: file }, 'clients refuse this certificate until it has an OCSP response');
    return stapler;
  }

  /** Looks after these certificates alone from now on. */
  retain(identities: readonly Identity[]): void {
    const used = new Set(identities.map(({ chain }) => keyOf(chain[0]!)));
    for (const [key, stapler] of this.#staplers) {
      if (used.has(key)) continue;
      stapler.stop();
      this.#staplers.delete(key);
    }
  }

  /** Begins to fetch. */
  start(): void {
    this.#isRunning = true;
    for (const stapler of this.#staplers.values()) void stapler.start();
  }

  stop(): void {
    this.#isRunning = false;
    for (const stapler of this.#staplers.values()) stapler.stop();
  }

  #revoked(key: string, leaf: Certificate): void {
    this.#keep(key, undefined);
    this.#parts.onRevoked?.(leaf);
  }

  #complainOnce(key: string, { files }: Identity): void {
    if (this.#complained.has(key)) return;
    this.#complained.add(key);
    this.#parts.log.warn(
      { certificate: files.certificate },
      'nothing is stapled: put the issuer\u2019s certificate after this one in the same file',
    );
  }

  #file(key: string): string {
    return join(this.#parts.dataFolder, 'ocsp', `${key}.der`);
  }

  /** What was kept; the stapler verifies it. */
  #kept(key: string): Uint8Array | undefined {
    try {
      const response = new Uint8Array(readFileSync(this.#file(key)));
      return response.length === 0 ? undefined : response;
    } catch {
      return undefined;
    }
  }

  #keep(key: string, response: Uint8Array | undefined): void {
    try {
      makePrivateFolder(join(this.#parts.dataFolder, 'ocsp'));
      writePrivateFile(this.#file(key), response ?? new Uint8Array());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#parts.log.warn({ reason: error.message }, 'an OCSP response could not be saved');
    }
  }
}

function keyOf(leaf: Certificate): string {
  return createHash('sha256').update(leaf.der).digest('hex').slice(0, 32);
}

function tell(event: StaplerEvent, certificate: string, log: Log): void {
  switch (event.kind) {
    case 'refreshed':
      log.info({ certificate, until: event.until.toISOString() }, 'an OCSP response is stapled');
      return;
    case 'revoked':
      log.error(
        { certificate, since: event.since?.toISOString(), reason: event.reason },
        'this certificate is revoked: replace it',
      );
      return;
    case 'failed':
      log[event.staplesUntil === undefined ? 'warn' : 'info'](
        { certificate, reason: event.reason, staplesUntil: event.staplesUntil?.toISOString() },
        event.staplesUntil === undefined
          ? 'no OCSP response: nothing is stapled'
          : 'no newer OCSP response: the last one is stapled',
      );
  }
}

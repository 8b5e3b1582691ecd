import { AcmeCertificates, type AcmeParts } from '../acme/acme-certificates.ts';
import { HttpListener } from '../acme/http-listener.ts';
import { type Address, addressText } from '../config/address.ts';
import { isSame } from '../config/changes.ts';
import { checkOverlaps } from '../config/overlap.ts';
import { type Plan, placesOf } from '../config/plan.ts';
import { failures, messageOf } from '../failure.ts';
import type { Identity } from '../identity/certificate-files.ts';
import { CertificateSources } from '../identity/certificate-sources.ts';
import type { OcspStaples } from '../identity/ocsp-staples.ts';
import { check, discard, type PreparedListener, prepare } from './prepare.ts';

/** A plan as it runs, or is ready to: everything is read, made and bound, and nothing is served yet. */
export interface Generation {
  readonly plan: Plan;
  readonly prepared: readonly PreparedListener[];
  readonly sources: CertificateSources;
  /** Plain HTTP for ACME. */
  readonly http: HttpListener | undefined;
}

/** What generations share. */
export interface GenerationParts extends Pick<AcmeParts, 'clock' | 'random' | 'dataFolder' | 'log'> {
  readonly staples: OcspStaples;
  readonly httpsPort: (host: string) => number | undefined;
}

/**
 * Makes a plan ready beside the one that runs, and takes the addresses that are new. Throws a `Failure` with a line for each
 * thing that is wrong; then the one that runs is as it was, and nothing else is left.
 */
export async function nextGeneration(
  plan: Plan,
  parts: GenerationParts,
  running?: Generation,
): Promise<Generation> {
  const { log, staples } = parts;
  await checkOverlaps(placesOf(plan));
  check(plan, log);
  const sources = new CertificateSources(parts.dataFolder, acmeFor(plan, parts, running));
  let prepared: readonly PreparedListener[];
  try {
    prepared = prepare({ plan, sources, staples, log, ...(running ? { running: running.prepared } : {}) });
  } catch (error) {
    forget(sources, staples, running);
    throw error;
  }
  const next: Generation = { plan, prepared, sources, http: httpFor(plan, sources, parts, running) };
  try {
    await bind(next, running);
  } catch (error) {
    discardGeneration(next, staples, running);
    throw error;
  }
  return next;
}

/** Lets go of a generation that is not to serve. */
export function discardGeneration(next: Generation, staples: OcspStaples, running?: Generation): void {
  discard(next.prepared);
  if (next.http !== running?.http) next.http?.close();
  forget(next.sources, staples, running);
}

/** Certificates that only the generation had that is given up are looked after no more. */
function forget({ acme }: CertificateSources, staples: OcspStaples, running: Generation | undefined): void {
  if (acme !== running?.sources.acme) acme?.stop();
  if (running === undefined) return;
  acme?.retain(acmeNamesOf(running.plan));
  staples.retain(shownBy(running.prepared));
}

/** The certificates that listeners show. */
export function shownBy(prepared: readonly PreparedListener[]): Identity[] {
  return prepared.flatMap(({ endpoint }) => endpoint.identities.map(({ identity }) => identity));
}

/** The names of the certificates that a CA issues, for each certificate. */
export function acmeNamesOf({ listeners }: Plan): (readonly string[])[] {
  return listeners.flatMap(({ certificates }) =>
    certificates.flatMap((one) => (one.kind === 'acme' ? [one.names] : [])),
  );
}

/** The same as before where nothing about the CA has changed: orders that are under way go on. */
function acmeFor(plan: Plan, parts: GenerationParts, running?: Generation): AcmeCertificates | undefined {
  if (plan.acme === undefined) return undefined;
  if (running?.sources.acme !== undefined && isSame(plan.acme, running.plan.acme))
    return running.sources.acme;
  const { dataFolder, log, clock, random } = parts;
  return new AcmeCertificates({ plan: plan.acme, dataFolder, log, clock, random });
}

function httpFor(
  plan: Plan,
  { acme }: CertificateSources,
  { httpsPort, log }: GenerationParts,
  running?: Generation,
): HttpListener | undefined {
  if (acme === undefined || plan.acme?.http === undefined) return undefined;
  if (running?.http !== undefined && isSame(plan.acme.http, running.plan.acme?.http)) return running.http;
  return new HttpListener({ address: plan.acme.http, board: acme.board, httpsPort, log });
}

async function bind(next: Generation, running?: Generation): Promise<void> {
  const news = next.prepared.filter(({ before }) => before === undefined);
  const binding = news.map(({ listener, plan }) => ({ done: listener.bind(), address: plan.address }));
  if (next.http !== undefined && next.http !== running?.http)
    binding.push({ done: next.http.bind(), address: next.plan.acme!.http! });
  const bound = await Promise.allSettled(binding.map(({ done }) => done));
  const problems = bound.flatMap((result, i) =>
    result.status === 'rejected'
      ? [messageOf(result.reason) + ownPart(result.reason, binding[i]!.address, running)]
      : [],
  );
  if (problems.length > 0) throw failures(problems);
}

/** Where it is this gateway that holds the port, under another address. */
function ownPart(error: Error, { port }: Address, running: Generation | undefined): string {
  if ((error.cause as NodeJS.ErrnoException | undefined)?.code !== 'EADDRINUSE') return '';
  const own = running?.prepared.find(({ listener }) => listener.address.port === port);
  return own === undefined
    ? ''
    : `; it is this gateway itself, which listens on ${addressText(own.listener.address)}: such a change needs a restart`;
}

import { statSync } from 'node:fs';
import { AcmeCertificates } from '../acme/acme-certificates.ts';
import { isSame, pairListeners } from '../config/changes.ts';
import type { ListenerPlan, Plan, ServicePlan } from '../config/plan.ts';
import { Failure, failures, systemReason } from '../failure.ts';
import { realFolder } from '../http/folder-path.ts';
import { ReverseProxy } from '../http/reverse-proxy.ts';
import { staticFolder } from '../http/static-folder.ts';
import { passUpgrade, wantsWebSocket } from '../http/upgrade.ts';
import { welcomeSite } from '../http/welcome-site.ts';
import { loadIdentity } from '../identity/certificate-files.ts';
import type { CertificateSources } from '../identity/certificate-sources.ts';
import type { OcspStaples } from '../identity/ocsp-staples.ts';
import { echoService } from '../listeners/echo.ts';
import { forwardService } from '../listeners/forward.ts';
import { type HttpHandler, httpService } from '../listeners/http-service.ts';
import { Listener } from '../listeners/listener.ts';
import type { ListenerSettings } from '../listeners/open-connection.ts';
import type { Service } from '../listeners/service.ts';
import { type SessionState, sessionState } from '../listeners/ticket-keys.ts';
import { TlsEndpoint } from '../listeners/tls-endpoint.ts';
import type { Log } from '../output/log.ts';

/** A listener that is checked and ready to take its address, or to go on with other settings. */
export interface PreparedListener {
  readonly plan: ListenerPlan;
  readonly listener: Listener;
  readonly settings: ListenerSettings;
  readonly endpoint: TlsEndpoint;
  /** The one whose address it has; undefined for one that has to take its own. */
  readonly before: PreparedListener | undefined;
}

/** What listeners are made with. */
export interface Preparation {
  readonly plan: Plan;
  readonly sources: CertificateSources;
  readonly staples: OcspStaples;
  readonly log: Log;
  /** What runs already. Default: nothing. */
  readonly running?: readonly PreparedListener[];
}

/**
 * Checks everything that can be checked without changing anything: files, keys, options. Throws one `Failure` with a
 * line for each thing that is wrong.
 */
export function check(plan: Plan, log: Log): void {
  forEachListener(plan, (listener, attempt) => {
    attempt(() => createService(listener, log).close());
    attempt(() => TlsEndpoint.check(listener.tls));
    for (const one of listener.certificates) if (one.kind === 'files') attempt(() => loadIdentity(one));
  });
  if (plan.acme !== undefined) AcmeCertificates.check(plan.acme);
}

/**
 * Makes the listeners ready to serve. Throws as {@link check}, which is to come first, so that the local CA is made only when
 * all else is right; then nothing is left behind.
 */
export function prepare(preparation: Preparation): PreparedListener[] {
  const { plan, running = [] } = preparation;
  const prepared: PreparedListener[] = [];
  const pairs = pairListeners(
    running.map((one) => one.plan),
    plan.listeners,
  );
  try {
    forEachListener(plan, (listener, attempt) => {
      const old = pairs.find(({ next }) => next === listener)?.old;
      const before = running.find((one) => one.plan === old);
      attempt(() => prepared.push(prepareOne(listener, before, preparation)));
    });
  } catch (error) {
    discard(prepared);
    throw error;
  }
  return prepared;
}

/** Lets go of what was prepared and is not to serve. */
export function discard(prepared: readonly PreparedListener[]): void {
  for (const { listener, settings, before } of prepared) {
    if (before === undefined) listener.destroy();
    else if (settings.service !== before.settings.service) settings.service.close();
  }
}

/** Goes through all listeners, whatever fails, and then throws what has failed. */
function forEachListener(
  plan: Plan,
  visit: (listener: ListenerPlan, attempt: (action: () => unknown) => void) => void,
): void {
  const problems: string[] = [];
  for (const listener of plan.listeners) {
    visit(listener, (action) => {
      try {
        action();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        problems.push(...error.message.split('\n').map((line) => `${listener.name}: ${line}`));
      }
    });
  }
  if (problems.length > 0) throw failures(problems);
}

function prepareOne(
  plan: ListenerPlan,
  before: PreparedListener | undefined,
  { sources, staples, log }: Preparation,
): PreparedListener {
  const identities = sources.identitiesOf(plan.certificates);
  const endpoint = new TlsEndpoint(plan.tls, identities, {
    board: sources.acme?.boardForTls,
    staples,
    sessions: before && sessionsAfter(before, plan),
  });
  const { name, address, limits } = plan;
  const isKept = before !== undefined && isSameService(before, plan, log);
  const settings: ListenerSettings = {
    name,
    endpoint,
    service: isKept ? before.settings.service : createService(plan, log),
    limits,
    log: log.child({ listener: name }),
  };
  return { plan, endpoint, settings, before, listener: before?.listener ?? new Listener(address, settings) };
}

/**
 * Sessions go on under other settings, unless somebody may be resumed who would not be let in now: clients that show
 * certificates begin anew.
 */
function sessionsAfter({ plan: old, endpoint }: PreparedListener, { tls }: ListenerPlan): SessionState {
  const asksClients = tls.clientCertificate !== 'none' || old.tls.clientCertificate !== 'none';
  if (tls.tickets.kind === 'own' && isSame(tls.tickets, old.tls.tickets) && !asksClients)
    return endpoint.sessions;
  return sessionState(tls.tickets, endpoint.sessions.replayGuard);
}

/** What is behind, with all that it knows of its surroundings. */
function isSameService({ plan: old, settings }: PreparedListener, plan: ListenerPlan, log: Log): boolean {
  const parts = ({ name, service, limits, hsts }: ListenerPlan) => ({ name, service, limits, hsts });
  return settings.log.level === log.level && isSame(parts(old), parts(plan));
}

function createService(plan: ListenerPlan, log: Log): Service {
  const { service, limits, hsts } = plan;
  const own = log.child({ listener: plan.name });
  switch (service.kind) {
    case 'echo':
      return echoService();
    case 'forward':
      return forwardService({ target: service.target, connectTimeout: limits.connect, log: own });
    case 'welcome':
    case 'folder':
    case 'proxy':
      return httpService(httpHandler(service, plan, own), { hsts, idle: limits.idle, log: own });
  }
}

function httpHandler(
  service: Exclude<ServicePlan, { kind: 'echo' | 'forward' }>,
  { limits }: ListenerPlan,
  log: Log,
): HttpHandler {
  if (service.kind === 'welcome') return welcomeSite(service);
  if (service.kind === 'folder') {
    return staticFolder({ root: checkedFolder(service.root), dotfiles: service.dotfiles, log });
  }
  const { upstream, trustForwarded } = service;
  const proxy = new ReverseProxy({ upstream, trustForwarded, limits, log });
  return {
    handle: (request, response, connection, own) => {
      connection.backend = proxy.handle(request, response, own);
    },
    writesOwnFields: true,
    upgrade: {
      isMet: wantsWebSocket,
      handle: (request, socket, head) =>
        passUpgrade(request, socket, head, { proxy, idle: limits.webSocket }),
    },
    close: () => proxy.close(),
  };
}

function checkedFolder(folder: string): string {
  try {
    const real = realFolder(folder);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    throw new Failure(`${folder}: cannot serve this folder: ${systemReason(error)}`, 1, error);
  }
  throw new Failure(`${folder}: cannot serve this folder: it is a file`);
}

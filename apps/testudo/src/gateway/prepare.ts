import { statSync } from 'node:fs';
import { AcmeCertificates } from '../acme/acme-certificates.ts';
import type { ListenerPlan, Plan, ServicePlan } from '../config/plan.ts';
import { Failure, failures, systemReason } from '../failure.ts';
import { realFolder } from '../http/folder-path.ts';
import { reverseProxy } from '../http/reverse-proxy.ts';
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
import type { Service } from '../listeners/service.ts';
import { TlsEndpoint } from '../listeners/tls-endpoint.ts';
import type { Log } from '../output/log.ts';

/** A listener that is checked and ready to take its address. */
export interface PreparedListener {
  readonly plan: ListenerPlan;
  readonly listener: Listener;
  readonly endpoint: TlsEndpoint;
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
 * Makes the listeners ready to take their addresses. Throws as {@link check}, which is to come first, so that the local
 * CA is made only when all else is right.
 */
export function prepare(
  plan: Plan,
  sources: CertificateSources,
  staples: OcspStaples,
  log: Log,
): PreparedListener[] {
  const prepared: PreparedListener[] = [];
  forEachListener(plan, (listener, attempt) => {
    attempt(() => prepared.push(prepareOne(listener, sources, staples, log)));
  });
  return prepared;
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
  sources: CertificateSources,
  staples: OcspStaples,
  log: Log,
): PreparedListener {
  const identities = sources.identitiesOf(plan.certificates);
  const endpoint = new TlsEndpoint(plan.tls, identities, { board: sources.acme?.boardForTls, staples });
  const { name, address, limits } = plan;
  const service = createService(plan, log);
  return {
    plan,
    endpoint,
    listener: new Listener(address, { name, endpoint, service, limits, log: log.child({ listener: name }) }),
  };
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
  if (service.kind === 'welcome') return welcomeSite();
  if (service.kind === 'folder') {
    return { handle: staticFolder({ root: checkedFolder(service.root), dotfiles: service.dotfiles }) };
  }
  const { upstream, trustForwarded } = service;
  const proxy = reverseProxy({
    upstream,
    trustForwarded,
    limits,
    log,
  });
  return {
    handle: (request, response, connection, own) =>
      proxy.handle(request, response, own, (watch) => {
        connection.waitsForBackend = () => watch.isWaitedFor;
      }),
    writesOwnFields: true,
    upgrade: {
      isMet: wantsWebSocket,
      handle: (request, socket, head) =>
        passUpgrade(request, socket, head, { proxy, trustForwarded, upstream, limits }),
    },
    close: proxy.close,
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

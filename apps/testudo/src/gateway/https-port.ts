import type { PreparedListener } from './prepare.ts';

/** Services that speak HTTP. */
const HTTP: ReadonlySet<string> = new Set(['proxy', 'folder', 'welcome']);

/**
 * The port where https for a host is: of the first HTTP listener with a certificate for that name, else of the first at
 * all. Undefined where there is none.
 */
export function httpsPortFor(host: string, prepared: readonly PreparedListener[]): number | undefined {
  const serving = prepared.filter(({ plan }) => HTTP.has(plan.service.kind));
  const name = host.toLowerCase();
  const own = serving.find(({ plan }) => plan.certificates.some(({ names }) => names?.includes(name)));
  return (own ?? serving[0])?.listener.address.port;
}

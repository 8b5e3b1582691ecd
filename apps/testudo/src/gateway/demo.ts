import { HTTP_PROTOCOLS, LOCAL_NAMES } from '../config/defaults.ts';
import { defaultLimits } from '../config/limits.ts';
import { DEFAULT_TLS, type ListenerPlan, type Plan } from '../config/plan.ts';
import { DEFAULT_CONFIG } from '../config/schema.ts';

export const DEMO_HTTPS_PORT = 8443;
export const DEMO_ECHO_PORT = 9443;

/**
 * What runs without a configuration: the welcome page over HTTPS, and an echo service behind TLS. On 127.0.0.1 only:
 * nobody else has a use for it, and nothing should be open to a network by default.
 */
export function demoPlan(
  ports: { readonly https: number; readonly echo: number },
  proposal: { readonly program?: string; readonly data?: string } = {},
): Plan {
  const common = {
    certificates: [{ kind: 'local', names: LOCAL_NAMES, isDefault: true }],
    hsts: undefined,
  } as const;
  const welcome: ListenerPlan = {
    ...common,
    name: 'welcome',
    address: { host: '127.0.0.1', port: ports.https },
    service: { kind: 'welcome', ...proposal },
    limits: { ...defaultLimits('welcome'), connections: 1000 },
    tls: { ...DEFAULT_TLS, alpn: HTTP_PROTOCOLS },
  };
  const echo: ListenerPlan = {
    ...common,
    name: 'echo',
    address: { host: '127.0.0.1', port: ports.echo },
    service: { kind: 'echo' },
    limits: { ...defaultLimits('echo'), connections: 1000 },
    tls: DEFAULT_TLS,
  };
  return {
    listeners: [welcome, echo],
    data: undefined,
    drain: DEFAULT_CONFIG.drain,
    logLevel: DEFAULT_CONFIG.logLevel,
    acme: undefined,
  };
}

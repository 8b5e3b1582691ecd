import { DEFAULT_DRAIN, DEFAULT_LIMITS, DEFAULT_TLS, type ListenerPlan, type Plan } from '../config/plan.ts';

export const DEMO_HTTPS_PORT = 8443;
export const DEMO_ECHO_PORT = 9443;

/**
 * What runs without a configuration: the welcome page over HTTPS, and an echo service behind TLS. On 127.0.0.1 only:
 * nobody else has a use for it, and nothing should be open to a network by default.
 */
export function demoPlan(ports: { readonly https: number; readonly echo: number }): Plan {
  const common = {
    certificates: [{ kind: 'local', names: ['localhost', '127.0.0.1', '::1'], isDefault: true }],
    limits: { ...DEFAULT_LIMITS, connections: 1000 },
    hsts: undefined,
  } as const;
  const welcome: ListenerPlan = {
    ...common,
    name: 'welcome',
    address: { host: '127.0.0.1', port: ports.https },
    service: { kind: 'welcome' },
    tls: { ...DEFAULT_TLS, alpn: ['http/1.1'] },
  };
  const echo: ListenerPlan = {
    ...common,
    name: 'echo',
    address: { host: '127.0.0.1', port: ports.echo },
    service: { kind: 'echo' },
    tls: DEFAULT_TLS,
  };
  return {
    listeners: [welcome, echo],
    data: undefined,
    drain: DEFAULT_DRAIN,
    logLevel: undefined,
    acme: undefined,
  };
}

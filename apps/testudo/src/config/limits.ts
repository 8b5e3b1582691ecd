import { durationText } from './duration.ts';

/** The services that a listener can have. */
export type ServiceKind = 'forward' | 'proxy' | 'folder' | 'echo' | 'welcome';

export interface LimitEntry {
  /** What it limits, for whoever writes a configuration. */
  readonly text: string;
  readonly kind: 'count' | 'time';
  /** The services that know it. */
  readonly services: readonly ServiceKind[];
  /** A count, or milliseconds; for some services another than for the others. */
  readonly standard: number;
  readonly standardFor?: Readonly<Partial<Record<ServiceKind, number>>>;
}

export const ALL_SERVICES: readonly ServiceKind[] = ['forward', 'proxy', 'folder', 'echo', 'welcome'];
export const HTTP_SERVICES: readonly ServiceKind[] = ['proxy', 'folder', 'welcome'];
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** All limits, each once: types, schema, defaults, messages and the reference are made of it. */
const ENTRIES = {
  connections: {
    text: 'at the same time; any more are closed immediately',
    kind: 'count',
    services: ALL_SERVICES,
    standard: 10_000,
  },
  handshake: {
    text: 'from the connection to the end of the TLS handshake',
    kind: 'time',
    services: ALL_SERVICES,
    standard: 10 * SECOND,
  },
  idle: {
    text: 'without a byte from the client or to it; a client that waits for the service is not idle',
    kind: 'time',
    services: ALL_SERVICES,
    // HTTP has nothing to lose: a client opens another connection.
    standard: 2 * MINUTE,
    // A service knows its protocol and ends its own sessions: IMAP keeps them for 30 minutes at least (RFC 9051 §5.4), and
    // its clients say nothing meanwhile. Peers that have vanished are found by TCP's own keep-alive much earlier.
    standardFor: { forward: HOUR },
  },
  connect: {
    text: 'to reach the service behind',
    kind: 'time',
    services: ['forward', 'proxy'],
    standard: 10 * SECOND,
  },
  firstByte: {
    text: 'from the end of the request until the server behind begins its answer',
    kind: 'time',
    services: ['proxy'],
    standard: MINUTE,
  },
  pause: {
    text: 'in which the server behind neither continues its answer nor accepts more of the request',
    kind: 'time',
    services: ['proxy'],
    // Streams of events are quiet for minutes; half an answer is worse than a late one.
    standard: 5 * MINUTE,
  },
  webSocket: {
    text: 'without a byte either way over a WebSocket',
    kind: 'time',
    services: ['proxy'],
    // Applications that are open in a browser say nothing for long, and take it badly when the connection ends.
    standard: HOUR,
  },
} satisfies Record<string, LimitEntry>;

export type LimitName = keyof typeof ENTRIES;
export const LIMITS: Readonly<Record<LimitName, LimitEntry>> = ENTRIES;

/** What a listener allows; times in milliseconds. */
export type Limits = Readonly<Record<LimitName, number>>;

/** What a service allows where nothing else is said. */
export function defaultLimits(service: ServiceKind): Limits {
  const entries = Object.entries(LIMITS).map(([name, { standard, standardFor }]) => [
    name,
    standardFor?.[service] ?? standard,
  ]);
  return Object.fromEntries(entries) as unknown as Limits;
}

/** The default of a limit, for the reference. */
export function limitStandard(name: LimitName): string {
  const { kind, standard, standardFor = {} } = LIMITS[name];
  const text = (value: number): string => `\`${kind === 'time' ? durationText(value) : value}\``;
  const others = Object.entries(standardFor).map(([service, value]) => `; ${service}: ${text(value)}`);
  return `${text(standard)}${others.join('')}`;
}

/** What to write instead of a key that a limit had before; undefined for any other key. */
export function formerLimit(key: string, value: unknown): string | undefined {
  if (key !== 'response') return undefined;
  const time = typeof value === 'string' || typeof value === 'number' ? String(value) : '1m';
  return `"response" is two limits now: write "firstByte: ${time}" (${LIMITS.firstByte.text}) and "pause: ${time}" (a time ${LIMITS.pause.text})`;
}

import type { SecureVersion } from 'node:tls';
import type { ClientOptions } from '../../options/client.ts';
import type { ServerOptions } from '../../options/server.ts';
import { live } from '../as-node/replaceable-members.ts';
import {
  checkBytes,
  checkFunction,
  checkInt32,
  checkNumber,
  checkString,
  invalidValue,
  outOfRange,
  wrongType,
} from '../errors/arguments.ts';
import { nodeTypeError, unsupportedOption } from '../errors/errors.ts';
import { opensslError } from '../errors/openssl-errors.ts';
import { bytesOf } from '../material/openssl-pem.ts';
import { currentCiphers, DEFAULT_ECDH_CURVE } from './ciphers.ts';
import { DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION, type SecureContextOptions } from './context-options.ts';
import type { EngineOptions } from './engine-options.ts';
import { type StrictOption, strictnessKey, strictnessOf } from './strictness.ts';

/**
 * When an option counts as given. Programs pass on what their own callers left out, as undefined, null, false or an empty
 * text, and Node tests each option in its own way.
 */
type Given = 'if defined' | 'if present' | 'if true' | 'if text';

/**
 * Which side's configuration takes an option of the engine as it is, under its own name. `neither`: it is read, or put
 * together with others, where these are.
 */
type EngineSide<Name extends keyof EngineOptions> =
  | 'neither'
  | TakenBy<'client', Name, ClientOptions>
  | TakenBy<'server', Name, ServerOptions>
  | TakenBy<'both', Name, ClientOptions & ServerOptions>;

type TakenBy<Side, Name extends keyof EngineOptions, Options> = Name extends keyof Options
  ? EngineOptions[Name] extends Options[Name]
    ? Side
    : never
  : never;

type Value<Name extends keyof SecureContextOptions> = SecureContextOptions[Name];

interface ContextRule<Name extends keyof SecureContextOptions> {
  readonly given: Given;
  /** A server passes it on only where it is true. */
  readonly ofServers?: 'if true';
  /** Throws what Node throws for a value of no use. */
  readonly check?: (value: NonNullable<Value<Name>>, options: SecureContextOptions) => void;
  /** What counts: the value, or where there is none the default of now. Programs may replace it (`tls.DEFAULT_MIN_VERSION = …`). */
  readonly counts?: (value: Value<Name>) => NonNullable<Value<Name>>;
  /**
   * What contexts are told apart by, {@link UNSHARED} for a value of no such text. Without it a context that is given the
   * option belongs to whoever gave it, and is never kept for others.
   */
  readonly contextKey?: (value: Value<Name>) => ContextKey;
  /**
   * How an agent tells its requests apart: Node's own does, or by this text; undefined for what is as good as not given.
   * Default: by what the value holds.
   */
  readonly agentKey?: 'by Node' | ((value: NonNullable<Value<Name>>) => string | undefined);
}

interface EngineRule<Name extends keyof EngineOptions> extends ContextRule<Name> {
  readonly engine: EngineSide<Name>;
}

/** All options of a context. One that is new and has no row here does not compile. */
type OptionTable = {
  readonly [Name in keyof SecureContextOptions]-?: Name extends keyof EngineOptions
    ? EngineRule<Name>
    : ContextRule<Name>;
};

type ContextKey = string | number | boolean | null | undefined | typeof UNSHARED;

const UNSHARED: unique symbol = Symbol('unshared');

const asItIs = <T extends ContextKey>(value: T): ContextKey => value;

/** What `createSecureContext` makes of its options: first Node's, in the order in which Node looks at them. */
const TABLE: OptionTable = {
  /** An empty one is no method. */
  secureProtocol: {
    given: 'if text',
    ofServers: 'if true',
    check: checkMethod,
    contextKey: asItIs,
    agentKey: 'by Node',
  },
  minVersion: {
    given: 'if present',
    ofServers: 'if true',
    counts: (value) => value ?? (live.tls?.DEFAULT_MIN_VERSION as SecureVersion) ?? DEFAULT_MIN_VERSION,
    contextKey: asItIs,
    agentKey: 'by Node',
  },
  maxVersion: {
    given: 'if present',
    ofServers: 'if true',
    counts: (value) => value ?? (live.tls?.DEFAULT_MAX_VERSION as SecureVersion) ?? DEFAULT_MAX_VERSION,
    contextKey: asItIs,
    agentKey: 'by Node',
  },
  secureOptions: {
    given: 'if true',
    ofServers: 'if true',
    check: checkSecureOptions,
    contextKey: asItIs,
    agentKey: 'by Node',
  },
  ciphers: {
    given: 'if present',
    ofServers: 'if true',
    check: (value) => checkString('options.ciphers', value),
    counts: (value) => value || currentCiphers(),
    contextKey: asItIs,
    agentKey: 'by Node',
  },
  ca: { given: 'if true', ofServers: 'if true', contextKey: authoritiesKey, agentKey: 'by Node' },
  allowPartialTrustChain: { given: 'if true', contextKey: Boolean },
  cert: { given: 'if true', ofServers: 'if true', agentKey: 'by Node' },
  key: { given: 'if true', ofServers: 'if true', agentKey: 'by Node' },
  passphrase: { given: 'if defined', ofServers: 'if true' },
  sigalgs: {
    given: 'if present',
    check: checkSignatureAlgorithms,
    contextKey: asItIs,
    agentKey: 'by Node',
  },
  privateKeyEngine: { given: 'if defined', agentKey: 'by Node' },
  privateKeyIdentifier: { given: 'if present', check: checkEngineKey, agentKey: 'by Node' },
  ecdhCurve: {
    given: 'if defined',
    check: (value) => checkString('options.ecdhCurve', value),
    counts: (value) => value ?? (live.tls?.DEFAULT_ECDH_CURVE || DEFAULT_ECDH_CURVE),
    contextKey: asItIs,
    agentKey: 'by Node',
  },
  dhparam: { given: 'if present', ofServers: 'if true', agentKey: 'by Node' },
  crl: { given: 'if present', ofServers: 'if true', agentKey: 'by Node' },
  sessionIdContext: {
    given: 'if present',
    ofServers: 'if true',
    check: checkSessionIdContext,
    contextKey: asItIs,
    agentKey: 'by Node',
  },
  pfx: { given: 'if present', ofServers: 'if true', agentKey: 'by Node' },
  clientCertEngine: {
    given: 'if present',
    ofServers: 'if true',
    check: refuseEngine,
    agentKey: 'by Node',
  },
  ticketKeys: { given: 'if present', ofServers: 'if true', check: checkTicketKeys },
  sessionTimeout: {
    given: 'if present',
    ofServers: 'if true',
    check: (value) => checkInt32('options.sessionTimeout', value, 0),
    contextKey: asItIs,
  },
  honorCipherOrder: { given: 'if true', contextKey: Boolean, agentKey: 'by Node' },
  certificateCompression: { given: 'if present' },
  /** Types of Node have it here; it is each server's own. */
  ALPNCallback: { given: 'if defined' },
  strict: { given: 'if defined', contextKey: switchesOf, agentKey: switchesOf },
  legacy: { given: 'if defined', engine: 'neither' },
  psks: { given: 'if defined', engine: 'neither' },
  ech: { given: 'if defined', engine: 'client' },
  echKeys: { given: 'if defined', engine: 'server' },
  renegotiation: { given: 'if defined', engine: 'neither' },
  postHandshakeAuth: { given: 'if defined', engine: 'client', contextKey: Boolean },
  requireAlpn: { given: 'if defined', engine: 'both', contextKey: Boolean },
  applicationSettings: { given: 'if defined', engine: 'both' },
  serverNames: { given: 'if defined', engine: 'server' },
  dangerouslyExportWithoutExtendedMasterSecret: {
    given: 'if defined',
    engine: 'both',
    contextKey: Boolean,
  },
  heartbeat: { given: 'if defined', engine: 'both', contextKey: asItIs },
};

/** A row, whichever it is. */
interface Rule {
  readonly given: Given;
  readonly ofServers?: 'if true';
  readonly check?: (value: never, options: SecureContextOptions) => void;
  readonly counts?: (value: never) => unknown;
  readonly contextKey?: (value: never) => ContextKey;
  readonly agentKey?: 'by Node' | ((value: never) => string | undefined);
  readonly engine?: 'neither' | 'client' | 'server' | 'both';
}

const RULES: readonly (readonly [keyof SecureContextOptions, Rule])[] = Object.entries(TABLE) as never;

/** Options of a context as they count. */
export type ContextTerms = SecureContextOptions & {
  readonly [Name in 'ciphers' | 'ecdhCurve' | 'minVersion' | 'maxVersion']: NonNullable<Value<Name>>;
};

/** The options of a context that count, checked, with the defaults of now. Throws with the codes of `node:tls`. */
export function givenToContext(options: SecureContextOptions): ContextTerms {
  const given: Record<string, unknown> = { ...options };
  // With a flag of its own Node makes a number of whatever it is.
  if (options.honorCipherOrder) given['secureOptions'] = (options.secureOptions as number) | 0;
  for (const [name, rule] of RULES) {
    const value = given[name];
    if (!isGiven(value, rule.given)) delete given[name];
    else rule.check?.(value as never, options);
    if (rule.counts !== undefined) given[name] = rule.counts(given[name] as never);
  }
  return given as unknown as ContextTerms;
}

/** The options of a server's context, before {@link givenToContext}. */
export function givenToServer<Options extends SecureContextOptions>(options: Options): Options {
  const given = { ...options };
  for (const [name, { ofServers }] of RULES) if (ofServers === 'if true' && !given[name]) delete given[name];
  given.honorCipherOrder = options.honorCipherOrder === undefined || Boolean(options.honorCipherOrder);
  return given;
}

/** Of a context's options those that only the engine has. */
export function engineOptions(options: SecureContextOptions): EngineOptions {
  const own = RULES.filter(([, { engine }]) => engine !== undefined);
  return Object.fromEntries(own.map(([name]) => [name, options[name]]));
}

/** What a side's configuration takes of them as it is. */
export function givenToEngine(side: 'client', options: EngineOptions): Partial<ClientOptions>;
export function givenToEngine(side: 'server', options: EngineOptions): Partial<ServerOptions>;
export function givenToEngine(side: 'client' | 'server', options: EngineOptions): object {
  const taken = RULES.filter(([, { engine }]) => engine === side || engine === 'both');
  return Object.fromEntries(taken.map(([name]) => [name, options[name as keyof EngineOptions]]));
}

/**
 * The same text for options that make the same context; undefined for options whose context
 * is not to be shared: a private key stays with its owner.
 */
export function contextKey(options: SecureContextOptions): string | undefined {
  const keys: ContextKey[] = [];
  for (const [name, { contextKey: keyOf }] of RULES) {
    const value = options[name] as never;
    if (keyOf !== undefined) keys.push(keyOf(value));
    else if (value !== undefined) return undefined;
  }
  return keys.includes(UNSHARED) ? undefined : JSON.stringify(keys);
}

/** How an agent tells requests apart by an option, as in the table; `by content` where that says nothing. */
export function agentKeys(): readonly (readonly [string, AgentKey])[] {
  return RULES.map(([name, { agentKey = 'by content' }]) => [name, agentKey as AgentKey]);
}

export type AgentKey = 'by Node' | 'by content' | ((value: unknown) => string | undefined);

/** A callback; undefined for what is not true. Throws `ERR_INVALID_ARG_TYPE`. */
export function givenFunction<T>(name: string, value: T): T | undefined {
  return value ? checkFunction(name, value) : undefined;
}

function isGiven(value: unknown, given: Given): boolean {
  if (given === 'if true') return Boolean(value);
  if (given === 'if text') return typeof value === 'string';
  return value !== undefined && (given === 'if defined' || value !== null);
}

function switchesOf(option: StrictOption | null | undefined): string {
  return strictnessKey(strictnessOf(option));
}

/** Of what is no text and no bytes, whoever takes it has to say so. */
function authoritiesKey(ca: SecureContextOptions['ca']): ContextKey {
  if (!ca) return null;
  const texts = (Array.isArray(ca) ? ca : [ca]).map((one: unknown) =>
    typeof one === 'string' || ArrayBuffer.isView(one) ? bytesOf(one).toString('latin1') : undefined,
  );
  return texts.includes(undefined) ? UNSHARED : JSON.stringify(texts);
}

/** An OpenSSL method says all about versions; an empty one is none of them, and is refused where it is read. */
function checkMethod(secureProtocol: string, { minVersion, maxVersion }: SecureContextOptions): void {
  const version = minVersion ?? maxVersion;
  if (secureProtocol === '' || version === undefined || version === null) return;
  throw nodeTypeError(
    'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
    `TLS protocol version "${version}" conflicts with secureProtocol "${secureProtocol}"`,
  );
}

function checkSecureOptions(value: unknown): void {
  checkNumber('secureOptions', value);
  if (!Number.isInteger(value)) throw outOfRange('secureOptions', 'an integer', value);
}

function checkSignatureAlgorithms(value: unknown): void {
  checkString('options.sigalgs', value);
  if (value === '') throw invalidValue('options.sigalgs', 'is invalid', '');
}

/** Bytes, as in OpenSSL. */
const MAX_SESSION_ID_CONTEXT = 32;

function checkSessionIdContext(value: string): void {
  checkString('options.sessionIdContext', value);
  if (Buffer.byteLength(value) > MAX_SESSION_ID_CONTEXT)
    throw opensslError('ssl session id context too long');
}

function checkTicketKeys(value: Uint8Array): void {
  checkBytes('options.ticketKeys', value);
  const { byteLength } = value;
  if (byteLength !== 48) throw invalidValue('options.ticketKeys', 'must be exactly 48 bytes', byteLength);
}

const TEXT_OR_NOTHING = 'of type string or one of null or undefined';

/** A key in an engine of OpenSSL: what is wrong with it comes first, and what is right is not to be had. */
function checkEngineKey(identifier: unknown, { privateKeyEngine, key }: SecureContextOptions): void {
  if (privateKeyEngine === undefined || privateKeyEngine === null)
    throw invalidValue('options.privateKeyEngine', 'is invalid', privateKeyEngine);
  if (key) throw invalidValue('options.privateKeyIdentifier', 'is invalid', identifier);
  if (typeof identifier !== 'string')
    throw wrongType('options.privateKeyIdentifier', TEXT_OR_NOTHING, identifier);
  if (typeof privateKeyEngine !== 'string')
    throw wrongType('options.privateKeyEngine', TEXT_OR_NOTHING, privateKeyEngine);
  throw unsupportedEngine();
}

function refuseEngine(value: unknown): void {
  if (typeof value !== 'string') throw wrongType('options.clientCertEngine', TEXT_OR_NOTHING, value);
  throw unsupportedEngine();
}

function unsupportedEngine(): Error {
  return unsupportedOption(
    'privateKeyEngine/clientCertEngine',
    'give a Credential with a sign function instead',
  );
}

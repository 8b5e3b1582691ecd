import {
  checkBytes,
  checkFunction,
  checkInt32,
  checkNumber,
  checkString,
  invalidValue,
  outOfRange,
  wrongType,
} from './arguments.ts';
import type { SecureContextOptions } from './context-options.ts';
import { unsupportedOption } from './errors.ts';
import { opensslError } from './openssl-errors.ts';

/**
 * When an option counts as given. Programs pass on what their own callers left out, as undefined, null, false or an empty
 * text, and Node tests each option in its own way.
 */
type Given = 'if defined' | 'if present' | 'if true' | 'if text';

interface Rule {
  readonly given: Given;
  /** Throws what Node throws for a value of no use. */
  readonly check?: (value: never, options: SecureContextOptions) => void;
}

/** What `createSecureContext` makes of its options, in the order in which Node looks at them. */
const CONTEXT: Readonly<Record<string, Rule>> = {
  /** An empty one is no method. */
  secureProtocol: { given: 'if text' },
  minVersion: { given: 'if present' },
  maxVersion: { given: 'if present' },
  secureOptions: { given: 'if true', check: checkSecureOptions },
  ciphers: { given: 'if present', check: (value) => checkString('options.ciphers', value) },
  ca: { given: 'if true' },
  allowPartialTrustChain: { given: 'if true' },
  cert: { given: 'if true' },
  key: { given: 'if true' },
  sigalgs: { given: 'if present', check: checkSignatureAlgorithms },
  privateKeyIdentifier: { given: 'if present', check: checkEngineKey },
  ecdhCurve: { given: 'if defined', check: (value) => checkString('options.ecdhCurve', value) },
  dhparam: { given: 'if present' },
  crl: { given: 'if present' },
  sessionIdContext: { given: 'if present', check: checkSessionIdContext },
  pfx: { given: 'if present' },
  clientCertEngine: { given: 'if present', check: refuseEngine },
  ticketKeys: { given: 'if present', check: checkTicketKeys },
  sessionTimeout: {
    given: 'if present',
    check: (value) => checkInt32('options.sessionTimeout', value, 0),
  },
  honorCipherOrder: { given: 'if true' },
  certificateCompression: { given: 'if present' },
};

/** Of these a server passes on what is true only. */
const SERVERS: readonly (keyof SecureContextOptions)[] = [
  ...(['pfx', 'key', 'passphrase', 'cert', 'clientCertEngine', 'ca', 'minVersion', 'maxVersion'] as const),
  ...(['secureProtocol', 'crl', 'ciphers', 'dhparam', 'secureOptions', 'sessionIdContext'] as const),
  ...(['sessionTimeout', 'ticketKeys'] as const),
];

/** The options of a context that count, checked. Throws with the codes of `node:tls`. */
export function givenToContext(options: SecureContextOptions): SecureContextOptions {
  const given: Record<string, unknown> = { ...options };
  // With a flag of its own Node makes a number of whatever it is.
  if (options.honorCipherOrder) given['secureOptions'] = (options.secureOptions as number) | 0;
  for (const [name, rule] of Object.entries(CONTEXT)) {
    const value = given[name];
    if (!isGiven(value, rule.given)) delete given[name];
    else rule.check?.(value as never, options);
  }
  return given as SecureContextOptions;
}

/** The options of a server's context, before {@link givenToContext}. */
export function givenToServer<Options extends SecureContextOptions>(options: Options): Options {
  const given = { ...options };
  for (const name of SERVERS) if (!given[name]) delete given[name];
  given.honorCipherOrder = options.honorCipherOrder === undefined || Boolean(options.honorCipherOrder);
  return given;
}

/** A callback; undefined for what is not true. Throws `ERR_INVALID_ARG_TYPE`. */
export function givenFunction<T>(name: string, value: T): T | undefined {
  return value ? checkFunction(name, value) : undefined;
}

function isGiven(value: unknown, given: Given): boolean {
  if (given === 'if true') return Boolean(value);
  if (given === 'if text') return typeof value === 'string';
  return value !== undefined && (given === 'if defined' || value !== null);
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

import { constants } from 'node:crypto';
import { systemCrypto } from '@testudo/crypto/openssl';
import type { SecurityLevel } from '@testudo/x509';
import { defaultGroups } from '../../config/defaults.ts';
import { legacy } from '../../legacy/index.ts';
import type { ClientOptions } from '../../options/client.ts';
import type { ServerOptions } from '../../options/server.ts';
import type { CipherSuite } from '../../suites/index.ts';
import { DEFAULT_SECURITY_LEVEL, TAKES_NO_CURVES } from '../as-node/running-node.ts';
import { invalidValue } from '../errors/arguments.ts';
import { parseCipherList } from './cipher-list.ts';
import { isDefaultList, isForServers, parseCurves, parseSignatureAlgorithms } from './ciphers.ts';
import type { SecureContextOptions } from './context-options.ts';
import { finiteFieldFor } from './dh-parameters.ts';
import { readCompressions, readRenegotiation } from './engine-options.ts';
import type { ContextTerms } from './option-table.ts';
import { strictnessOf } from './strictness.ts';
import { type EnabledVersions, rangeOf, readVersions } from './version-options.ts';

/** What the options that are read say, in the engine's terms. */
export interface Negotiation {
  /** What is left of the versions: see {@link enabledOnly}. */
  readonly enabled: EnabledVersions;
  /** OpenSSL's, for certificates. */
  readonly securityLevel: SecurityLevel;
  readonly usesTickets: boolean;
  /** For a client's configuration. */
  readonly client: Partial<ClientOptions>;
  /** For a server's configuration. */
  readonly server: Partial<ServerOptions>;
}

/** Reads versions, ciphers, curves, signature algorithms and the like. Throws for what cannot be read. */
export function readNegotiation(options: ContextTerms): Negotiation {
  const { ciphers, ecdhCurve, sigalgs } = options;
  const secureOptions = options.secureOptions ?? 0;
  const names = ciphers.split(':');
  if (!names.some((name) => name !== '')) throw invalidValue('options.ciphers', 'is invalid', names);
  const list = parseCipherList(ciphers, options.legacy !== undefined);
  // With OpenSSL, too, level 0 lets old versions be named, and takes short primes and SHA-1.
  const old = options.legacy ?? (list.securityLevel === 0 ? legacy : undefined);
  const allowsOld = old !== undefined;
  const strictness = strictnessOf(options.strict);
  const renegotiation = readRenegotiation({
    given: options.renegotiation,
    isStrict: strictness.renegotiation,
    secureOptions,
  });
  const enabled = readVersions(options, list.suites, allowsOld);
  const cipherSuites = suites(list.suites, {
    isDefault: isDefaultList(ciphers) && !enabled.server.some((version) => version < 'TLSv1.2'),
    isStrict: strictness.cipherSuites,
  });
  const both = {
    ...rangeOf(enabled, list.suites),
    groups: groups(ecdhCurve, options.dhparam),
    signatureSchemes: sigalgs ? parseSignatureAlgorithms(sigalgs, allowsOld) : undefined,
    certificateCompression: readCompressions(options.certificateCompression),
    encryptThenMac: (secureOptions & constants.SSL_OP_NO_ENCRYPT_THEN_MAC) === 0,
    legacy: old,
  };
  const side = <Side extends 'client' | 'server'>(name: Side) => ({
    ...both,
    cipherSuites: cipherSuites[name],
    renegotiation: renegotiation[name],
  });
  return {
    enabled,
    securityLevel: list.securityLevel ?? DEFAULT_SECURITY_LEVEL,
    usesTickets: (secureOptions & constants.SSL_OP_NO_TICKET) === 0,
    client: side('client'),
    server: side('server'),
  };
}

/** Both sides' suites by name; undefined for the engine's own policy. */
function suites(
  all: readonly CipherSuite[],
  { isDefault, isStrict }: { readonly isDefault: boolean; readonly isStrict: boolean },
): Readonly<Record<'client' | 'server', readonly string[] | undefined>> {
  if (isDefault && isStrict) return { client: undefined, server: undefined };
  const client = all.map(({ name }) => name);
  return { client, server: isDefault ? all.filter(isForServers).map(({ name }) => name) : client };
}

/** An empty list is none to the OpenSSL of newer versions of Node, and an error to older ones. */
function isCurveList(list: string | undefined): list is string {
  return list !== undefined && !(list === '' && TAKES_NO_CURVES);
}

function groups(
  ecdhCurve: string | undefined,
  dhparam: SecureContextOptions['dhparam'],
): readonly string[] | undefined {
  const curves = isCurveList(ecdhCurve) ? parseCurves(ecdhCurve) : undefined;
  const field = finiteFieldFor(dhparam);
  if (field === undefined) return curves;
  return [...(curves ?? defaultGroups(systemCrypto()).map(({ name }) => name)), field];
}

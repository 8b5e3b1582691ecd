import { nodeOriginals } from '../as-node/replaceable-members.ts';
import type { SecureContextOptions } from '../context/context-options.ts';
import { givenToContext } from '../context/option-table.ts';
import { UNSUPPORTED_OPTION } from './errors.ts';

/**
 * Reads options of a context. Where that throws, it is what the Node that runs throws for all of them that is thrown, with ours as
 * the cause: of several that are wrong the same one, in the same words.
 */
export function asNode<T>(options: SecureContextOptions, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw nodesError(options, error as Error);
  }
}

function nodesError(given: SecureContextOptions, error: Error & { code?: unknown }): Error {
  // What only Node has would not fail there, or for another reason.
  const options = error.code === UNSUPPORTED_OPTION ? { ...given, ...NO_ENGINES } : given;
  try {
    nodeOriginals.createSecureContext(forNode(options));
  } catch (theirs) {
    if (theirs instanceof Error) {
      if ((theirs as { code?: unknown }).code !== error.code) theirs.cause = error;
      return theirs;
    }
  }
  return error;
}

const NO_ENGINES: SecureContextOptions = {
  clientCertEngine: undefined,
  privateKeyEngine: undefined,
  privateKeyIdentifier: undefined,
};

/** With the defaults that the program has replaced, and without what only ours takes. */
function forNode(options: SecureContextOptions): SecureContextOptions {
  const { ciphers, ecdhCurve, minVersion, maxVersion } = givenToContext({});
  const hasMethod = typeof options.secureProtocol === 'string' && options.secureProtocol !== '';
  return {
    ...options,
    ciphers: options.legacy ? undefined : isNothing(options.ciphers) ? ciphers : options.ciphers,
    ecdhCurve: options.ecdhCurve === undefined ? ecdhCurve : options.ecdhCurve,
    ...(hasMethod
      ? {}
      : { minVersion: options.minVersion ?? minVersion, maxVersion: options.maxVersion ?? maxVersion }),
  };
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

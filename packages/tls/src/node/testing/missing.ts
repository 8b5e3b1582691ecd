/**
 * Everything that the modules of Node 20 to 26 have and ours lack, with its reason and the error that a user gets. The tests compare it
 * with the Node that runs, and the table in the package's README.md with both.
 */
export interface Missing {
  /** The Node that brought it. */
  readonly since: string;
  /** The Node that removed it. */
  readonly until?: string | undefined;
  readonly why: string;
  /** The code of the error, for what throws. */
  readonly error?: string | undefined;
}

const INTERNAL = 'not documented, a part of Node: it needs a handle of OpenSSL';

/** By the object that has the member in Node. */
export const MISSING_MEMBERS: Readonly<Record<string, Readonly<Record<string, Missing>>>> = {
  tls: {
    createSecurePair: {
      since: '0.3.2',
      until: '24',
      why: 'removed from Node, too: use TLSSocket over any Duplex',
    },
  },
  'tls.Server.prototype': {
    setOptions: { since: '0.3.2', until: '24', why: 'not documented: `setSecureContext` does it' },
  },
  'tls.TLSSocket.prototype': Object.fromEntries(
    ['_wrapHandle', '_init', '_finishInit'].map((name) => [name, { since: '0.11.4', why: INTERNAL }]),
  ),
};

/** Options of `createSecureContext`, each with a value that is refused. */
export const MISSING_OPTIONS: Readonly<Record<string, Missing & { readonly value: object }>> = {
  clientCertEngine: {
    since: '9.0.0',
    why: 'there is no OpenSSL that could load an engine: keys elsewhere are for the engine\u2019s Credential, with a sign function',
    error: 'ERR_TESTUDO_UNSUPPORTED_OPTION',
    value: { clientCertEngine: 'pkcs11' },
  },
  privateKeyEngine: {
    since: '12.11.0',
    why: 'as clientCertEngine',
    error: 'ERR_TESTUDO_UNSUPPORTED_OPTION',
    value: { privateKeyEngine: 'pkcs11', privateKeyIdentifier: 'key' },
  },
  privateKeyIdentifier: {
    since: '12.11.0',
    why: 'as clientCertEngine',
    error: 'ERR_TESTUDO_UNSUPPORTED_OPTION',
    value: { privateKeyEngine: 'pkcs11', privateKeyIdentifier: 'key' },
  },
};

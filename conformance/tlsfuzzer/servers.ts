import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  CIPHER_SUITES,
  type Credential,
  credential,
  GROUPS,
  MemorySessionStore,
  type ServerOptions,
  SIGNATURE_SCHEMES,
  suiteAvailable,
  TicketKeys,
} from '@testudo/tls';
import { legacy, ssl2Hello } from '@testudo/tls/legacy';
import { certificateCompressions } from '@testudo/tls/node';
import { parseCertificates, parsePrivateKey } from '@testudo/x509';
import { SCHEMES, SCHEMES12, SCHEMES13 } from './client-certificates.ts';

/** The certificates of tlsfuzzer's folder `tests`. */
export type CertificateName = `server${string}`;

/** Makes a server's options from tlsfuzzer's own keys. */
export type ServerKind = (keys: (name: CertificateName) => Credential) => ServerOptions;

const provider = nodeCrypto;
const accept = () => ({ accepted: true });

/** What the engine does unless it is told otherwise, with a certificate. */
const strict: ServerKind = (keys) => ({
  provider,
  credentials: [keys('serverX509')],
  tickets: new TicketKeys(provider),
  sessionStore: new MemorySessionStore(),
});

/** The same with every group and suite of TLS 1.3, for scripts that try them all. */
const wide: ServerKind = (keys) => ({
  ...strict(keys),
  minVersion: 'TLSv1.3',
  cipherSuites: CIPHER_SUITES.filter(({ name }) => /^TLS_(AES|CHACHA20)_/.test(name)).map(({ name }) => name),
  groups: GROUPS.filter((group) => group.available(provider)).map(({ name }) => name),
});

/** Everything that is not anonymous or without a cipher. */
const legacyOptions: Omit<ServerOptions, 'credentials'> = {
  provider,
  legacy,
  minVersion: 'TLSv1',
  cipherSuites: CIPHER_SUITES.filter(
    (suite) =>
      suite.authentication !== 'anon' && !/NULL|RC4/.test(suite.name) && suiteAvailable(suite, provider),
  ).map(({ name }) => name),
  groups: GROUPS.filter((group) => group.available(provider)).map(({ name }) => name),
  signatureSchemes: SIGNATURE_SCHEMES.map(({ name }) => name),
  renegotiation: { limit: 1000 },
  ssl2Hello,
  heartbeat: 'answer',
};

const old: ServerKind = (keys) => ({
  ...legacyOptions,
  credentials: [keys('serverX509')],
  alpnProtocols: ['http/1.1', 'h2', 'http/2'],
  preferServerOrder: false,
  tickets: new TicketKeys(provider),
  sessionStore: new MemorySessionStore(),
});

const asking = (kind: ServerKind): ServerKind => {
  return (keys) => ({ ...kind(keys), clientCertificate: 'request', verifyCertificate: accept });
};

/** The client is asked for a certificate by what it requests, and not in the handshake. */
const askingLater = (kind: ServerKind): ServerKind => {
  return (keys) => ({ ...kind(keys), verifyCertificate: accept });
};

/** Knows one name, and clients that send none. */
const called = (name: string, kind: ServerKind): ServerKind => {
  return (keys) => {
    const options = kind(keys);
    const credentials = options.credentials as readonly Credential[];
    return {
      ...options,
      credentials: ({ serverName }) => ([undefined, name].includes(serverName) ? credentials : []),
    };
  };
};

const showing = (kind: ServerKind, ...names: CertificateName[]): ServerKind => {
  return (keys) => ({ ...kind(keys), credentials: names.map(keys) });
};

const psk = (hash: 'sha256' | 'sha384'): ServerKind => {
  const known = { identity: Buffer.from('test'), key: Uint8Array.of(0xaa), hash };
  return () => ({
    provider,
    credentials: [],
    groups: GROUPS.filter((group) => group.available(provider)).map(({ name }) => name),
    findPsk: ({ identity }) => (Buffer.from(identity).equals(known.identity) ? known : undefined),
  });
};

/** Kinds of servers, by the names that the plan uses. */
export const SERVERS: Readonly<Record<string, ServerKind>> = {
  strict,
  wide,
  legacy: old,
  ssl30: (keys) => ({ ...old(keys), minVersion: 'SSLv3' }),
  'no-renegotiation': (keys) => ({ ...old(keys), renegotiation: false }),
  'no-heartbeat': (keys) => ({ ...old(keys), heartbeat: undefined }),
  tls12: (keys) => ({ ...old(keys), maxVersion: 'TLSv1.2' }),
  'own-order': (keys) => ({ ...old(keys), preferServerOrder: true }),
  asks12: asking((keys) => ({ ...old(keys), maxVersion: 'TLSv1.2', signatureSchemes: SCHEMES12 })),
  'asks12-dsa': asking(showing(old, 'serverDSA')),
  asks13: asking((keys) => ({
    ...wide(keys),
    signatureSchemes: SCHEMES13,
    certificateCompression: certificateCompressions.filter(({ name }) => name === 'zlib'),
  })),
  asks: asking((keys) => ({
    ...old(keys),
    signatureSchemes: SCHEMES,
  })),
  'asks-later': askingLater(wide),
  'asks-again': askingLater((keys) => ({ ...old(keys), maxVersion: 'TLSv1.2' })),
  localhost: called('localhost', old),
  'says-no-name': (keys) => ({ ...old(keys), acknowledgeServerName: false }),
  compressing: (keys) => ({ ...old(keys), certificateCompression: certificateCompressions }),
  psk256: psk('sha256'),
  psk384: psk('sha384'),
  'rsa-pss': showing(strict, 'serverRSAPSS'),
  ecdsa: showing(strict, 'serverEC', 'serverP384EC', 'serverP521EC'),
  'legacy-ecdsa': showing(old, 'serverEC', 'serverP384EC', 'serverP521EC'),
  'legacy-rsa-pss': showing(old, 'serverRSAPSS'),
  eddsa: showing(strict, 'serverEd25519', 'serverEd448'),
  brainpool: showing(old, 'serverBrainpoolP256r1EC'),
  dsa: showing(old, 'serverDSA'),
};

/** Reads tlsfuzzer's keys. @param folder its checkout. */
export function keysOf(folder: string): (name: CertificateName) => Credential {
  const read = (name: string) => readFileSync(join(folder, 'tests', name), 'utf8');
  return (name) => {
    const chain = parseCertificates(read(`${name}Cert.pem`)).map(({ der }) => der);
    return credential(provider, chain, parsePrivateKey(asPkcs8(read(`${name}Key.pem`)), provider));
  };
}

/** Keys of DSA come in OpenSSL's own form. */
function asPkcs8(pem: string): string {
  if (!pem.includes('BEGIN DSA PRIVATE KEY')) return pem;
  return createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }) as string;
}

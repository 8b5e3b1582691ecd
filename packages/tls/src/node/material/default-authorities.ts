import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as nodeTls from 'node:tls';
import {
  type Certificate,
  CertificateError,
  certificateToPem,
  parseCertificates,
  TrustStore,
} from '@testudo/x509';
import { nodeOriginals } from '../as-node/replaceable-members.ts';
import { invalidValue, wrongType } from '../errors/arguments.ts';
import { nodeError, unsupportedOption } from '../errors/errors.ts';
import { loadEach } from './load-identities.ts';
import { opensslStore, usesOpensslStore } from './openssl-store.ts';

/**
 * Whom a context without the option `ca` trusts: Mozilla's roots as Node brings them and those in the file that
 * NODE_EXTRA_CA_CERTS names, OpenSSL's (SSL_CERT_FILE, SSL_CERT_DIR) with `--use-openssl-ca`, or what {@link setDefaultCACertificates} was given. Read on first use and kept.
 */
export function defaultAuthorities(): TrustStore {
  store ??= new TrustStore(getCACertificates('default').flatMap(tryParse));
  return store;
}

/** Gives all who may have issued a certificate, and perhaps others. */
export type IssuerLookup = (child: Certificate) => readonly Certificate[];

/**
 * Looks among the default authorities for those who may have issued a certificate; another function after they were
 * replaced. The others are not parsed: a server that verifies nobody would keep a few megabytes of them, and its first client
 * would wait.
 */
export function defaultIssuers(): IssuerLookup {
  return issuers;
}

let issuers: IssuerLookup = possibleIssuers;

function possibleIssuers({ extensions }: Certificate): readonly Certificate[] {
  if (store !== undefined) return [...store];
  const keyIdentifier = extensions.authorityKeyIdentifier?.keyIdentifier;
  const all = getCACertificates('default');
  if (keyIdentifier === undefined) return all.flatMap(tryParse);
  const wanted = Buffer.from(keyIdentifier);
  return all.filter((pem) => mayBe(pem, wanted)).flatMap(tryParse);
}

/** Who names a key as his own is not found by the name of another. */
function mayBe(pem: string, keyIdentifier: Buffer): boolean {
  const der = Buffer.from(pem.slice(pem.indexOf('\n'), pem.lastIndexOf('-----END')), 'base64');
  return der.includes(keyIdentifier) || !der.includes(SUBJECT_KEY_IDENTIFIER);
}

/** id-ce-subjectKeyIdentifier, 2.5.29.14 (RFC 5280 §4.2.1.2). */
const SUBJECT_KEY_IDENTIFIER = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x0e]);

let store: TrustStore | undefined;
let replaced: readonly string[] | undefined;
let extra: readonly string[] | undefined;

type Kind = 'default' | 'system' | 'bundled' | 'extra';
type NewerTls = { getCACertificates?(kind: Kind): string[] };
const { getCACertificates: nodesOwn } = nodeTls as unknown as NewerTls;

/**
 * PEM certificates as `tls.getCACertificates` of Node 22 has them, here for older ones, too. `system`, the operating
 * system's own store, is only there when the running Node can read it: else it throws
 * `ERR_TESTUDO_UNSUPPORTED_OPTION`.
 */
export function getCACertificates(type: Kind = 'default'): string[] {
  // Frozen, which Node's types do not say.
  return certificatesOf(type) as string[];
}

function certificatesOf(type: Kind): readonly string[] {
  if (typeof type !== 'string') throw wrongType('type', 'of type string', type);
  switch (type) {
    case 'bundled':
      return nodeOriginals.rootCertificates();
    case 'extra':
      extra ??= Object.freeze(readExtra());
      return extra;
    case 'system':
      return system();
    case 'default':
      return replaced ?? defaults();
    default:
      throw invalidValue('type', 'is invalid', type);
  }
}

/** From now on, for contexts made without `ca`. Takes PEM texts or bytes, as `tls.setDefaultCACertificates`. */
export function setDefaultCACertificates(certs: readonly (string | NodeJS.ArrayBufferView)[]): void {
  if (!Array.isArray(certs)) throw wrongType('certs', 'an instance of Array', certs);
  for (const [i, one] of certs.entries()) {
    if (typeof one !== 'string' && !ArrayBuffer.isView(one))
      throw wrongType(`certs[${i}]`, 'of type string or an instance of ArrayBufferView', one);
  }
  const found = new Map<string, Certificate>();
  for (const one of certs.flatMap(loadEach)) found.set(createHash('sha1').update(one.der).digest('hex'), one);
  if (found.size === 0 && certs.length > 0)
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', 'No valid certificates found in the provided array');
  // Node keeps each once, and in the order of OpenSSL, which compares hashes.
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  replaced = Object.freeze(sorted.map((one) => certificateToPem(one)));
  const added = new TrustStore(sorted);
  store = added;
  issuers = () => [...added];
}

/** Node decides by its flags where it is new enough to tell, but for `--use-openssl-ca`, of which it does not tell. */
function defaults(): readonly string[] {
  if (usesOpensslStore()) {
    return Object.freeze([...opensslStore().flatMap(splitPem), ...getCACertificates('extra')]);
  }
  if (nodesOwn !== undefined) return nodesOwn('default');
  return Object.freeze([...nodeOriginals.rootCertificates(), ...getCACertificates('extra')]);
}

function system(): readonly string[] {
  if (nodesOwn !== undefined) return nodesOwn('system');
  throw unsupportedOption('system', 'this version of Node cannot read the certificates of the system');
}

/** As Node: a file that cannot be read is a warning, not an error. */
function readExtra(): string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  if (!file) return [];
  try {
    return splitPem(readFileSync(file, 'latin1'));
  } catch (error) {
    const text = (error as Error).message;
    process.emitWarning(`Ignoring extra certs from \`${file}\`, load failed: ${text}`);
    return [];
  }
}

function splitPem(text: string): string[] {
  const block = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[\s\S]*?-----END \1-----/g;
  return text.match(block) ?? [];
}

/** A root that we do not understand is a root that we do not trust. */
function tryParse(pem: string): Certificate[] {
  try {
    // Names are parsed on first use: here, so that one that cannot be read leaves out its root only.
    return parseCertificates(pem).filter(({ subject }) => subject.key !== '');
  } catch (error) {
    if (error instanceof CertificateError) return [];
    throw error;
  }
}

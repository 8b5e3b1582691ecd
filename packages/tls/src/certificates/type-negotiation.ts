import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { clientCertificateType, serverCertificateType } from '../extensions/certificate-type.ts';
import type { ClientHandshake, Handshake, ServerHandshake } from '../handshake/context.ts';
import type { Session } from '../sessions/session.ts';
import type { Credential } from './credential.ts';
import type {
  CertificateType,
  CertificateTypes,
  ClientCertificateTypes,
  TakenCertificateTypes,
} from './types.ts';

/** Certificate types by their numbers (RFC 7250 §3). */
const CODES: Readonly<Record<CertificateType, number>> = { x509: 0, 'raw-public-key': 2 };
const X509_ONLY: readonly CertificateType[] = ['x509'];
const NEITHER: CertificateTypes = { client: 'x509', server: 'x509' };

/** Throws `bad-option`. */
export function clientCertificateTypes(options: {
  readonly serverCertificateTypes?: readonly CertificateType[] | undefined;
  readonly clientCertificateTypes?: readonly CertificateType[] | undefined;
  readonly verifyRawPublicKey?: unknown;
  readonly credentials?: unknown;
}): ClientCertificateTypes {
  const { credentials, verifyRawPublicKey } = options;
  const verifies = verifyRawPublicKey !== undefined;
  const takes = options.serverCertificateTypes ?? (verifies ? ['raw-public-key', 'x509'] : X509_ONLY);
  const ofCredentials =
    Array.isArray(credentials) && credentials.length > 0 ? typesOf(credentials) : X509_ONLY;
  const shows = options.clientCertificateTypes ?? ofCredentials;
  for (const type of [...takes, ...shows])
    if (CODES[type] === undefined) throw new TlsError('bad-option', `no certificate type is called ${type}`);
  if (takes.length === 0 || shows.length === 0)
    throw new TlsError('bad-option', 'at least one certificate type is needed');
  if (takes.includes('raw-public-key') && !verifies)
    throw new TlsError('bad-option', 'accepting raw public keys needs verifyRawPublicKey');
  return { takes, shows };
}

/** A server's options, checked. Throws `bad-option`. */
export function takenCertificateTypes(options: {
  readonly clientCertificateTypes?: readonly CertificateType[] | undefined;
  readonly verifyRawPublicKey?: unknown;
  readonly verifyCertificate?: unknown;
}): TakenCertificateTypes {
  const verified: CertificateType[] = [];
  if (options.verifyRawPublicKey !== undefined) verified.push('raw-public-key');
  if (options.verifyCertificate !== undefined) verified.push('x509');
  const given = options.clientCertificateTypes;
  if (given === undefined) return { takes: verified, takesInOrder: false };
  if (given.length === 0) throw new TlsError('bad-option', 'at least one certificate type is needed');
  for (const type of given)
    if (!verified.includes(type))
      throw new TlsError('bad-option', `no verifier was given for the certificate type ${type}`);
  return { takes: given, takesInOrder: true };
}

/** What stands in the peer's Certificate. */
export function typeShownBy(h: Handshake, role: 'client' | 'server'): CertificateType {
  return h.certificateTypes === undefined ? 'x509' : h.certificateTypes[role];
}

/** Client: offers what is not X.509 alone (RFC 7250 §4.1). */
export function offerCertificateTypes(h: ClientHandshake, block: ExtensionBlock<'client_hello'>): void {
  const { takes, shows } = h.config.features.certificateTypes;
  if (!isX509Only(shows)) block.set(clientCertificateType, codes(shows));
  if (!isX509Only(takes)) block.set(serverCertificateType, codes(takes));
}

/** Client: what the server chose. Throws `illegal-parameter`, `no-common-certificate-type`. */
export function learnCertificateTypes(
  h: ClientHandshake,
  answer: ExtensionBlock<'server_hello_12'> | ExtensionBlock<'encrypted_extensions'>,
): void {
  const { takes, shows } = h.config.features.certificateTypes;
  if (isX509Only(takes) && isX509Only(shows)) return;
  const block = answer as ExtensionBlock<'encrypted_extensions'>;
  const server = chosen(takes, block.get(serverCertificateType));
  if (!takes.includes(server)) {
    throw new TlsError(
      'no-common-certificate-type',
      'the server sent an X.509 certificate, but only raw public keys are accepted here',
    );
  }
  h.certificateTypes = { server, client: chosen(shows, block.get(clientCertificateType)) };
}

/**
 * Server: the credentials whose type the client takes. Throws `no-common-certificate-type` when there are others only, unless
 * it can do without; `illegal-parameter` for a list that should have been left out.
 */
export function credentialsForClient(
  credentials: readonly Credential[],
  asked: ExtensionBlock<'client_hello'>,
  canDoWithout = false,
): readonly Credential[] {
  const taken = asked.get(serverCertificateType);
  expectMoreThanX509(taken);
  if (taken === undefined && !credentials.some(isRaw)) return credentials;
  const fitting = credentials.filter((each) => (taken ?? [CODES.x509]).includes(CODES[typeOf(each)]));
  if (fitting.length > 0 || credentials.length === 0 || canDoWithout) return fitting;
  throw new TlsError(
    'no-common-certificate-type',
    'the client accepts none of the certificate types that this server has',
  );
}

/** The credentials of one type: a client's for a server that chose it. */
export function credentialsOfType(
  credentials: readonly Credential[],
  type: CertificateType,
): readonly Credential[] {
  return credentials.every((each) => typeOf(each) === type)
    ? credentials
    : credentials.filter((each) => typeOf(each) === type);
}

/** Server: says what it shows, and what it wants to see, to a client that asked (RFC 7250 §4.2). */
export function answerCertificateTypes(
  h: ServerHandshake,
  asked: ExtensionBlock<'client_hello'>,
  answer: ExtensionBlock<'server_hello_12'> | ExtensionBlock<'encrypted_extensions'>,
  own: Credential | undefined,
  asksForCertificate: boolean,
): void {
  const block = answer as ExtensionBlock<'encrypted_extensions'>;
  if (own !== undefined && asked.has(serverCertificateType)) {
    block.set(serverCertificateType, CODES[typeOf(own)]);
    h.certificateTypes = { ...NEITHER, server: typeOf(own) };
  }
  if (!asksForCertificate) return;
  const shown = asked.get(clientCertificateType);
  expectMoreThanX509(shown);
  const type = wanted(h, shown);
  if (shown === undefined || type === undefined) return;
  block.set(clientCertificateType, CODES[type]);
  if (type !== 'x509') h.certificateTypes = { ...(h.certificateTypes ?? NEITHER), client: type };
}

/** Server: nothing is shown in a resumption; the type that was shown is named again for clients that look for it. */
export function nameResumedType(
  h: ServerHandshake,
  asked: ExtensionBlock<'client_hello'>,
  answer: ExtensionBlock<'server_hello_12'> | ExtensionBlock<'encrypted_extensions'>,
  { localCertificateType: type }: Session,
): void {
  if (type === undefined) return;
  // What the next ticket keeps.
  h.certificateTypes = { ...NEITHER, server: type };
  if (!asked.get(serverCertificateType)?.includes(CODES[type])) return;
  (answer as ExtensionBlock<'encrypted_extensions'>).set(serverCertificateType, CODES[type]);
}

/** The type to ask a client for; undefined where X.509 is all that it can be, and where a later request is impossible. */
function wanted(h: ServerHandshake, shown: readonly number[] | undefined): CertificateType | undefined {
  const { takes, takesInOrder } = h.config.features;
  const theirs = shown ?? [CODES.x509];
  const common = takesInOrder
    ? takes.find((each) => theirs.includes(CODES[each]))
    : theirs.map(typeOfCode).find((each) => each !== undefined && takes.includes(each));
  if (common !== undefined) return common;
  const asksNow = h.config.clientCertificate !== 'none';
  // Who takes certificates only does not know the extension (RFC 7250 §4.2, first outcome).
  const isNegotiating = takesInOrder || (shown !== undefined && takes.includes('raw-public-key'));
  if (!asksNow || !isNegotiating) return undefined;
  throw new TlsError(
    'no-common-certificate-type',
    'the client has none of the certificate types that this server accepts',
  );
}

/** Throws `illegal-parameter`: who knows nothing but X.509 says nothing (RFC 7250 §4.1). */
function expectMoreThanX509(list: readonly number[] | undefined): void {
  if (list?.length !== 1 || list[0] !== CODES.x509) return;
  throw new TlsError('illegal-parameter', 'the client names X.509 as its only certificate type');
}

/** What a Certificate message shows: the chain, or the key. */
export function shownBy(credential: Credential): readonly Uint8Array[] {
  return credential.rawPublicKey === undefined ? credential.certificates : [credential.rawPublicKey];
}

function chosen(offered: readonly CertificateType[], code: number | undefined): CertificateType {
  if (code === undefined) return 'x509';
  const type = typeOfCode(code);
  if (type !== undefined && offered.includes(type)) return type;
  throw new TlsError(
    'illegal-parameter',
    `the server chooses certificate type ${code}, which was not offered`,
  );
}

function typeOfCode(code: number): CertificateType | undefined {
  return code === CODES.x509 ? 'x509' : code === CODES['raw-public-key'] ? 'raw-public-key' : undefined;
}

function typeOf(credential: Credential): CertificateType {
  return isRaw(credential) ? 'raw-public-key' : 'x509';
}

function isRaw({ rawPublicKey }: Credential): boolean {
  return rawPublicKey !== undefined;
}

function typesOf(credentials: readonly Credential[]): CertificateType[] {
  return [...new Set(credentials.map(typeOf))];
}

function isX509Only(types: readonly CertificateType[]): boolean {
  return types.length === 1 && types[0] === 'x509';
}

function codes(types: readonly CertificateType[]): number[] {
  return types.map((type) => CODES[type]);
}

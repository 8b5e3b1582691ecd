import type { KeyKind } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import {
  ecPointFormats,
  extendedMasterSecret,
  renegotiationInfo,
  sessionTicket,
  signatureAlgorithms,
  supportedGroups,
} from '../extensions/negotiation.ts';
import { type Flow, perform } from '../flow.ts';
import { type Group, groupByName } from '../groups.ts';
import {
  type ChosenCredential,
  chooseScheme,
  satisfiesClientAuthentication,
} from '../handshake/authentication.ts';
import type { ServerHandshake } from '../handshake/server-handshake.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { ClientHelloInfo } from '../options.ts';
import { isFresh, type Session } from '../sessions/session.ts';
import { type CipherSuite, cipherSuite, EMPTY_RENEGOTIATION_INFO_SCSV } from '../suites.ts';
import { TLS12 } from '../versions.ts';

/** What a full handshake uses. */
export interface Parameters12 extends ChosenCredential {
  readonly suite: CipherSuite;
  readonly group: Group;
}

/** Suite, group, credential and scheme that fit each other and the client (RFC 5246 §7.4.1.3, RFC 8422 §4). */
export function* chooseParameters(
  h: ServerHandshake,
  hello: ClientHello,
  info: ClientHelloInfo,
): Flow<Parameters12> {
  const credentials = yield* perform('chooseCredentials', info);
  if (credentials.length === 0) {
    throw new TlsError(
      'no-certificate-for-name',
      `no certificate for ${JSON.stringify(info.serverName ?? 'a client without SNI')}`,
    );
  }
  const group = chooseGroup(h, hello);
  const theirs = hello.extensions.get(signatureAlgorithms) ?? [];
  let shared = false;
  for (const suite of commonSuites(h, hello)) {
    shared = true;
    const fitting = credentials.filter(
      ({ keyKind }) =>
        keyKind.type.startsWith('rsa') === (suite.authentication === 'rsa') && curveIsOffered(hello, keyKind),
    );
    const chosen = chooseScheme(fitting, h.config.signatureSchemes, theirs, TLS12);
    if (chosen !== undefined) return { suite, group, ...chosen };
  }
  if (!shared)
    throw new TlsError('no-common-cipher-suite', 'client and server share no TLS 1.2 cipher suite');
  throw new TlsError(
    'no-common-signature-scheme',
    'no suite that both know fits a key of ours, and a curve and a signature that the client can verify',
  );
}

/** The curve of an ECDSA certificate must be among those the client offers, if it says any (RFC 8422 §5.1). */
function curveIsOffered(hello: ClientHello, key: KeyKind): boolean {
  const offered = hello.extensions.get(supportedGroups);
  return key.type !== 'ec' || offered === undefined || offered.includes(groupByName(key.curve)!.id);
}

function commonSuites(h: ServerHandshake, hello: ClientHello): CipherSuite[] {
  const ours = h.config.cipherSuites.filter((suite) => suite.version === TLS12);
  if (h.config.options.preferServerOrder !== false)
    return ours.filter((suite) => hello.cipherSuites.includes(suite.id));
  return hello.cipherSuites.flatMap((id) => ours.find((own) => own.id === id) ?? []);
}

/** Without supported_groups a client takes any curve (RFC 8422 §4); the most widespread one then. */
function chooseGroup(h: ServerHandshake, hello: ClientHello): Group {
  const offered = hello.extensions.get(supportedGroups);
  const ours = h.config.groups.filter((group) => group.tls12);
  const group =
    offered === undefined
      ? ours.find((own) => own.name === 'secp256r1')
      : ours.find((own) => offered.includes(own.id));
  if (group !== undefined) return group;
  throw new TlsError('no-common-group', 'client and server share no curve');
}

/** Checks the extensions that only TLS 1.2 has; tells whether renegotiation_info is to be answered. */
export function checkExtensions(
  h: ServerHandshake,
  hello: ClientHello,
): { secureRenegotiation: boolean; extended: boolean } {
  const { extensions } = hello;
  const formats = extensions.get(ecPointFormats);
  if (formats !== undefined && !formats.includes(0)) {
    throw new TlsError('illegal-parameter', 'the client does not take uncompressed points (RFC 8422 §5.1.2)');
  }
  const renegotiation = extensions.get(renegotiationInfo);
  if (renegotiation !== undefined && renegotiation.length > 0) {
    throw new TlsError(
      'insecure-renegotiation',
      'renegotiation_info of a first handshake must be empty (RFC 5746 §3.6)',
    );
  }
  const extended = extensions.has(extendedMasterSecret);
  if (!extended && h.config.options.allowNoExtendedMasterSecret === false) {
    throw new TlsError(
      'no-extended-master-secret',
      'the client does not know extended_master_secret, which is required here',
    );
  }
  const secureRenegotiation =
    renegotiation !== undefined || hello.cipherSuites.includes(EMPTY_RENEGOTIATION_INFO_SCSV);
  return { secureRenegotiation, extended };
}

/** A session to resume: by ticket, or by ID. A ticket that is not understood means a full handshake. */
export function* findSession(
  h: ServerHandshake,
  hello: ClientHello,
  info: ClientHelloInfo,
  extended: boolean,
): Flow<Session | undefined> {
  const ticket = hello.extensions.get(sessionTicket);
  const id = hello.legacySessionId;
  let session: Session | undefined;
  if (ticket !== undefined && ticket.length > 0) session = yield* perform('openTicket', ticket);
  else if (id.length > 0) session = yield* perform('findSession', id);
  if (session === undefined || !fits(h, session, hello, info)) return undefined;
  if (session.extendedMasterSecret && !extended) {
    throw new TlsError(
      'extended-master-secret-mismatch',
      'the client resumes a session without its extended_master_secret (RFC 7627 §5.3)',
    );
  }
  return session.extendedMasterSecret === extended ? session : undefined;
}

function fits(h: ServerHandshake, session: Session, hello: ClientHello, info: ClientHelloInfo): boolean {
  const suite = cipherSuite(session.cipherSuite);
  if (session.version !== TLS12 || suite === undefined || !isFresh(session, h.now)) return false;
  if (!h.config.cipherSuites.includes(suite) || !hello.cipherSuites.includes(suite.id)) return false;
  return session.serverName === (info.serverName ?? '') && satisfiesClientAuthentication(h.config, session);
}

import type { KeyKind } from '@testudo/crypto';
import type { Credential } from '../certificates/credential.ts';
import { credentialsForClient } from '../certificates/type-negotiation.ts';
import { TlsError, type TlsErrorCode } from '../errors.ts';
import { signatureAlgorithms, supportedGroups } from '../extensions/negotiation.ts';
import { sessionTicket } from '../extensions/session-ticket.ts';
import { credentialsByAnchor } from '../features/trust-anchors.ts';
import { type Flow, perform } from '../flow.ts';
import { type Group, groupByName, groupFits } from '../groups/index.ts';
import {
  chooseScheme,
  noCommonScheme,
  type SchemesOfBoth,
  satisfiesClientAuthentication,
} from '../handshake/authentication.ts';
import { commonChoices } from '../handshake/common-choices.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { ShownCredential } from '../handshake/peer.ts';
import { chooseCredentials } from '../hello/client-hello-info.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { isFresh, type Session } from '../sessions/session.ts';
import { type CipherSuite, cipherSuite, suiteFits } from '../suites/index.ts';
import { keyExchangeOf } from './key-exchange/index.ts';
import { isSigned, keyFitsSuite, mayAskForCertificate, showsCertificate } from './key-exchange/messages.ts';
import type { Wishes } from './server-hello.ts';
import { suitesOf } from './version-rules.ts';

/** What a full handshake uses. */
export interface Parameters12 {
  readonly suite: CipherSuite;
  /** For an ephemeral key exchange. */
  readonly group: Group | undefined;
  /** Undefined in a suite without certificates. */
  readonly own: ShownCredential | undefined;
}

/** The first suite that group, credential and scheme go with (RFC 5246 §7.4.1.3, RFC 8422 §4). */
export function* chooseParameters(h: ServerHandshake, wishes: Wishes): Flow<Parameters12> {
  const suites = commonSuites(h, wishes);
  const credentials = yield* credentialsFor(suites, wishes);
  if (suites.length === 0) checkCanAsk(h, wishes);
  let missing: TlsErrorCode = 'no-common-cipher-suite';
  for (const suite of suites) {
    const group = groupFor(h, wishes, suite);
    if (group === 'none in common') {
      missing = worse(missing, groupMissing(wishes, suite));
      continue;
    }
    if (!showsCertificate(suite)) return { suite, group, own: undefined };
    const own = credentialFor(h, wishes, suite, credentials);
    if (own !== undefined) return { suite, group, own };
    missing = worse(missing, 'no-common-signature-scheme');
  }
  if (missing === 'no-common-signature-scheme') {
    throw noCommonScheme(credentials, schemesOfBoth(h, wishes), NOTHING_FITS[missing], wishes.rules.version);
  }
  throw new TlsError(missing, NOTHING_FITS[missing as keyof typeof NOTHING_FITS]);
}

/** What certificates there are; where a suite does without, there need be none. */
function* credentialsFor(
  suites: readonly CipherSuite[],
  { info, hello }: Wishes,
): Flow<readonly Credential[]> {
  if (!suites.some(showsCertificate)) return [];
  const needsOne = suites.every(showsCertificate);
  const credentials = needsOne
    ? yield* chooseCredentials(info)
    : ((yield* perform('chooseCredentials', info)) ?? []);
  // Trust anchors are for TLS 1.3.
  return credentialsForClient(credentialsByAnchor(credentials, undefined), hello.extensions, !needsOne);
}

/** Why a suite does not do, where more than one did not: what comes later in {@link NOTHING_FITS} counts. */
function worse(now: TlsErrorCode, next: TlsErrorCode): TlsErrorCode {
  const order = Object.keys(NOTHING_FITS);
  return order.indexOf(next) > order.indexOf(now) ? next : now;
}

/** By what they say: a missing group says more than a missing suite, and less than a key that does not fit. */
const NOTHING_FITS = {
  'no-common-cipher-suite': 'client and server share no cipher suite of this version',
  'no-common-group': 'client and server share no group',
  'no-common-signature-scheme':
    'no suite that both support fits one of our keys, with a curve and a signature that the client accepts',
  'no-common-finite-field':
    'the client lists finite-field groups, but this server accepts none of them, and no other suite fits',
} as const;

/** No suite is left, since a client certificate is required: then the client hears why. */
function checkCanAsk(h: ServerHandshake, wishes: Wishes): void {
  if (h.config.clientCertificate !== 'require' || commonSuites(h, wishes, false).length === 0) return;
  throw new TlsError(
    'client-certificate-missing',
    'the client offers only suites with a pre-shared key, but a client certificate is required as well',
  );
}

/** @param asks where every client must show a certificate, no suite will do that cannot ask for it. */
function commonSuites(
  h: ServerHandshake,
  { rules, hello }: Wishes,
  asks: boolean = h.config.clientCertificate === 'require',
): CipherSuite[] {
  const ours = suitesOf(h.config.cipherSuites, rules).filter(
    (suite) => keyExchangeOf(suite).available(h.config) && (!asks || mayAskForCertificate(suite)),
  );
  return commonChoices(h.config, ours, hello.cipherSuites);
}

/**
 * The group of an ephemeral exchange. A client that names no group of a kind takes any: the most widespread curve then
 * (RFC 8422 §4), or our own first finite field (RFC 7919 §4).
 */
function groupFor(
  h: ServerHandshake,
  { rules, hello }: Wishes,
  { keyExchange }: CipherSuite,
): Group | undefined | 'none in common' {
  if (!keyExchange.includes('DHE')) return undefined;
  const kind = keyExchange.startsWith('ECDHE') ? 'curve' : 'finite-field';
  const ours =
    kind === 'curve'
      ? h.config.groups.filter((group) => group.kind === kind && groupFits(group, rules.version))
      : h.config.finiteFields;
  const offered = hello.extensions.get(supportedGroups);
  if (kind === 'curve' && offered === undefined) {
    return ours.find((own) => own.name === 'secp256r1') ?? 'none in common';
  }
  if (kind === 'finite-field' && !offered?.some(isFiniteField)) return ours[0] ?? 'none in common';
  return commonChoices<Group>(h.config, ours, offered!)[0] ?? 'none in common';
}

/** A client that names finite fields wants no others, which is a matter of security (RFC 7919 §4). */
function groupMissing({ hello }: Wishes, { keyExchange }: CipherSuite): TlsErrorCode {
  const offered = hello.extensions.get(supportedGroups);
  return !keyExchange.startsWith('ECDHE') && offered?.some(isFiniteField)
    ? 'no-common-finite-field'
    : 'no-common-group';
}

/** The NamedGroup numbers of finite fields (RFC 7919 §2). */
function isFiniteField(id: number): boolean {
  return id >> 8 === 1;
}

function credentialFor(
  h: ServerHandshake,
  wishes: Wishes,
  suite: CipherSuite,
  credentials: readonly Credential[],
): ShownCredential | undefined {
  const fitting = credentials.filter(
    ({ keyKind }) => keyFitsSuite(keyKind, suite) && curveIsOffered(wishes.hello, keyKind),
  );
  if (!isSigned(suite)) {
    const credential = fitting.find((each) => each.decryptRsa !== undefined);
    return credential === undefined ? undefined : { credential, scheme: undefined };
  }
  return chooseScheme(fitting, schemesOfBoth(h, wishes), wishes.rules.version);
}

function schemesOfBoth(h: ServerHandshake, { rules, hello }: Wishes): SchemesOfBoth {
  const ours = rules.signatureSchemes(h.config.signatureSchemes12);
  const theirs = rules.namesSignatureSchemes
    ? (hello.extensions.get(signatureAlgorithms) ?? SCHEMES_OF_WHO_NAMES_NONE)
    : ours.map((scheme) => scheme.id);
  return { ours, theirs };
}

/** A client of TLS 1.2 that names no schemes means those with SHA-1 (RFC 5246 §7.4.1.4.1): only legacy servers have them. */
const SCHEMES_OF_WHO_NAMES_NONE: readonly number[] = [0x0201, 0x0202, 0x0203];

/** The curve of an ECDSA certificate must be among those the client offers, if it says any (RFC 8422 §5.1). */
function curveIsOffered(hello: ClientHello, key: KeyKind): boolean {
  const offered = hello.extensions.get(supportedGroups);
  if (key.type !== 'ec' || offered === undefined) return true;
  const group = groupByName(key.curve);
  return group !== undefined && offered.includes(group.id);
}

/**
 * A session to resume: by ticket (RFC 5077 §3.1), or by ID (RFC 5246 §7.4.1.2). A ticket that is not understood means a full
 * handshake. Where neither session nor hello has extended_master_secret, RFC 7627 §5.3 says SHOULD abort: that is only done with
 * `allowNoExtendedMasterSecret: false`, for all handshakes without it ({@link Wishes}); by default the session is resumed.
 */
export function* findSession(h: ServerHandshake, wishes: Wishes): Flow<Session | undefined> {
  const { hello, extended } = wishes;
  const ticket = hello.extensions.get(sessionTicket);
  const id = hello.legacySessionId;
  if (h.wantsCertificate === true) return undefined;
  let session: Session | undefined;
  if (ticket !== undefined && ticket.length > 0) session = yield* perform('openTicket', ticket);
  else if (id.length > 0) session = yield* perform('findSession', id);
  if (session === undefined || !fits(h, session, wishes)) return undefined;
  if (session.extendedMasterSecret && !extended) {
    throw new TlsError(
      'extended-master-secret-mismatch',
      'the client resumes a session without its extended_master_secret (RFC 7627 §5.3)',
    );
  }
  return session.extendedMasterSecret === extended ? session : undefined;
}

function fits(h: ServerHandshake, session: Session, { rules, hello, info }: Wishes): boolean {
  const suite = cipherSuite(session.cipherSuite);
  if (session.version !== rules.version || suite === undefined || !isFresh(session, h.now)) return false;
  if (!suiteFits(suite, rules.version)) return false;
  if (!h.config.cipherSuites.includes(suite) || !hello.cipherSuites.includes(suite.id)) return false;
  return session.serverName === (info.serverName ?? '') && satisfiesClientAuthentication(h.config, session);
}

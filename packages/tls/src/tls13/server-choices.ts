import type { Credential } from '../certificates/credential.ts';
import { chooseCredential13 } from '../certificates/delegated-credential.ts';
import { credentialsForClient } from '../certificates/type-negotiation.ts';
import { TlsError } from '../errors.ts';
import { signatureAlgorithms } from '../extensions/negotiation.ts';
import { preSharedKey } from '../extensions/pre-shared-key.ts';
import { credentialsByAnchor, offerTrustAnchors } from '../features/trust-anchors.ts';
import { type Flow, perform } from '../flow.ts';
import { noCommonScheme } from '../handshake/authentication.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { ChosenCredential } from '../handshake/peer.ts';
import { chooseCredentials, chooseProtocol, clientHelloInfo } from '../hello/client-hello-info.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { ClientHelloInfo } from '../requests.ts';
import { TLS13 } from '../versions.ts';

/** What the application has a say in. */
export interface Choices {
  readonly info: ClientHelloInfo;
  readonly alpnProtocol: string | undefined;
  /** What this server shows of itself; undefined where a PSK stands in for it. */
  readonly own: ChosenCredential | undefined;
}

/**
 * The protocol, and the credential with its signature scheme: before anything is sent, since a client may offer nothing that
 * fits. Throws `no-common-protocol`, `no-common-signature-scheme` and their like.
 */
export function* choose(h: ServerHandshake, hello: ClientHello, hasPsk: boolean): Flow<Choices> {
  const info = clientHelloInfo(h, hello);
  const alpnProtocol = yield* chooseProtocol(h, info);
  const own = hasPsk ? undefined : yield* chooseOwn(h, hello, info);
  return { info, alpnProtocol, own };
}

/**
 * The same for the second hello, of which only the PSKs may differ (RFC 9846 §4.2.2): who had one before and has none any more
 * is shown a credential, and who has one is not.
 */
export function* chooseAgain(
  h: ServerHandshake,
  hello: ClientHello,
  hasPsk: boolean,
  before: Choices,
): Flow<Choices> {
  const info = clientHelloInfo(h, hello);
  const own = hasPsk ? undefined : (before.own ?? (yield* chooseOwn(h, hello, info)));
  return { info, alpnProtocol: before.alpnProtocol, own };
}

function* chooseOwn(h: ServerHandshake, hello: ClientHello, info: ClientHelloInfo): Flow<ChosenCredential> {
  const theirs = hello.extensions.get(signatureAlgorithms);
  if (h.refusesPsk === true) checkGoesOn(theirs, yield* perform('chooseCredentials', info));
  if (theirs === undefined)
    throw new TlsError('missing-extension', 'ClientHello without signature_algorithms');
  const credentials = yield* chooseCredentials(info, hello.extensions.has(preSharedKey));
  const fitting = credentialsForClient(credentials, hello.extensions);
  const choose = (from: readonly Credential[]) =>
    chooseCredential13(h, from, 'server', hello.extensions, theirs);
  offerTrustAnchors(h, hello.extensions, fitting, (each) => choose([each]) !== undefined);
  const chosen = choose(credentialsByAnchor(fitting, hello.extensions));
  if (chosen === undefined) {
    const lists = { ours: h.config.signatureSchemes, theirs };
    throw noCommonScheme(credentials, lists, UNVERIFIABLE, TLS13);
  }
  return chosen;
}

const UNVERIFIABLE = 'the client can verify none of the signatures that our keys make';

/** A key is known and refused: then the client hears why, unless there can be certificates in its place. */
function checkGoesOn(theirs: readonly number[] | undefined, credentials: readonly Credential[] = []): void {
  if (theirs !== undefined && credentials.length > 0) return;
  throw new TlsError(
    'certificate-required',
    'the pre-shared key (PSK) of this client is known, but a client certificate is required as well',
  );
}

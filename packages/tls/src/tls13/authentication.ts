import { bytesEqual } from '@testudo/codec';
import type { PublicKey } from '@testudo/crypto';
import { receiveCertificate13, sendCertificate13 } from '../certificates/compression.ts';
import type { Credential } from '../certificates/credential.ts';
import { checkDelegation } from '../certificates/delegation-check.ts';
import { shownBy, typeShownBy } from '../certificates/type-negotiation.ts';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { statusRequest } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import { delegatedCredential } from '../extensions/delegated-credential.ts';
import { trustAnchors } from '../extensions/trust-anchors.ts';
import { stapledResponse } from '../features/stapling.ts';
import { isTrusted, learnMatch } from '../features/trust-anchors.ts';
import { type Flow, perform } from '../flow.ts';
import { checkSignature, judge, leafKey } from '../handshake/authentication.ts';
import type { Handshake } from '../handshake/context.ts';
import { receive, send } from '../handshake/message-flow.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import { type AuthenticatedPeer, type ChosenCredential, UNAUTHENTICATED } from '../handshake/peer.ts';
import { signedContent } from '../handshake/signed-content.ts';
import type { Certificate13, CertificateEntry } from '../messages/certificate.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import type { SignatureScheme } from '../signature-schemes.ts';
import { TLS13 } from '../versions.ts';

/** Sends Certificate and CertificateVerify (RFC 9846 §4.5.1, §4.5.2). */
export function* sendAuthentication(
  h: Handshake,
  role: 'client' | 'server',
  { credential, scheme, delegated }: ChosenCredential,
  requestContext: Uint8Array,
  requested: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'>,
): Flow<void> {
  const certificateList = entries(credential, requested);
  if (isTrusted(credential, requested)) certificateList[0]!.extensions.set(trustAnchors, null);
  if (delegated !== undefined) {
    certificateList[0]!.extensions.set(delegatedCredential, delegated.signed);
    negotiatedOf(h).delegationSent = { scheme, expiresAt: delegated.expiresAt };
  }
  const message = { certificateRequestContext: requestContext, certificateList };
  yield* sendCertificate13(h, message, credential, requested);
  const data = verifyContent(role, h.transcript.digest());
  const signer = delegated ?? credential;
  const signature = yield* perform('sign', { credential: signer, algorithm: scheme.algorithm, data });
  send(h, certificateVerify, { algorithm: scheme.id, signature });
}

/**
 * The peer's Certificate, CertificateVerify and the verdict on them (RFC 9846 §4.5.1.3, §4.5.2). `offered` are the schemes we
 * said that we can verify. An empty list means that a client has no certificate: then there is no CertificateVerify.
 */
export function* receiveAuthentication(
  h: Handshake,
  peer: {
    role: 'client' | 'server';
    name: string | undefined;
    offered: readonly SignatureScheme[];
    requested: ExtensionRequest;
    /** The context of the request that this answers. Default: empty, as in a handshake. */
    context?: Uint8Array;
  },
): Flow<AuthenticatedPeer> {
  const message = yield* receiveCertificate13(h);
  checkCertificateMessage(message, peer.requested, peer.context ?? NO_CONTEXT);
  learnMatch(h, message.certificateList);
  if (message.certificateList.length > 1 && typeShownBy(h, peer.role) === 'raw-public-key')
    throw new TlsError('illegal-parameter', 'more than one raw public key (RFC 9846 §4.5.1)');
  const leaf = message.certificateList[0];
  if (leaf === undefined) {
    if (peer.role === 'client') return UNAUTHENTICATED;
    throw new TlsError('empty-certificate-list', 'the server sent no certificate');
  }
  const chain = message.certificateList.map((entry) => entry.certData);
  const content = verifyContent(peer.role, h.transcript.digest());
  const verify = yield* receive(h, certificateVerify);
  const { key, schemes } = signingKey(h, peer, leaf);
  const scheme = checkSignature(h, TLS13, key, { content, signed: verify }, schemes);
  return yield* judge(h, {
    role: peer.role,
    name: peer.name,
    chain,
    ocspResponses: message.certificateList.map((entry) => entry.extensions.get(statusRequest)),
    signedCertificateTimestamps: leaf.extensions.get(signedCertificateTimestamp),
    scheme,
  });
}

/** The key in the leaf, or the one that it delegated to; and what it may sign with. */
function signingKey(
  h: Handshake,
  { role, offered }: { role: 'client' | 'server'; offered: readonly SignatureScheme[] },
  { certData, extensions }: CertificateEntry,
): { key: PublicKey; schemes: readonly SignatureScheme[] } {
  const delegation = extensions.get(delegatedCredential);
  if (delegation === undefined) return { key: leafKey(h, role, certData), schemes: offered };
  if (typeShownBy(h, role) === 'raw-public-key')
    throw new TlsError('illegal-parameter', 'a delegated credential without a certificate');
  const { key, scheme } = checkDelegation(h, role, certData, delegation, offered);
  return { key, schemes: [scheme] };
}

/** What may stand in the extensions of a certificate: what was asked for, in ClientHello or CertificateRequest. */
interface ExtensionRequest {
  readonly ids: readonly number[];
}

/** CertificateEntry by CertificateEntry, with OCSP responses and timestamps (RFC 9846 §4.5.1, §4.5.1.1). */
function entries(credential: Credential, requested: ExtensionRequest): CertificateEntry[] {
  const ocsp = requested.ids.includes(statusRequest.id);
  const timestamps = requested.ids.includes(signedCertificateTimestamp.id);
  return shownBy(credential).map((certData, index) => {
    const extensions = new ExtensionBlock('certificate');
    const response = ocsp ? stapledResponse(credential, index) : undefined;
    if (response !== undefined) extensions.set(statusRequest, response);
    if (index === 0 && timestamps && credential.signedCertificateTimestamps) {
      extensions.set(signedCertificateTimestamp, credential.signedCertificateTimestamps);
    }
    return { certData, extensions };
  });
}

function checkCertificateMessage(
  message: Certificate13,
  requested: ExtensionRequest,
  context: Uint8Array,
): void {
  if (!bytesEqual(message.certificateRequestContext, context)) {
    throw new TlsError('illegal-parameter', 'Certificate answers a request that was not made');
  }
  for (const { extensions } of message.certificateList) {
    // It has an alert of its own (RFC 9345 §4.1.1, §4.1.2).
    if (extensions.has(delegatedCredential) && !requested.ids.includes(delegatedCredential.id))
      throw new TlsError('unexpected-message', 'a delegated credential, which was not asked for');
    extensions.expectSolicited(requested);
  }
}

const NO_CONTEXT = new Uint8Array(0);

/** What CertificateVerify signs (RFC 9846 §4.5.2). */
function verifyContent(role: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
  return signedContent(`TLS 1.3, ${role} CertificateVerify`, transcriptHash);
}

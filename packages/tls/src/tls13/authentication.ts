import { concat, utf8 } from '@testudo/codec';
import type { PublicKey } from '@testudo/crypto';
import { Certificate } from '@testudo/x509';
import { rejection } from '../certificate-verdict.ts';
import type { Credential } from '../credential.ts';
import { MAX_CERTIFICATES } from '../defaults.ts';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { signedCertificateTimestamp, statusRequest } from '../extensions/certificates.ts';
import { type Flow, perform } from '../flow.ts';
import { type Handshake, receive, send } from '../handshake/handshake.ts';
import { type Certificate13, type CertificateEntry, certificate13 } from '../messages/certificate.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import { type SignatureScheme, signatureScheme } from '../signature-schemes.ts';
import { TLS13, type Version } from '../versions.ts';

/** What is known of a peer that proved that it owns a certificate. */
export interface AuthenticatedPeer {
  /** DER, leaf first. */
  readonly certificates: readonly Uint8Array[];
  readonly scheme: SignatureScheme | undefined;
  readonly ocspResponse: Uint8Array | undefined;
  readonly error: Error | undefined;
  readonly path: readonly Certificate[] | undefined;
}

/** A peer without a certificate. */
export const UNAUTHENTICATED: AuthenticatedPeer = {
  certificates: [],
  scheme: undefined,
  ocspResponse: undefined,
  error: undefined,
  path: undefined,
};

/** Sends Certificate and CertificateVerify (RFC 9846 §4.4.2, §4.4.3). */
export function* sendAuthentication(
  h: Handshake,
  role: 'client' | 'server',
  credential: Credential,
  scheme: SignatureScheme,
  requestContext: Uint8Array,
  requested: { ocsp: boolean; timestamps: boolean },
): Flow<void> {
  send(h, certificate13, {
    certificateRequestContext: requestContext,
    certificateList: entries(credential, requested),
  });
  const data = signedContent(role, h.transcript.digest());
  const signature = yield* perform('sign', { credential, algorithm: scheme.algorithm, data });
  send(h, certificateVerify, { algorithm: scheme.id, signature });
}

/**
 * The peer's Certificate, CertificateVerify and the verdict on them. `offered` are the schemes we said that we can
 * verify. An empty list means that a client has no certificate: then there is no CertificateVerify.
 */
export function* receiveAuthentication(
  h: Handshake,
  peer: {
    role: 'client' | 'server';
    name: string | undefined;
    offered: readonly number[];
    requested: ExtensionRequest;
  },
): Flow<AuthenticatedPeer> {
  const message = yield* receive(h, certificate13);
  checkCertificateMessage(message, peer.requested);
  const leaf = message.certificateList[0];
  if (leaf === undefined) {
    if (peer.role === 'client') return UNAUTHENTICATED;
    throw new TlsError('empty-certificate-list', 'the server sent no certificate');
  }
  const certificates = message.certificateList.map((entry) => entry.certData);
  const signed = signedContent(peer.role, h.transcript.digest());
  const verify = yield* receive(h, certificateVerify);
  const scheme = checkScheme(verify.algorithm, peer.offered);
  const key = leafKey(h, leaf.certData);
  verifySignature(h, scheme, key, TLS13, signed, verify.signature);
  const ocspResponse = leaf.extensions.get(statusRequest);
  const verdict = yield* perform('verifyCertificate', {
    chain: certificates,
    peer: peer.role,
    name: peer.name,
    ocspResponse,
    now: h.now,
  });
  if (!verdict.accepted) throw rejection(verdict.error);
  return { certificates, scheme, ocspResponse, error: verdict.error, path: verdict.path };
}

/** What may stand in the extensions of a certificate: what we asked for. */
interface ExtensionRequest {
  readonly ids: readonly number[];
}

/** The credential and scheme to sign with: the first credential that has a scheme both sides know. */
export function chooseScheme(
  credentials: readonly Credential[],
  ours: readonly SignatureScheme[],
  theirs: readonly number[],
  version: Version,
): { credential: Credential; scheme: SignatureScheme } | undefined {
  for (const credential of credentials) {
    const scheme = ours.find((own) => theirs.includes(own.id) && own.fits(credential.keyKind, version));
    if (scheme !== undefined) return { credential, scheme };
  }
  return undefined;
}

/** The public key of a leaf. Throws `bad-certificate` when there is none to be had. */
export function leafKey(h: Handshake, der: Uint8Array): PublicKey {
  try {
    return Certificate.parse(der).publicKey(h.provider);
  } catch (error) {
    throw new TlsError(
      'bad-certificate',
      `the peer's certificate cannot be read: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** Throws `illegal-parameter` for a scheme that we did not offer. */
export function checkScheme(id: number, offered: readonly number[]): SignatureScheme {
  const scheme = offered.includes(id) ? signatureScheme(id) : undefined;
  if (scheme !== undefined) return scheme;
  throw new TlsError('illegal-parameter', `signed with scheme 0x${id.toString(16)}, which was not offered`);
}

/** Throws `illegal-parameter` when key and scheme do not fit, `bad-signature` when the signature is wrong. */
export function verifySignature(
  h: Handshake,
  scheme: SignatureScheme,
  key: PublicKey,
  version: Version,
  content: Uint8Array,
  signature: Uint8Array,
): void {
  if (!scheme.fits(key.kind, version)) {
    throw new TlsError('illegal-parameter', `${scheme.name} does not fit the key in the certificate`);
  }
  if (!h.provider.verify(scheme.algorithm, key, content, signature)) {
    throw new TlsError(
      'bad-signature',
      'the peer does not own the certificate it showed: its signature is wrong',
    );
  }
}

function entries(
  credential: Credential,
  requested: { ocsp: boolean; timestamps: boolean },
): CertificateEntry[] {
  return credential.certificates.map((certData, index) => {
    const extensions = new ExtensionBlock('certificate');
    if (index === 0 && requested.ocsp && credential.ocspResponse) {
      extensions.set(statusRequest, credential.ocspResponse);
    }
    if (index === 0 && requested.timestamps && credential.signedCertificateTimestamps) {
      extensions.set(signedCertificateTimestamp, credential.signedCertificateTimestamps);
    }
    return { certData, extensions };
  });
}

function checkCertificateMessage(message: Certificate13, requested: ExtensionRequest): void {
  if (message.certificateRequestContext.length > 0) {
    throw new TlsError('illegal-parameter', 'Certificate answers a request that was not made');
  }
  if (message.certificateList.length > MAX_CERTIFICATES) {
    throw new TlsError('bad-certificate', `a chain of more than ${MAX_CERTIFICATES} certificates`);
  }
  for (const entry of message.certificateList) entry.extensions.expectSolicited(requested);
}

const PREFIX = new Uint8Array(64).fill(0x20);
const CONTEXT = {
  client: utf8('TLS 1.3, client CertificateVerify\0'),
  server: utf8('TLS 1.3, server CertificateVerify\0'),
};

/** What CertificateVerify signs (RFC 9846 §4.4.3). */
function signedContent(role: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
  return concat(PREFIX, CONTEXT[role], transcriptHash);
}

import { chooseCredential13 } from '../certificates/delegated-credential.ts';
import { credentialsOfType, typeShownBy } from '../certificates/type-negotiation.ts';
import { TlsError } from '../errors.ts';
import { certificateAuthorities } from '../extensions/certificate-authorities.ts';
import { signatureAlgorithms } from '../extensions/negotiation.ts';
import { oidFilters } from '../extensions/oid-filters.ts';
import { noteFeatures } from '../features/client-features.ts';
import { matchingCredentials } from '../features/oid-filters.ts';
import { credentialsByAnchor } from '../features/trust-anchors.ts';
import { type Flow, perform } from '../flow.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { send } from '../handshake/message-flow.ts';
import type { ChosenCredential } from '../handshake/peer.ts';
import { certificate13 } from '../messages/certificate.ts';
import type { CertificateRequest13 } from '../messages/certificate-request.ts';
import { sendAuthentication } from './authentication.ts';

/** Answers a certificate request: with what fits it, or with an empty Certificate (RFC 9846 §4.5.1, §4.5.1.2). */
export function* sendCredential(
  h: ClientHandshake,
  request: CertificateRequest13,
): Flow<ChosenCredential | undefined> {
  const schemes = request.extensions.get(signatureAlgorithms);
  if (schemes === undefined)
    throw new TlsError('missing-extension', 'CertificateRequest without signature_algorithms');
  noteFeatures(h, request.extensions);
  const filters = request.extensions.get(oidFilters);
  const credentials = yield* perform('chooseClientCredential', {
    signatureSchemes: schemes,
    certificateAuthorities: request.extensions.get(certificateAuthorities) ?? [],
    oidFilters: filters,
    certificateType: h.certificateTypes?.client,
  });
  const fitting = credentialsOfType(
    matchingCredentials(credentials, filters ?? []),
    typeShownBy(h, 'client'),
  );
  const ordered = credentialsByAnchor(fitting, request.extensions);
  const chosen = chooseCredential13(h, ordered, 'client', request.extensions, schemes);
  if (chosen === undefined) {
    send(h, certificate13, {
      certificateRequestContext: request.certificateRequestContext,
      certificateList: [],
    });
    return undefined;
  }
  yield* sendAuthentication(h, 'client', chosen, request.certificateRequestContext, request.extensions);
  return chosen;
}

import { type Codec, list, opaque } from '@testudo/codec';
import { acknowledgement, type Extension } from './extension.ts';

/** TrustAnchorIdentifierList: relative object identifiers, DER without tag and length. */
const identifiers: Codec<Uint8Array[]> = list(2, opaque(1, 1));

/**
 * trust_anchors (draft-ietf-tls-trust-anchor-ids): those that who asks trusts, those for which a server has a certificate,
 * and with a certificate that it is one of them. IANA has given no number yet: this is the one that is in use.
 */
export const trustAnchors: Extension<{
  client_hello: Uint8Array[];
  encrypted_extensions: Uint8Array[];
  certificate_request: Uint8Array[];
  certificate: null;
}> = {
  id: 0xca34,
  name: 'trust_anchors',
  source: 'draft-ietf-tls-trust-anchor-ids §4',
  isDraft: true,
  codecs: {
    client_hello: identifiers,
    encrypted_extensions: identifiers,
    certificate_request: identifiers,
    certificate: acknowledgement(),
  },
};

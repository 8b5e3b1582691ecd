import { bytesEqual } from '@testudo/codec';
import { Certificate } from '@testudo/x509';
import type { Credential } from '../../certificates/credential.ts';
import { defaultIssuers, type IssuerLookup } from './default-authorities.ts';
import type { OwnIdentity } from './load-identities.ts';

/**
 * The credential with the chain that OpenSSL sends: what was given along with the leaf, or else whatever leads from the
 * leaf to a root among the CAs, the root included. Looked up when first sent, since CAs may still be added, and since
 * the default ones are not worth looking at before that.
 *
 * @param authorities the CAs that were given; undefined for the default ones.
 */
export function sentWith(
  own: Credential,
  { leaf, others }: OwnIdentity,
  authorities: () => readonly Certificate[] | undefined,
): Credential {
  if (others.length > 0) return { ...own, certificates: [leaf.der, ...others] };
  if (isSelfSigned(leaf)) return own;
  let source: readonly Certificate[] | IssuerLookup | undefined;
  let chain: readonly Uint8Array[] = own.certificates;
  return {
    ...own,
    get certificates() {
      const given = authorities();
      const now = given ?? defaultIssuers();
      if (now !== source) chain = chainOf(leaf, given ? () => given : defaultIssuers()).map(({ der }) => der);
      source = now;
      return chain;
    },
  };
}

/**
 * For the context of a name: what its own CAs did not complete, those of the server may, and in Node do so alone.
 */
export function completedBy(
  credentials: readonly Credential[],
  authorities: readonly Certificate[],
): readonly Credential[] {
  if (authorities.length === 0) return credentials;
  return credentials.map((own) => {
    const [first, ...others] = own.certificates;
    if (first === undefined || others.length > 0) return own;
    return {
      ...own,
      certificates: chainOf(Certificate.parse(first), () => authorities).map(({ der }) => der),
    };
  });
}

/** As OpenSSL: certificates of a path, whatever is asked of it. */
const MAX_DEPTH = 100;

function chainOf(leaf: Certificate, authoritiesFor: IssuerLookup): readonly Certificate[] {
  const chain = [leaf];
  for (let last = leaf; !isSelfSigned(last) && chain.length < MAX_DEPTH; last = chain.at(-1)!) {
    const issuer = issuerAmong(authoritiesFor(last), last);
    if (issuer === undefined || chain.some((one) => one.equals(issuer))) break;
    chain.push(issuer);
  }
  return chain;
}

/** The one that is valid now, or else the one that was valid last. */
function issuerAmong(authorities: readonly Certificate[], child: Certificate): Certificate | undefined {
  const now = new Date();
  const found = authorities.filter((one) => isIssuedBy(child, one));
  return (
    found.find(({ notBefore, notAfter }) => notBefore <= now && now <= notAfter) ??
    found.sort((a, b) => b.notAfter.getTime() - a.notAfter.getTime())[0]
  );
}

/** By names and key identifiers (RFC 5280 §4.2.1.1); nobody looks at the signature here. */
function isIssuedBy(child: Certificate, issuer: Certificate): boolean {
  if (!issuer.subject.equals(child.issuer)) return false;
  const wanted = child.extensions.authorityKeyIdentifier?.keyIdentifier;
  const offered = issuer.extensions.subjectKeyIdentifier;
  return wanted === undefined || offered === undefined || bytesEqual(wanted, offered);
}

function isSelfSigned(certificate: Certificate): boolean {
  return isIssuedBy(certificate, certificate);
}

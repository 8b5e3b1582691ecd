import { bytesEqual } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  AccessMethodOid,
  type Certificate,
  CertificateError,
  KeyPurposeOid,
  signatureAlgorithmOf,
} from '@testudo/x509';
import { namesIn } from '../identity/certificate-files.ts';
import type { ServedIdentity } from '../identity/certificate-sources.ts';
import { type Finding, note, problem } from './finding.ts';
import { isSignedBy } from './signed-by.ts';

/** Bits of an RSA key that clients take: the CA/Browser Forum's Baseline Requirements §6.1.5. */
const LEAST_RSA_BITS = 2048;

/** What clients have against a certificate with what goes with it, whatever its time and its names. */
export function chainFindings({ identity: { chain, files } }: ServedIdentity): Finding[] {
  const file = files.certificate;
  try {
    return [
      ...usageFindings(file, chain[0]!),
      ...chain.flatMap((one, index) => strengthFindings(`${file}: ${titleOf(one, index)}`, one)),
      ...orderFindings(file, chain),
    ];
  } catch (error) {
    // Extensions are read when they are asked for.
    if (error instanceof CertificateError) return [problem(`${file}: ${error.message}`)];
    throw error;
  }
}

/** RFC 5280 §4.2.1.3 and §4.2.1.12. */
function usageFindings(file: string, leaf: Certificate): Finding[] {
  const { keyUsage, extendedKeyUsage } = leaf.extensions;
  // That one without names is none for servers is said of its names.
  if (namesIn(leaf).length === 0) return [];
  const isForServers =
    extendedKeyUsage === undefined ||
    [KeyPurposeOid.serverAuth, KeyPurposeOid.any].some((purpose) => extendedKeyUsage.includes(purpose));
  return [
    ...(isForServers
      ? []
      : [problem(`${file}: the certificate is not for servers (extendedKeyUsage): clients refuse it`)]),
    ...(keyUsage === undefined || keyUsage.has('digitalSignature')
      ? []
      : [
          problem(
            `${file}: the certificate's key may not sign (keyUsage without digitalSignature): clients refuse it`,
          ),
        ]),
  ];
}

function strengthFindings(what: string, certificate: Certificate): Finding[] {
  const bits = rsaBitsOf(certificate);
  // A root counts by itself, not by its signature.
  const signature = certificate.isSelfIssued
    ? undefined
    : signatureAlgorithmOf(certificate.signatureAlgorithm);
  return [
    ...(bits === undefined || bits >= LEAST_RSA_BITS
      ? []
      : [
          problem(
            `${what} has a key of ${bits} bits: clients refuse it; get one with ${LEAST_RSA_BITS} bits or more`,
          ),
        ]),
    ...(signature?.kind === 'weak'
      ? [problem(`${what} is signed with ${signature.name}: clients refuse it; get another one`)]
      : []),
  ];
}

function rsaBitsOf(certificate: Certificate): number | undefined {
  try {
    const { kind } = certificate.publicKey(nodeCrypto);
    return 'bits' in kind ? kind.bits : undefined;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** RFC 5246 §7.4.2: each certificate certifies the one before it. Clients of TLS 1.3 are not that strict, some older ones are. */
function orderFindings(file: string, chain: readonly Certificate[]): Finding[] {
  const twice = chain.findIndex((one, i) => chain.slice(0, i).some(({ der }) => bytesEqual(der, one.der)));
  if (twice !== -1)
    return [note(`${file}: ${titleOf(chain[twice]!, twice)} is in the file twice: leave one of the two out`)];
  for (let index = 1; index < chain.length; index++) {
    const [below, above] = [chain[index - 1]!, chain[index]!];
    if (!below.isSelfIssued && above.subject.equals(below.issuer)) {
      if (isSignedBy(below, above) || !isCheckable(below)) continue;
      return [
        problem(
          `${file}: ${titleOf(below, index - 1)} is not signed with the key of "${above.subject.shown}" behind it, but of a CA with the same name: give that one`,
        ),
      ];
    }
    const isLater = chain.slice(index).some(({ subject }) => subject.equals(below.issuer));
    return isLater && !below.isSelfIssued
      ? [
          problem(
            `${file}: the certificates are in the wrong order: behind ${titleOf(below, index - 1)} comes "${above.subject.shown}", and not "${below.issuer.shown}", which has issued it. Some clients refuse that`,
          ),
        ]
      : [note(`${file}: "${above.subject.shown}" has issued nothing that stands before it: leave it out`)];
  }
  return loneFindings(file, chain);
}

/** What is weak or not known here is told, or refused, elsewhere. */
function isCheckable({ signatureAlgorithm }: Certificate): boolean {
  return signatureAlgorithmOf(signatureAlgorithm).kind === 'supported';
}

/** A certificate that says where its issuer's is to be found is seldom from a root that clients have. */
function loneFindings(file: string, chain: readonly Certificate[]): Finding[] {
  const [leaf] = chain as [Certificate];
  const hasIssuer = leaf.extensions.authorityInformationAccess?.some(
    ({ method }) => method === AccessMethodOid.caIssuers,
  );
  if (chain.length > 1 || leaf.isSelfIssued || !hasIssuer) return [];
  return [
    note(
      `${file}: there is no intermediate certificate in it: unless "${leaf.issuer.shown}" is a root that clients have, they refuse the certificate`,
    ),
  ];
}

function titleOf({ subject }: Certificate, index: number): string {
  return index === 0 ? 'the certificate' : `the intermediate certificate "${subject.shown}"`;
}

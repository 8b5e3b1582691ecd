// Cases of x509-limbo in which our verdict is not the expected one, each with the reason.

/** With the default profile. */
export const compatibleDeviations: ReadonlyMap<string, string> = listed([
  [
    'a demand on issuers that nothing rests on: the RFC 5280 profile makes it',
    [
      'rfc5280::aki::critical-aki',
      'rfc5280::aki::leaf-missing-aki',
      'rfc5280::aki::intermediate-missing-aki',
      'rfc5280::aki::cross-signed-root-missing-aki',
      'rfc5280::nc::permitted-dns-match-noncritical',
      'rfc5280::nc::invalid-dnsname-leading-period',
      'rfc5280::nc::not-allowed-in-ee-noncritical',
      'rfc5280::nc::not-allowed-in-ee-critical',
      'rfc5280::pc::ica-noncritical-pc',
      'rfc5280::san::noncritical-with-empty-subject',
      'rfc5280::san::underscore-dns',
      'rfc5280::serial::too-long',
      'rfc5280::serial::zero',
      'rfc5280::ski::critical-ski',
      'rfc5280::ski::root-missing-ski',
      'rfc5280::ski::intermediate-missing-ski',
      'rfc5280::root-non-critical-basic-constraints',
      'rfc5280::leaf-ku-keycertsign',
    ],
  ],
  [
    'a demand on public CAs: the web PKI profile makes it',
    [
      'webpki::aki::root-with-aki-missing-keyidentifier',
      'webpki::aki::root-with-aki-authoritycertissuer',
      'webpki::aki::root-with-aki-authoritycertserialnumber',
      'webpki::aki::root-with-aki-all-fields',
      'webpki::aki::root-with-aki-ski-mismatch',
      'webpki::cn::ipv4-hex-mismatch',
      'webpki::cn::ipv4-leading-zeros-mismatch',
      'webpki::cn::ipv6-uppercase-mismatch',
      'webpki::cn::ipv6-uncompressed-mismatch',
      'webpki::cn::ipv6-non-rfc5952-mismatch',
      'webpki::cn::punycode-not-in-san',
      'webpki::cn::utf8-vs-punycode-mismatch',
      'webpki::cn::not-in-san',
      'webpki::cn::case-mismatch',
      'webpki::eku::ee-anyeku',
      'webpki::eku::ee-critical-eku',
      'webpki::eku::ee-without-eku',
      'webpki::eku::root-has-eku',
      'webpki::san::san-critical-with-nonempty-subject',
      'webpki::malformed-aia',
      'webpki::forbidden-rsa-not-divisible-by-8-in-root',
      'webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf',
      'webpki::ee-basicconstraints-ca',
      'webpki::ca-as-leaf',
    ],
  ],
]);

/** With the profile that a case is about. */
export const ownProfileDeviations: ReadonlyMap<string, string> = listed([]);

function listed(groups: readonly (readonly [reason: string, ids: readonly string[]])[]): Map<string, string> {
  return new Map(groups.flatMap(([reason, ids]) => ids.map((id) => [id, reason] as const)));
}

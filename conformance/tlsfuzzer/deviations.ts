/** Conversations that end otherwise than the script has it, and why that is right. */
export interface Deviation {
  readonly script: string;
  /** Default: every server that the script runs against. */
  readonly server?: string;
  readonly conversations: RegExp;
  readonly reason: string;
}

const NO_TICKETS =
  'a client that does not offer psk_dhe_ke gets no tickets: it could not use them (RFC 9846 §4.3.9)';
const LENGTHS = 'what the syntax does not allow is decode_error (RFC 9846 §6.2)';

export const DEVIATIONS: readonly Deviation[] = [
  { script: 'test-tls13-connection-abort.py', conversations: /^After NewSessionTicket$/, reason: NO_TICKETS },
  { script: 'test-tls13-count-tickets.py', conversations: /^count NewSessionTickets$/, reason: NO_TICKETS },
  { script: 'test-tls13-session-resumption.py', conversations: /PSK_ONLY$/, reason: NO_TICKETS },
  {
    script: 'test-tls13-keyupdate-from-server.py',
    conversations: /^post-handshake KeyUpdate/,
    reason: 'the server renews its keys when they wear out, and not for a request of HTTP',
  },
  {
    script: 'test-tls13-multiple-ccs-messages.py',
    conversations: /multiple CCS Messages in one TCP packet$|^second CCS before client finished$/,
    reason: 'each ChangeCipherSpec before Finished is dropped (RFC 9846 §5), up to 32 in a row',
  },
  {
    script: 'test-tls13-shuffled-extentions.py',
    conversations: /^HRR reversed order of unassigned extensions/,
    reason:
      'among these numbers is ech_outer_extensions, which must not stand in a ClientHello (RFC 9849 §5.1)',
  },
  {
    script: 'test-tls13-large-number-of-extensions.py',
    conversations: /unassigned extensions/,
    reason: 'the ranges hold numbers that have been assigned since, whose extensions are malformed there',
  },
  {
    script: 'test-tls13-keyupdate.py',
    conversations: /^app data split, conversation with KeyUpdate msg$/,
    reason:
      'our KeyUpdate is due before our next data (RFC 9846 §4.7.3) and goes with it; half a request is not answered',
  },
  {
    script: 'test-resumption-with-wrong-ciphers.py',
    conversations: /^resumption (of safe session with NULL cipher|with cipher from old CH)/,
    reason:
      "a session whose suite is not offered is declined, and the handshake a full one, as BoringSSL's runner wants it; the session's suite never changes",
  },
  {
    script: 'test-certificate-malformed.py',
    conversations: /^fuzz empty certificate - overall (7, certs 4, cert 1|8, certs 5, cert 2)$/,
    reason:
      'a certificate is looked into when the CertificateVerify of its key has come, which these clients leave out',
  },
  {
    script: 'test-ecdsa-in-certificate-verify.py',
    conversations:
      /^make (sha224\+ecdsa signature|sha\d+\+ecdsa signature, advertise it as sha224\+ecdsa) in CertificateVerify$/,
    reason: 'SHA-224 was not asked for, and is gone (RFC 9155): illegal_parameter',
  },
  {
    script: 'test-dsa-in-certificate-verify.py',
    conversations: /^sign with sha(224|384|512)\+dsa$/,
    reason: 'of the hashes for DSA there are SHA-1 and SHA-256',
  },
  { script: 'test-tls13-crfg-curves.py', conversations: /^empty x\d+ key share$/, reason: LENGTHS },
  { script: 'test-tls13-ffdhe-groups.py', conversations: /empty key share/, reason: LENGTHS },
  { script: 'test-ccs.py', conversations: /^two bytes long CCS$/, reason: `${LENGTHS}, in RFC 5246 §7.2.2` },
  {
    script: 'test-truncating-of-client-hello.py',
    conversations: /^(huge|max) pad/,
    reason: 'a length that no ClientHello can have is refused from its header on, as illegal_parameter',
  },
  {
    script: 'test-legacy-renegotiation.py',
    conversations: /^insecure \(legacy\) renegotiation/,
    reason: 'nothing renegotiates insecurely: no_renegotiation (RFC 5746 §4.4)',
  },
  {
    script: 'test-extended-master-secret-extension.py',
    conversations: /^renegotiate with(out)? EMS/,
    reason:
      'a renegotiation keeps the extended master secret as it was, so that none comes to stand beside a weaker one',
  },
  {
    script: 'test-clienthello-md5.py',
    conversations: /^only-md5-rsa/,
    reason: 'this server was told to sign with everything, MD5 included',
  },
  {
    script: 'test-sig-algs.py',
    server: 'legacy',
    conversations: /^rsa_pss_pss/,
    reason: 'there is one certificate, whose key is not of RSA-PSS',
  },
  {
    script: 'test-sig-algs.py',
    server: 'legacy-rsa-pss',
    conversations: /^rsa_pss_rsae|^sanity|rsa_pkcs1/,
    reason: 'there is one certificate, whose key is of RSA-PSS alone',
  },
  ...['test-ecdhe-rsa-key-share-random.py', 'test-ecdhe-padded-shared-secret.py'].map((script) => ({
    script,
    conversations: /^Protocol \(3, 0\)/,
    reason: 'elliptic curves begin with TLS 1.0 (RFC 4492 §5), as in OpenSSL',
  })),
  {
    script: 'test-tls13-psk_ke.py',
    conversations: /^sanity$/,
    reason:
      'a key alone has no forward secrecy: psk_ke is not spoken (RFC 9846 §4.3.9 leaves that to the server)',
  },
  {
    script: 'test-ecdsa-sig-flexibility.py',
    conversations: /^connect with sha224\+ecdsa only$/,
    reason: 'nothing is signed with SHA-224 (RFC 9155)',
  },
  {
    script: 'test-dsa-sig-flexibility.py',
    conversations: /^sha(224|384|512)\+DSA only$/,
    reason: 'of the hashes for DSA there are SHA-1 and SHA-256',
  },
  {
    script: 'test-dhe-rsa-key-exchange-signatures.py',
    conversations: / sha224 signature$/,
    reason: 'nothing is signed with SHA-224 (RFC 9155)',
  },
  {
    script: 'test-tls13-rsa-signatures.py',
    conversations: /rsa_pss_pss/,
    reason: 'there is one certificate, whose key is not of RSA-PSS',
  },
  {
    script: 'test-tls13-ecdsa-support.py',
    conversations: /brainpool|sha1|sha224/,
    reason:
      'these schemes are no default: Brainpool has to be asked for, SHA-1 and SHA-224 are gone (RFC 9155)',
  },
];

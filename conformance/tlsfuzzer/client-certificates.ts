import type { PlanEntry } from './plan-entry.ts';

/** What the servers of these scripts take from clients, under the names of RFC 9846 §4.3.3: TLS 1.3. */
export const SCHEMES13: readonly string[] = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed25519',
  'ed448',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
  'ecdsa_brainpoolP256r1tls13_sha256',
  'ecdsa_brainpoolP384r1tls13_sha384',
  'ecdsa_brainpoolP512r1tls13_sha512',
  'mldsa44',
  'mldsa65',
  'mldsa87',
];

/** TLS 1.2, of which a part is for old clients. */
export const SCHEMES12: readonly string[] = [
  ...SCHEMES13.filter((name) => !/brainpool|mldsa/.test(name)),
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
  'rsa_pkcs1_sha1',
  'ecdsa_sha1',
  'dsa_sha256',
  'dsa_sha1',
];

/** Both versions, without what is for old clients. */
export const SCHEMES: readonly string[] = [
  ...SCHEMES13,
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
];

const TYPES = ['-T', 'ecdsa_sign rsa_sign dss_sign'];
const EXPECTED12 = ['-s', SCHEMES12.join(' ')];
const EXPECTED13 = ['-s', SCHEMES13.join(' ')];

const EXPECTED = ['-s', SCHEMES.join(' ')];

/** A client's certificate, of tlsfuzzer's folder. */
const shown = (name: string): readonly string[] => [
  '-k',
  `tests/${name}Key.pem`,
  '-c',
  `tests/${name}Cert.pem`,
];

const each = (server: string, names: string, ...given: readonly (readonly string[])[]): PlanEntry[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => ({ server, script: `test-${name}.py`, arguments: given.flat() }));

const closing = (entries: readonly PlanEntry[]): PlanEntry[] =>
  entries.map((entry) => ({ ...entry, manner: 'one answer' }));

/** Scripts that need a server that asks for a certificate, and mostly one to show. */
export const CLIENT_CERTIFICATES: readonly PlanEntry[] = [
  ...each(
    'asks12',
    'certificate-malformed certificate-verify-malformed certificate-verify',
    shown('clientX509'),
  ),
  ...each('asks12', 'certificate-verify', shown('clientX509'), ['-d']),
  ...each('asks12', 'certificate-verify-malformed-sig', shown('clientX509')),
  ...each('asks12', 'certificate-verify-malformed-sig', shown('clientX509'), ['-d']),
  ...closing(each('asks12', 'extended-master-secret-extension-with-client-cert', shown('clientX509'))),
  ...closing(
    each('asks12', 'extended-master-secret-extension-with-client-cert', shown('clientX509'), ['-d']),
  ),
  ...each('asks12', 'certificate-request', shown('clientX509'), TYPES, EXPECTED12),
  ...each('asks12', 'certificate-request', shown('clientRSAPSS'), TYPES, EXPECTED12),
  ...each('asks12', 'rsa-sigs-on-certificate-verify', shown('clientX509')),
  ...each('asks12', 'rsa-sigs-on-certificate-verify', shown('clientX509'), ['-d']),
  ...each('asks12', 'rsa-pss-sigs-on-certificate-verify', shown('clientX509'), EXPECTED12, ['--illegpar']),
  ...each('asks12', 'rsa-pss-sigs-on-certificate-verify', shown('clientRSAPSS'), EXPECTED12, ['--illegpar']),
  ...each('asks12', 'ecdsa-in-certificate-verify', shown('serverEC')),
  ...each('asks12', 'eddsa-in-certificate-verify', shown('serverEd25519')),
  ...each('asks12', 'eddsa-in-certificate-verify', shown('serverEd448')),
  ...each('asks12-dsa', 'dsa-in-certificate-verify', shown('clientDSA'), ['-d']),
  ...each('asks13', 'tls13-certificate-request', EXPECTED13, [
    '-E',
    'compress_certificate:CR key_share:SH supported_versions:SH',
  ]),
  ...each('asks13', 'tls13-certificate-verify', shown('clientX509'), EXPECTED13),
  ...each('asks13', 'tls13-certificate-verify', shown('clientRSAPSS'), EXPECTED13),
  ...each('asks13', 'tls13-ecdsa-in-certificate-verify', shown('serverEC'), EXPECTED13),
  ...each('asks13', 'tls13-ecdsa-in-certificate-verify', shown('serverP384EC'), EXPECTED13),
  ...each('asks13', 'tls13-ecdsa-in-certificate-verify', shown('serverP521EC'), EXPECTED13),
  ...each('asks13', 'tls13-eddsa-in-certificate-verify', shown('serverEd25519'), EXPECTED13),
  ...each('asks13', 'tls13-eddsa-in-certificate-verify', shown('serverEd448'), EXPECTED13),
  ...['P256r1', 'P384r1', 'P512r1'].flatMap((curve) =>
    each(
      'asks13',
      'tls13-ecdsa-brainpool-in-certificate-verify',
      shown(`serverBrainpool${curve}EC`),
      EXPECTED13,
    ),
  ),
  ...each('asks', 'tls13-mldsa-in-certificate-verify', shown('serverMldsa65'), EXPECTED),
  ...each('asks-later', 'tls13-post-handshake-auth', shown('clientX509'), [
    '--pha-as-reply',
    '--cert-required',
  ]),
  ...each('asks-later', 'tls13-post-handshake-auth', shown('clientX509'), [
    '--pha-as-reply',
    '--query',
    'GET /secure HTTP/1.0\r\n\r\n',
  ]),
  ...each('asks-again', 'renegotiation-disabled-client-cert', shown('clientX509'), ['--no-ins-renego']),
  ...each('asks-again', 'renegotiation-disabled-client-cert', shown('clientX509'), ['--no-ins-renego', '-d']),
  ...each('asks13', 'tls13-client-certificate-compression', shown('clientX509'), [
    '--algorithms',
    'zlib',
    '--fuzz-package-limit',
    '65536',
  ]),
];

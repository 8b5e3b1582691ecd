import { nodeCrypto } from '@testudo/crypto/node';
import { GROUPS } from '@testudo/tls';
import { CLIENT_CERTIFICATES } from './client-certificates.ts';
import type { PlanEntry } from './plan-entry.ts';

/** TLS 1.3, against what the engine does by default. */
const STRICT = `
ccs connection-abort conversation empty-alert finished finished-plaintext hrr invalid-ciphers keyshare-omitted
keyupdate-from-server large-number-of-extensions legacy-version multiple-ccs-messages nociphers
record-layer-limits record-padding rsa-signatures shuffled-extentions signature-algorithms unencrypted-alert
zero-content-type zero-length-data
`;

/** TLS 1.3, against a server with every group and suite of it. */
const WIDE = `
crfg-curves dhe-shared-secret-padding ecdhe-curves ffdhe-groups ffdhe-sanity mlkem serverhello-random symetric-ciphers
unrecognised-groups
`;

/** TLS 1.3 beside older versions. */
const BOTH = '0rtt-garbage session-resumption version-negotiation';

/** Up to TLS 1.2, against a server that has everything. */
const LEGACY = `
aesccm aes-gcm-nonces alpn-negotiation atypical-padding ccs chacha20 clienthello-md5 client-hello-max-size
connection-abort conversation cve-2004-0079 cve-2016-2107 cve-2016-6309 cve-2016-7054
dhe-rsa-key-exchange dhe-rsa-key-exchange-signatures dhe-rsa-key-exchange-with-bad-messages
early-application-data ecdhe-rsa-key-exchange ecdhe-rsa-key-exchange-with-bad-messages
empty-extensions encrypt-then-mac encrypt-then-mac-renegotiation extensions
extended-master-secret-extension ffdhe-expected-params fuzzed-ciphertext
fuzzed-finished fuzzed-MAC fuzzed-padding fuzzed-plaintext heartbeat hello-request-by-client
interleaved-application-data-and-fragmented-handshakes-in-renegotiation interleaved-application-data-in-renegotiation
interleaved-CKE-with-CCS invalid-cipher-suites invalid-client-hello invalid-client-hello-w-record-overflow
invalid-compression-methods invalid-content-type invalid-rsa-key-exchange-messages
invalid-session-id invalid-version large-number-of-extensions legacy-renegotiation lucky13
message-duplication message-skipping no-mlkem-in-old-tls openssl-3712 record-layer-fragmentation
renegotiation-changed-clienthello resumption-with-wrong-ciphers session-ticket-resumption
sessionID-resumption sig-algs signature-algorithms ssl-death-alert sslv2-connection
sslv2-force-cipher-3des sslv2-force-cipher-non3des sslv2-force-cipher sslv2-force-export-cipher sslv2hello-protocol
TLSv1_2-rejected-without-TLSv1_2 truncating-of-client-hello truncating-of-finished truncating-of-kRSA-client-key-exchange
unsupported-curve-fallback version-numbers x25519 zero-length-data point-extension
`;

const words = (text: string) => text.split(/\s+/).filter((word) => word.length > 0);
const named = (server: string, text: string, prefix = 'test-'): PlanEntry[] =>
  words(text).map((name) => ({ server, script: `${prefix}${name}.py` }));

/** All groups that a server of TLS 1.3 can have, in numbers, and first the one that the script asks for first. */
const TLS13_GROUPS = GROUPS.filter(
  (group) => !/^brainpool..../.test(group.name) || group.name.endsWith('tls13'),
)
  .filter((group) => group.available(nodeCrypto))
  .sort((a, b) => Number(b.name === 'secp256r1') - Number(a.name === 'secp256r1'))
  .map(({ id }) => id)
  .join(',');

/** The rest, with what each needs. */
const OTHERS: readonly PlanEntry[] = [
  { server: 'strict', script: 'test-tls13-lengths.py', manner: 'echo' },
  { server: 'legacy', script: 'test-lengths.py', manner: 'echo' },
  { server: 'strict', script: 'test-tls13-count-tickets.py', arguments: ['-t', '2'] },
  { server: 'strict', script: 'test-tls13-keyupdate.py', arguments: ['--coalescing'] },
  { server: 'tls12', script: 'test-tls13-non-support.py' },
  { server: 'tls12', script: 'test-fallback-scsv.py' },
  { server: 'legacy', script: 'test-fallback-scsv.py', arguments: ['--tls-1.3'] },
  { server: 'tls12', script: 'test-downgrade-protection.py', arguments: ['--server-max-protocol=TLSv1.2'] },
  { server: 'legacy', script: 'test-downgrade-protection.py', arguments: ['--server-max-protocol=TLSv1.3'] },
  ...named(
    'ssl30',
    'dhe-key-share-random ecdhe-rsa-key-share-random SSLv3-padding serverhello-random dhe-no-shared-secret-padding export-ciphers-rejected',
  ),
  ...named('no-renegotiation', 'renegotiation-disabled'),
  ...named('own-order', 'ffdhe-negotiation'),
  ...named('no-heartbeat', 'no-heartbeat'),
  ...named('psk256', 'psk_ke psk_dhe_ke', 'test-tls13-'),
  { server: 'psk384', script: 'test-tls13-psk_dhe_ke.py', arguments: ['--psk-sha384'] },
  ...named('rsa-pss', 'rsapss-signatures', 'test-tls13-'),
  ...named('ecdsa', 'conversation ecdsa-support', 'test-tls13-'),
  { server: 'legacy-ecdsa', script: 'test-aesccm.py', arguments: ['-d'] },
  { server: 'legacy-ecdsa', script: 'test-conversation.py', arguments: ['-d'] },
  { server: 'legacy-ecdsa', script: 'test-ecdsa-sig-flexibility.py' },
  { server: 'legacy-ecdsa', script: 'test-signature-algorithms.py', arguments: ['--ecdsa'] },
  { server: 'legacy-rsa-pss', script: 'test-sig-algs.py' },
  ...named('eddsa', 'eddsa', 'test-tls13-'),
  ...named('brainpool', 'ecdhe-brainpool-curves', 'test-tls13-'),
  ...named('dsa', 'dsa-sig-flexibility'),
  { server: 'legacy', script: 'test-bleichenbacher-workaround.py', arguments: ['--no-sni'] },
  ...named('legacy', 'large-hello'),
  ...named('ssl30', 'client-compatibility ecdhe-padded-shared-secret'),
  {
    server: 'legacy',
    script: 'test-sig-algs-renegotiation-resumption.py',
    arguments: ['--sig-algs-drop-ok'],
  },
  ...named('wide', 'pkcs-signature', 'test-tls13-'),
  { server: 'legacy', script: 'test-tls13-no-unknown-groups.py', arguments: ['--groups', TLS13_GROUPS] },
  ...['', '-d', '-M'].map(
    (flags): PlanEntry => ({
      server: 'localhost',
      script: 'test-invalid-server-name-extension.py',
      arguments: ['--sni-fatal', ...words(flags)],
      manner: 'one answer',
    }),
  ),
  {
    server: 'says-no-name',
    script: 'test-invalid-server-name-extension-resumption.py',
    manner: 'one answer',
  },
  {
    server: 'wide',
    script: 'test-tls13-obsolete-curves.py',
    // A client must not offer these (RFC 9846 §4.3.7), but no server has to look for them: ours passes them over as any group that
    // it does not know, and so needs `--relaxed`.
    arguments: ['--relaxed', '-a', 'handshake_failure'],
  },
  {
    server: 'compressing',
    script: 'test-tls13-certificate-compression.py',
    arguments: ['--algorithms', 'zlib'],
  },
  { server: 'legacy', script: 'test-record-size-limit.py', arguments: ['--reply-AD-size', '84'] },
  { server: 'legacy', script: 'test-ocsp-stapling.py', arguments: ['--no-status'] },
];

export const SCRIPTS: readonly PlanEntry[] = [
  ...named('strict', STRICT, 'test-tls13-'),
  ...named('wide', WIDE, 'test-tls13-'),
  ...named('legacy', BOTH, 'test-tls13-'),
  ...named('legacy', LEGACY),
  ...OTHERS,
  ...CLIENT_CERTIFICATES,
];

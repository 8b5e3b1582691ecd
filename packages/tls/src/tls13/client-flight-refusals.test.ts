import { concat } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { alpn } from '../extensions/alpn.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { certificateAuthorities } from '../extensions/certificate-authorities.ts';
import { compressCertificate } from '../extensions/certificate-compression.ts';
import { statusRequest } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import { delegatedCredential } from '../extensions/delegated-credential.ts';
import { signatureAlgorithms, signatureAlgorithmsCert, supportedGroups } from '../extensions/negotiation.ts';
import { oidFilters } from '../extensions/oid-filters.ts';
import { earlyData } from '../extensions/pre-shared-key.ts';
import { maxFragmentLength } from '../extensions/record-size.ts';
import { serverName } from '../extensions/server-names.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import type { PuppetServer13 } from '../testing/puppet-server13.ts';
import { pki, puppet, raw, refuses } from '../testing/refusals13.ts';

// What a TLS 1.3 client must not take from a server. Each case: the error here, and the alert there, once.

const rsa = pki.server('rsa');

describe('EncryptedExtensions', () => {
  const ee = (change: (b: ExtensionBlock<'encrypted_extensions'>) => void) => (p: PuppetServer13) =>
    p.upTo('server_hello').send(p.encryptedExtensions(change));
  refuses(
    [
      ['with a protocol although none was offered', ee((b) => b.set(alpn, 'h2')), 'unsolicited-extension'],
      ['with early_data', ee((b) => b.set(earlyData, null)), 'unsolicited-extension'],
      ['with key_share', ee((b) => b.setRaw(51, new Uint8Array(0))), 'misplaced-extension'],
      ['with supported_versions', ee((b) => b.setRaw(43, Uint8Array.of(3, 4))), 'misplaced-extension'],
      [
        'with signature_algorithms',
        ee((b) => b.setRaw(13, Uint8Array.of(0, 2, 4, 3))),
        'misplaced-extension',
      ],
      ['with status_request', ee((b) => b.setRaw(5, new Uint8Array(0))), 'misplaced-extension'],
      ['with pre_shared_key', ee((b) => b.setRaw(41, Uint8Array.of(0, 0))), 'misplaced-extension'],
      ['with max_fragment_length', ee((b) => b.set(maxFragmentLength, 1)), 'unsolicited-extension'],
      [
        'with an extension of no known number',
        ee((b) => b.setRaw(0x3a3a, new Uint8Array(3))),
        'unsolicited-extension',
      ],
      [
        'with a server_name that is not empty',
        (p) => p.upTo('server_hello').send(raw(8, 0, 5, 0, 0, 0, 1, 1)),
        'malformed-message',
      ],
      [
        'with an extension twice',
        (p) => p.upTo('server_hello').send(raw(8, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0)),
        'duplicate-extension',
      ],
    ],
    {},
  );
  refuses(
    [
      ['with a protocol that was not offered', ee((b) => b.set(alpn, 'imap')), 'illegal-parameter'],
      [
        'with two protocols',
        (p) => p.upTo('server_hello').send(raw(8, 0, 12, 0, 16, 0, 8, 0, 6, 2, 104, 50, 2, 104, 50)),
        'malformed-message',
      ],
      [
        'with no protocol in ALPN',
        (p) => p.upTo('server_hello').send(raw(8, 0, 6, 0, 16, 0, 2, 0, 0)),
        'malformed-message',
      ],
    ],
    { alpnProtocols: ['h2', 'http/1.1'] },
  );

  test('may tell the server name was used, and its groups', () => {
    const p = puppet();
    ee((b) => b.set(serverName, null).set(supportedGroups, [0x0017]))(p);
    p.send(p.certificate());
    p.send(p.certificateVerify());
    p.send(p.finished());
    expect(p.end.connection.state).toBe('open');
  });
});

describe('a certificate', () => {
  const toCertificate = (options: Parameters<PuppetServer13['certificate']>[0]) => (p: PuppetServer13) => {
    p.upTo('encrypted_extensions').send(p.certificate(options));
    if (p.end.connection.state !== 'failed') p.send(p.certificateVerify());
  };
  const garbage = Uint8Array.of(0x30, 3, 2, 1, 1);
  refuses([
    ['list that is empty', toCertificate({ chain: [] }), 'empty-certificate-list'],
    ['that is no certificate', toCertificate({ chain: [garbage] }), 'bad-certificate'],
    ['that answers a request', toCertificate({ context: Uint8Array.of(1) }), 'illegal-parameter'],
    [
      'of an unknown CA',
      toCertificate({ chain: pki.server('p256', { trusted: false }).certificates }),
      'bad-signature',
    ],
    [
      'with timestamps that were not asked for',
      toCertificate({ extensions: (b) => b.setRaw(18, Uint8Array.of(0, 3, 0, 1, 9)) }),
      'unsolicited-extension',
    ],
    [
      'with an extension of no known number',
      toCertificate({ extensions: (b) => b.setRaw(0x2a2a, new Uint8Array(4)) }),
      'unsolicited-extension',
    ],
    [
      'with a misplaced extension',
      toCertificate({ extensions: (b) => b.setRaw(0, new Uint8Array(0)) }),
      'misplaced-extension',
    ],
    [
      'with an OCSP response of another type',
      (p) =>
        p.upTo('encrypted_extensions').send(raw(11, 0, 0, 0, 14, 0, 0, 1, 1, 0, 8, 0, 5, 0, 4, 1, 0, 0, 0)),
      'malformed-message',
    ],
    [
      'request with a context',
      (p) => p.upTo('encrypted_extensions').send(p.certificateRequest(() => {}, Uint8Array.of(1))),
      'illegal-parameter',
    ],
    [
      'request without signature_algorithms',
      (p) => {
        p.upTo('encrypted_extensions').send(
          p.certificateRequest((b) => {
            b.delete(signatureAlgorithms);
            b.set(statusRequest, Uint8Array.of());
          }),
        );
        finish(p);
      },
      'missing-extension',
    ],
    [
      'request that comes twice',
      (p) => {
        p.upTo('encrypted_extensions').send(p.certificateRequest(), p.certificateRequest());
      },
      'unexpected-message',
    ],
  ]);

  test('request may hold whatever RFC 9846 §4.3 lets stand there, and what nobody knows', () => {
    const p = puppet().upTo('encrypted_extensions');
    p.send(
      p.certificateRequest((b) => {
        b.set(serverName, Uint8Array.of(0, 4, 0, 0, 1, 97)).set(statusRequest, new Uint8Array(0));
        b.set(signedCertificateTimestamp, null).set(certificateAuthorities, [Uint8Array.of(0x30, 0)]);
        b.set(signatureAlgorithmsCert, [0x0403]).set(oidFilters, []).set(compressCertificate, [1]);
        b.set(delegatedCredential, [0x0403]);
        b.setRaw(52, new Uint8Array(3)).setRaw(0x5a5a, Uint8Array.of(1));
      }),
    );
    finish(p);
    expect([p.end.errors, p.end.connection.state]).toEqual([[], 'open']);
  });

  test.each([
    ['supported_groups', 10],
    ['ALPN', 16],
    ['early_data', 42],
    ['supported_versions', 43],
    ['cookie', 44],
    ['psk_key_exchange_modes', 45],
    ['key_share', 51],
    ['post_handshake_auth', 49],
    ['record_size_limit', 28],
    ['status_request_v2', 17],
  ])('request with %s is refused', (_name, id) => {
    const p = puppet().upTo('encrypted_extensions');
    p.send(raw(13, 0, 0, 12, 0, 13, 0, 4, 0, 2, 4, 3, id >> 8, id, 0, 0));
    expect(outcomeOf(p)).toEqual(refused('misplaced-extension'));
  });

  function finish(p: PuppetServer13): void {
    p.send(p.certificate());
    p.send(p.certificateVerify());
    p.send(p.finished());
    p.enterApplication();
  }

  test('of an unknown CA, with its own key, is refused with unknown_ca', () => {
    const p = puppet({}, pki.server('p256', { trusted: false }));
    p.upTo('certificate_verify');
    expect(outcomeOf(p)).toEqual(refused('unknown-ca'));
  });

  test('for another name is refused', () => {
    const p = puppet({}, pki.server('p256', { name: 'other.example' }));
    p.upTo('certificate_verify');
    expect(outcomeOf(p)).toEqual(refused('bad-certificate'));
  });

  test('for clients is refused', () => {
    const p = puppet({}, pki.client('p256'));
    p.upTo('certificate_verify');
    expect(outcomeOf(p)).toEqual(refused('certificate-unsupported'));
  });
});

describe('a CertificateVerify', () => {
  const verify = (options: Parameters<PuppetServer13['certificateVerify']>[0]) => (p: PuppetServer13) =>
    p.upTo('certificate').send(p.certificateVerify(options));
  const flip = (signature: Uint8Array) =>
    signature.map((byte, at) => (at === signature.length - 1 ? byte ^ 1 : byte));
  refuses([
    ["with the client's context", verify({ role: 'client' }), 'bad-signature'],
    [
      'by another key',
      verify({ credential: pki.server('p256', { name: 'other.example' }) }),
      'bad-signature',
    ],
    ['over another transcript', verify({ transcriptHash: new Uint8Array(32) }), 'bad-signature'],
    ['with a bit flipped', verify({ change: flip }), 'bad-signature'],
    ['with an empty signature', verify({ change: () => new Uint8Array(0) }), 'bad-signature'],
    [
      'with bytes behind the signature',
      verify({ change: (s) => concat(s, Uint8Array.of(0)) }),
      'bad-signature',
    ],
    ['that names a scheme of another curve', verify({ scheme: 0x0503 }), 'illegal-parameter'],
    ['that names a scheme of another kind of key', verify({ scheme: 0x0804 }), 'illegal-parameter'],
    ['that names SHA-1', verify({ scheme: 0x0203 }), 'illegal-parameter'],
    ['that names a scheme nobody knows', verify({ scheme: 0x0a0a }), 'illegal-parameter'],
  ]);

  test('with PKCS#1 v1.5 is refused, although TLS 1.2 would take it', () => {
    const p = puppet({}, rsa);
    p.upTo('certificate').send(
      p.certificateVerify({ scheme: 0x0401, algorithm: { name: 'rsa-pkcs1', hash: 'sha256' } }),
    );
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
  });

  test('with PKCS#1 v1.5 under the name of PSS is refused', () => {
    const p = puppet({}, rsa);
    p.upTo('certificate').send(
      p.certificateVerify({ scheme: 0x0804, algorithm: { name: 'rsa-pkcs1', hash: 'sha256' } }),
    );
    expect(outcomeOf(p)).toEqual(refused('bad-signature'));
  });

  test('with a scheme that this client did not offer is refused', () => {
    const p = puppet({ signatureSchemes: ['ed25519'] });
    p.upTo('certificate_verify');
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
  });
});

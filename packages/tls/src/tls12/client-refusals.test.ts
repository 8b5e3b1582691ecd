import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { alpn } from '../extensions/alpn.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { ecPointFormats, extendedMasterSecret, renegotiationInfo } from '../extensions/negotiation.ts';
import { sessionTicket } from '../extensions/session-ticket.ts';
import { newSessionTicket12 } from '../messages/new-session-ticket.ts';
import { DOWNGRADE_TLS11, DOWNGRADE_TLS12 } from '../messages/server-hello.ts';
import type { ClientOptions } from '../options/client.ts';
import { clientEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import type { WritableServerHello } from '../testing/puppet-server13.ts';
import { PuppetServer12 } from '../testing/puppet12.ts';

// What a client must not take from a server of TLS 1.2.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

function puppet(options: Partial<ClientOptions> = {}, own = pki.server()): PuppetServer12 {
  const config = clientConfig({ provider: nodeCrypto, verifyCertificate, ...options });
  return new PuppetServer12(nodeCrypto, clientEnd(config), own);
}

type Case = readonly [what: string, act: (p: PuppetServer12) => unknown, code: string];

function refuses(cases: readonly Case[], options: Partial<ClientOptions> = {}): void {
  test.each(cases)('%s', (_what, act, code) => {
    const p = puppet(options);
    act(p);
    expect(outcomeOf(p)).toEqual(refused(code));
    expect(p.end.data).toEqual([]);
  });
}

const ONLY_12 = { maxVersion: 'TLSv1.2' } as const;
const hello = (change: (h: WritableServerHello) => void) => (p: PuppetServer12) =>
  p.send(p.serverHello(change));
const block = (change: (b: ExtensionBlock<'server_hello_12'>) => void) =>
  hello((h) => change(h.extensions as ExtensionBlock<'server_hello_12'>));
const marked = (marker: Uint8Array) => hello((h) => h.random.set(marker, 24));

describe('a ServerHello', () => {
  refuses([
    [
      'of TLS 1.1',
      hello((h) => {
        h.legacyVersion = 0x0302;
      }),
      'no-common-version',
    ],
    [
      'of TLS 1.0',
      hello((h) => {
        h.legacyVersion = 0x0301;
      }),
      'no-common-version',
    ],
    [
      'of SSL 3.0',
      hello((h) => {
        h.legacyVersion = 0x0300;
      }),
      'no-common-version',
    ],
    [
      'of TLS 1.3 in the old field',
      hello((h) => {
        h.legacyVersion = 0x0304;
      }),
      'no-common-version',
    ],
    ['with the mark of a server that knows 1.3', marked(DOWNGRADE_TLS12), 'downgrade-detected'],
    ['with the mark of a server that was made to speak 1.1', marked(DOWNGRADE_TLS11), 'downgrade-detected'],
    [
      'with a suite that was not offered',
      hello((h) => {
        h.cipherSuite = 0x009c;
      }),
      'illegal-parameter',
    ],
    [
      'with a suite of TLS 1.3',
      hello((h) => {
        h.cipherSuite = 0x1301;
      }),
      'illegal-parameter',
    ],
    [
      'with the null suite',
      hello((h) => {
        h.cipherSuite = 0;
      }),
      'illegal-parameter',
    ],
    [
      'with a signalling suite',
      hello((h) => {
        h.cipherSuite = 0x00ff;
      }),
      'illegal-parameter',
    ],
    [
      'with compression',
      hello((h) => {
        h.legacyCompressionMethod = 1;
      }),
      'illegal-parameter',
    ],
    [
      'that resumes a session that was not offered',
      (p) =>
        hello((h) => {
          h.legacySessionIdEcho = p.hello.legacySessionId;
        })(p),
      'illegal-parameter',
    ],
    [
      'with an extension that was not offered',
      block((b) => b.setRaw(0x5a5a, new Uint8Array(0))),
      'unsolicited-extension',
    ],
    ['with a protocol when none was offered', block((b) => b.set(alpn, 'h2')), 'unsolicited-extension'],
    ['with key_share', block((b) => b.setRaw(51, new Uint8Array(2))), 'misplaced-extension'],
    [
      'with renegotiation_info that is not empty',
      block((b) => b.set(renegotiationInfo, new Uint8Array(12))),
      'insecure-renegotiation',
    ],
    ['that takes no uncompressed points', block((b) => b.set(ecPointFormats, [1])), 'illegal-parameter'],
  ]);
  refuses(
    [['with a protocol that was not offered', block((b) => b.set(alpn, 'imap')), 'illegal-parameter']],
    { alpnProtocols: ['h2'] },
  );
  refuses(
    [
      [
        'without extended master secret, where it is required',
        block((b) => b.delete(extendedMasterSecret)),
        'no-extended-master-secret',
      ],
    ],
    { allowNoExtendedMasterSecret: false },
  );
  refuses([['of TLS 1.2 for a client of 1.3 only', hello(() => {}), 'no-common-version']], {
    minVersion: 'TLSv1.3',
  });

  test('with the mark is taken by a client that does not know 1.3 itself', () => {
    const p = puppet(ONLY_12);
    marked(DOWNGRADE_TLS12)(p);
    expect(p.end.errors).toEqual([]);
  });

  test('without extensions at all is taken', () => {
    const p = puppet();
    block((b) => {
      b.delete(extendedMasterSecret);
      b.delete(renegotiationInfo);
    })(p);
    p.send(p.certificate());
    p.send(p.keyExchange());
    p.send(p.helloDone()).changeKeys().send(p.finished());
    expect(p.end.info.extendedMasterSecret).toBe(false);
  });
});

describe("the server's flight", () => {
  const at =
    (step: Parameters<PuppetServer12['upTo']>[0], act: (p: PuppetServer12) => unknown) =>
    (p: PuppetServer12) =>
      act(p.upTo(step));
  /** A key exchange, and the end of the flight: the client looks at signatures when it is complete. */
  const exchange = (options: Parameters<PuppetServer12['keyExchange']>[0]) =>
    at('certificate', (p) => {
      p.send(p.keyExchange(options));
      if (p.end.connection.state !== 'failed') p.send(p.helloDone());
    });
  const chain = (...certificates: Uint8Array[]) =>
    at('server_hello', (p) => {
      p.send(p.certificate(certificates));
      p.send(p.keyExchange());
      p.send(p.helloDone());
    });
  const offCurve = new Uint8Array(65).fill(1).fill(4, 0, 1);
  refuses([
    ['without a certificate', chain(), 'empty-certificate-list'],
    ['with something that is no certificate', chain(Uint8Array.of(0x30, 0)), 'bad-certificate'],
    ['with an RSA key for an ECDSA suite', chain(...pki.server('rsa').certificates), 'illegal-parameter'],
    [
      'signed by another key',
      chain(...pki.server('p256', { name: 'other.example' }).certificates),
      'bad-signature',
    ],
    ['signed over other randoms', exchange({ signed: new Uint8Array(100) }), 'bad-signature'],
    [
      'with a signature that is spoilt',
      exchange({ change: (s) => s.map((b, i) => (i === s.length - 1 ? b ^ 1 : b)) }),
      'bad-signature',
    ],
    [
      'signed with SHA-1',
      exchange({ scheme: 0x0203, algorithm: { name: 'ecdsa', hash: 'sha1' } }),
      'illegal-parameter',
    ],
    ['signed with MD5', exchange({ scheme: 0x0103 }), 'illegal-parameter'],
    ['with a scheme for another kind of key', exchange({ scheme: 0x0401 }), 'illegal-parameter'],
    ['with a curve that was not offered', exchange({ params: { namedCurve: 0x001e } }), 'illegal-parameter'],
    [
      'with a hybrid group, which 1.2 has not',
      exchange({ params: { namedCurve: 0x11ec } }),
      'illegal-parameter',
    ],
    [
      'with explicit curve parameters',
      at('certificate', (p) => p.send(Uint8Array.of(12, 0, 0, 4, 1, 0, 0, 0))),
      'malformed-message',
    ],
    ['with an all-zero point', exchange({ params: { point: new Uint8Array(32) } }), 'bad-key-share'],
    ['with a short point', exchange({ params: { point: new Uint8Array(31).fill(9) } }), 'bad-key-share'],
    [
      'with a point that is not on the curve',
      exchange({ params: { namedCurve: 0x0017, point: offCurve } }),
      'bad-key-share',
    ],
    [
      'with an empty point',
      at('certificate', (p) => p.send(Uint8Array.of(12, 0, 0, 8, 3, 0, 29, 0, 4, 3, 0, 0))),
      'malformed-message',
    ],
    [
      'with a ServerHelloDone that has a body',
      at('server_key_exchange', (p) => p.send(Uint8Array.of(14, 0, 0, 1, 0))),
      'malformed-message',
    ],
  ]);

  test('a certificate of an unknown CA', () => {
    const p = puppet({}, pki.server('p256', { trusted: false })).upTo('server_hello_done');
    expect(outcomeOf(p)).toEqual(refused('unknown-ca'));
  });
});

describe('the end of the handshake', () => {
  const done = (act: (p: PuppetServer12) => unknown) => (p: PuppetServer12) =>
    act(p.upTo('server_hello_done'));
  refuses([
    [
      'Finished with a bit flipped',
      (p) => p.upTo('ccs').send(p.finished((d) => d.map((b, i) => (i === 0 ? b ^ 1 : b)))),
      'bad-finished',
    ],
    [
      'Finished that is long',
      (p) => p.upTo('ccs').send(p.finished((d) => concat(d, Uint8Array.of(0)))),
      'malformed-message',
    ],
    [
      'Finished that is empty',
      (p) => p.upTo('ccs').send(p.finished(() => new Uint8Array(0))),
      'malformed-message',
    ],
    ['Finished that is cut', (p) => p.upTo('ccs').send(p.finished((d) => d.slice(1))), 'malformed-message'],
    ['Finished without ChangeCipherSpec', done((p) => p.send(p.finished())), 'unexpected-message'],
    [
      'Finished in the clear after ChangeCipherSpec',
      done((p) => p.changeCipherSpec().send(p.finished())),
      'bad-record-mac',
    ],
    [
      'application data before Finished',
      (p) => p.upTo('ccs').applicationData(Uint8Array.of(1)),
      'unexpected-message',
    ],
    ['application data in the clear', done((p) => p.applicationData(Uint8Array.of(1))), 'unexpected-message'],
    [
      'ChangeCipherSpec of another byte',
      done((p) => p.changeCipherSpec(Uint8Array.of(2))),
      'malformed-record',
    ],
    [
      'ChangeCipherSpec of two bytes',
      done((p) => p.changeCipherSpec(Uint8Array.of(1, 1))),
      'malformed-record',
    ],
    [
      'ChangeCipherSpec that is empty',
      done((p) => p.changeCipherSpec(new Uint8Array(0))),
      'malformed-record',
    ],
    ['ChangeCipherSpec twice', (p) => p.upTo('ccs').changeCipherSpec(), 'unexpected-message'],
    [
      'ChangeCipherSpec right after ServerHello',
      (p) => p.upTo('server_hello').changeCipherSpec(),
      'unexpected-message',
    ],
    [
      'ChangeCipherSpec before the key exchange',
      (p) => p.upTo('certificate').changeCipherSpec(),
      'unexpected-message',
    ],
    [
      'ChangeCipherSpec before ServerHelloDone',
      (p) => p.upTo('server_key_exchange').changeCipherSpec(),
      'unexpected-message',
    ],
    [
      'ChangeCipherSpec inside a message',
      done((p) => p.send(Uint8Array.of(20, 0)).changeCipherSpec()),
      'unexpected-message',
    ],
    ['ChangeCipherSpec after Finished', (p) => p.upTo('done').changeCipherSpec(), 'unexpected-message'],
    [
      'a ticket that was not announced',
      done((p) => p.send(p.encoded(newSessionTicket12, { ticketLifetimeHint: 0, ticket: Uint8Array.of(1) }))),
      'unexpected-message',
    ],
    [
      'no ticket although one was announced',
      (p) => {
        block((b) => b.set(sessionTicket, null))(p);
        p.send(p.certificate());
        p.send(p.keyExchange());
        p.send(p.helloDone()).changeCipherSpec();
      },
      'unexpected-message',
    ],
  ]);
});

test('ChangeCipherSpec before ServerHello is refused by a client that offers no 1.3', () => {
  expect(outcomeOf(puppet(ONLY_12).changeCipherSpec())).toEqual(refused('unexpected-message'));
});

describe('after the handshake', () => {
  const after = (act: (p: PuppetServer12) => unknown) => (p: PuppetServer12) => act(p.upTo('done'));
  refuses([
    [
      'a HelloRequest that is not empty',
      after((p) => p.send(Uint8Array.of(0, 0, 0, 1, 0))),
      'malformed-message',
    ],
    ['a ServerHello', after((p) => p.send(p.serverHello())), 'unexpected-message'],
    ['a KeyUpdate', after((p) => p.send(Uint8Array.of(24, 0, 0, 1, 0))), 'unexpected-message'],
    ['a ticket', after((p) => p.send(Uint8Array.of(4, 0, 0, 7, 0, 0, 0, 0, 0, 1, 1))), 'unexpected-message'],
    ['Finished again', after((p) => p.send(p.finished())), 'unexpected-message'],
  ]);

  test('there is no key to update', () => {
    const p = puppet().upTo('done');
    expect(() => p.end.connection.updateKeys()).toThrow(expect.objectContaining({ code: 'not-connected' }));
    expect(p.end.connection.state).toBe('open');
  });
});

describe('a CertificateRequest', () => {
  test.each([
    ['rsa_sign', 1, false],
    ['ecdsa_sign', 64, true],
  ] as const)('for %s decides whether an ECDSA certificate is shown', (_name, type, shows) => {
    const p = puppet({ credentials: [pki.client('p256')] }).upTo('server_key_exchange');
    p.send(p.certificateRequest([type]), p.helloDone());
    const verifies = p.end.log.includes('sent certificate_verify');
    expect([p.end.errors, verifies]).toEqual([[], shows]);
  });
});

describe('HelloRequest in the middle of a handshake', () => {
  test('is passed over, and not part of the transcript', () => {
    const p = puppet().upTo('server_hello');
    p.record(22, Uint8Array.of(0, 0, 0, 0));
    p.send(p.certificate());
    p.record(22, Uint8Array.of(0, 0, 0, 0));
    p.send(p.keyExchange());
    p.send(p.helloDone()).changeKeys().send(p.finished());
    expect(p.end.connection.state).toBe('open');
  });
  refuses([
    [
      'with a body is refused',
      (p) => p.upTo('server_hello').record(22, Uint8Array.of(0, 0, 0, 1, 0)),
      'unexpected-message',
    ],
    [
      'before ServerHello is refused',
      (p) => p.record(22, Uint8Array.of(0, 0, 0, 1, 0)),
      'unexpected-message',
    ],
  ]);

  test('does not come for ever', () => {
    const p = puppet().upTo('server_hello');
    for (let i = 0; i < 4; i++) p.record(22, Uint8Array.of(0, 0, 0, 0));
    expect(p.end.errors).toEqual([]);
    p.record(22, Uint8Array.of(0, 0, 0, 0));
    expect(outcomeOf(p)).toEqual(refused('unexpected-message'));
  });
});

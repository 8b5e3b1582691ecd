import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { serverConfig } from '../config/server.ts';
import { keyShare } from '../extensions/key-share.ts';
import { earlyData } from '../extensions/pre-shared-key.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { keyUpdate } from '../messages/key-update.ts';
import type { ServerOptions } from '../options/server.ts';
import { serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';

// What a server must not take in a client's second flight, and after it.

const pki = new TestPki(nodeCrypto);
const rsa = pki.client('rsa');
const asks = { clientCertificate: 'require', verifyCertificate: pki.verifier() } as const;

function puppet(options: Partial<ServerOptions> = {}, own = pki.client()): PuppetClient13 {
  const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options });
  return new PuppetClient13(nodeCrypto, serverEnd(config), own);
}

type Case = readonly [what: string, act: (p: PuppetClient13) => unknown, code: string];

function refuses(cases: readonly Case[], options: Partial<ServerOptions> = {}): void {
  test.each(cases)('%s', (_what, act, code) => {
    const p = puppet(options);
    p.sendHello();
    act(p);
    expect(outcomeOf(p)).toEqual(refused(code));
    expect(p.end.data).toEqual([]);
  });
}

const flip = (data: Uint8Array) => data.map((byte, at) => (at === 0 ? byte ^ 1 : byte));
const update = (requestUpdate: number) => encodeMessage(keyUpdate, { requestUpdate });

describe('Finished', () => {
  refuses([
    ['with a bit flipped', (p) => p.send(p.finished(flip)), 'bad-finished'],
    ['of zeros', (p) => p.send(p.finished((data) => new Uint8Array(data.length))), 'bad-finished'],
    ['that is empty', (p) => p.send(p.finished(() => new Uint8Array(0))), 'malformed-message'],
    ['that is short', (p) => p.send(p.finished((data) => data.subarray(1))), 'malformed-message'],
    [
      'that is long',
      (p) => p.send(p.finished((data) => concat(data, Uint8Array.of(0)))),
      'malformed-message',
    ],
    ['with a message behind it', (p) => p.sendTogether(p.finished(), update(0)), 'interleaved-handshake'],
    [
      'with a part of a message behind it',
      (p) => p.sendTogether(p.finished(), Uint8Array.of(24)),
      'interleaved-handshake',
    ],
    [
      'in the clear',
      (p) => {
        const raw = p.finished();
        p.bytes(concat(Uint8Array.of(22, 3, 3, 0, raw.length), raw));
      },
      'unexpected-message',
    ],
    [
      'that was sent twice',
      (p) => {
        const raw = p.finished();
        p.send(raw).enterApplication().send(raw);
      },
      'unexpected-message',
    ],
    ['replaced by application data', (p) => p.applicationData(Uint8Array.of(1)), 'unexpected-message'],
    ['after a certificate nobody asked for', (p) => p.send(p.certificate()), 'unexpected-message'],
    [
      'after EndOfEarlyData that nobody accepted',
      (p) => p.send(Uint8Array.of(5, 0, 0, 0)),
      'unexpected-message',
    ],
    ['after a KeyUpdate', (p) => p.send(update(0)), 'unexpected-message'],
    [
      'after application data under the next key',
      (p) => {
        p.finished();
        p.enterApplication().applicationData(Uint8Array.of(1));
      },
      'bad-record-mac',
    ],
  ]);
});

describe("the client's certificate", () => {
  const withCertificate =
    (options: Parameters<PuppetClient13['certificateVerify']>[0] = {}) =>
    (p: PuppetClient13) => {
      p.send(p.certificate());
      p.send(p.certificateVerify(options));
    };
  refuses(
    [
      ['is missing', (p) => p.send(p.certificate([])), 'certificate-required'],
      ['is left out', (p) => p.send(p.finished()), 'unexpected-message'],
      [
        'comes without a CertificateVerify',
        (p) => {
          p.send(p.certificate());
          p.send(p.finished());
        },
        'unexpected-message',
      ],
      [
        'answers another request',
        (p) => p.send(p.certificate(undefined, Uint8Array.of(1))),
        'illegal-parameter',
      ],
      [
        'is no certificate',
        (p) => {
          p.send(p.certificate([Uint8Array.of(1)]));
          p.send(p.certificateVerify());
        },
        'bad-certificate',
      ],
      ["is signed for with the server's context", withCertificate({ role: 'server' }), 'bad-signature'],
      ['is signed for by another key', withCertificate({ credential: pki.server() }), 'bad-signature'],
      [
        'is signed for over something else',
        withCertificate({ transcriptHash: new Uint8Array(32) }),
        'bad-signature',
      ],
      [
        'is signed for with a scheme we did not name',
        withCertificate({ scheme: 0x0203 }),
        'illegal-parameter',
      ],
      [
        'is signed for with a scheme of another key',
        withCertificate({ scheme: 0x0807 }),
        'illegal-parameter',
      ],
      [
        'comes in the clear',
        (p) => {
          const raw = p.certificate([]);
          p.bytes(concat(Uint8Array.of(22, 3, 3, 0, raw.length), raw));
        },
        'unexpected-message',
      ],
    ],
    asks,
  );

  test('is signed for with PKCS#1 v1.5', () => {
    const p = puppet(asks, rsa).sendHello();
    p.send(p.certificate());
    p.send(p.certificateVerify({ scheme: 0x0401, algorithm: { name: 'rsa-pkcs1', hash: 'sha256' } }));
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
  });

  test('is of an unknown CA', () => {
    const p = puppet(asks, pki.client('p256', { trusted: false })).sendHello();
    p.send(p.certificate());
    p.send(p.certificateVerify());
    expect(outcomeOf(p)).toEqual(refused('unknown-ca'));
  });

  test('is for servers', () => {
    const p = puppet(asks, pki.server()).sendHello();
    p.send(p.certificate());
    p.send(p.certificateVerify());
    expect(outcomeOf(p)).toEqual(refused('certificate-unsupported'));
  });

  test('is as it should be, and is taken', () => {
    const p = puppet(asks).sendHello();
    p.send(p.certificate());
    p.send(p.certificateVerify());
    p.send(p.finished());
    expect(p.end.info.peerCertificates).toEqual(p.credential.certificates);
    expect(p.end.info.authorizationError).toBeUndefined();
  });
});

describe('after the handshake', () => {
  const after = (act: (p: PuppetClient13) => unknown) => (p: PuppetClient13) =>
    act(p.send(p.finished()).enterApplication());
  refuses([
    ['a ClientHello', after((p) => p.sendHello()), 'unexpected-message'],
    [
      'a ticket from a client',
      after((p) => p.send(Uint8Array.of(4, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0))),
      'unexpected-message',
    ],
    ['a certificate', after((p) => p.send(p.certificate())), 'unexpected-message'],
    ['a HelloRequest', after((p) => p.send(Uint8Array.of(0, 0, 0, 0))), 'unexpected-message'],
    [
      'a KeyUpdate with something behind it',
      after((p) => p.sendTogether(update(0), update(0))),
      'interleaved-handshake',
    ],
    ['a KeyUpdate with another value', after((p) => p.send(update(2))), 'illegal-parameter'],
    [
      'data under the old key after a KeyUpdate',
      after((p) => p.send(update(0)).applicationData(Uint8Array.of(1))),
      'bad-record-mac',
    ],
    ['a ChangeCipherSpec', after((p) => p.changeCipherSpec()), 'unexpected-message'],
  ]);
});

describe('early data that was not accepted', () => {
  const junk = (length: number) =>
    Uint8Array.of(23, 3, 3, length >> 8, length & 255, ...new Uint8Array(length).fill(7));

  test('is dropped, and the handshake goes on', () => {
    const p = puppet().sendHello((h) => h.extensions.set(earlyData, null));
    for (let i = 0; i < 4; i++) p.bytes(junk(10_000));
    p.send(p.finished()).enterApplication().applicationData(Uint8Array.of(9));
    expect(p.end.data).toEqual([Uint8Array.of(9)]);
  });

  test('is not dropped without end', () => {
    const p = puppet().sendHello((h) => h.extensions.set(earlyData, null));
    for (let i = 0; i < 8; i++) p.bytes(junk(10_000));
    expect(outcomeOf(p)).toEqual(refused('too-much-early-data'));
  });

  test('is not dropped without end between two hellos', () => {
    const p = puppet().sendHello((h) => h.extensions.set(earlyData, null).set(keyShare, []));
    for (let i = 0; i < 6; i++) p.bytes(junk(10_000));
    expect(p.end.connection.state).toBe('handshaking');
    expect(outcomeOf(p.bytes(junk(10_000)))).toEqual(refused('too-much-early-data'));
  });

  test('is not dropped when none was announced', () => {
    expect(outcomeOf(puppet().sendHello().bytes(junk(100)))).toEqual(refused('bad-record-mac'));
  });

  test('is not dropped any more once a record decrypted', () => {
    const p = puppet().sendHello((h) => h.extensions.set(earlyData, null));
    p.send(p.finished()).enterApplication().bytes(junk(100));
    expect(outcomeOf(p)).toEqual(refused('bad-record-mac'));
  });
});

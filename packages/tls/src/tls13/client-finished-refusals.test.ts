import { concat, fromHex } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { encodeMessage } from '../messages/handshake-type.ts';
import { keyUpdate } from '../messages/key-update.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import type { PuppetServer13 } from '../testing/puppet-server13.ts';
import { puppet, raw, refuses } from '../testing/refusals13.ts';

// What a TLS 1.3 client must not take from a server. Each case: the error here, and the alert there, once.

describe('a Finished', () => {
  const finish = (change: (data: Uint8Array) => Uint8Array) => (p: PuppetServer13) =>
    p.upTo('certificate_verify').send(p.finished(change));
  refuses([
    [
      'with a bit flipped',
      finish((data) => data.map((byte, at) => (at === 0 ? byte ^ 1 : byte))),
      'bad-finished',
    ],
    ['that is short', finish((data) => data.subarray(0, 31)), 'malformed-message'],
    ['that is empty', finish(() => new Uint8Array(0)), 'malformed-message'],
    ['that is long', finish((data) => concat(data, Uint8Array.of(0))), 'malformed-message'],
    [
      'with a message behind it in the same record',
      (p) => p.upTo('certificate_verify').sendTogether(p.finished(), raw(4, 0)),
      'interleaved-handshake',
    ],
    [
      'with a part of a message behind it',
      (p) => p.upTo('certificate_verify').sendTogether(p.finished(), Uint8Array.of(4)),
      'interleaved-handshake',
    ],
    [
      'in the place of the certificate',
      (p) => p.upTo('encrypted_extensions').send(p.finished()),
      'unexpected-message',
    ],
    ['without a CertificateVerify', (p) => p.upTo('certificate').send(p.finished()), 'unexpected-message'],
  ]);
});

describe('keys change only between messages:', () => {
  refuses([
    [
      'a ServerHello with a message behind it',
      (p) => p.sendTogether(raw(2, ...plainHello(p)), raw(8, 0, 0)),
      'interleaved-handshake',
    ],
    [
      'a ServerHello with one byte behind it',
      (p) => p.sendTogether(raw(2, ...plainHello(p)), Uint8Array.of(8)),
      'interleaved-handshake',
    ],
  ]);
  test('a KeyUpdate with anything behind it is refused', () => {
    const update = encodeMessage(keyUpdate, { requestUpdate: 0 });
    for (const rest of [update, Uint8Array.of(24), raw(4, 0)]) {
      const p = puppet().upTo('done');
      p.sendTogether(update, rest);
      expect(outcomeOf(p)).toEqual(refused('interleaved-handshake'));
    }
  });

  /** A ServerHello with a valid X25519 share (RFC 7748 §6.1). */
  function plainHello(p: PuppetServer13): number[] {
    const echo = p.hello.legacySessionId;
    const share = fromHex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 36, 0, 0x1d, 0, 32, ...share];
    return [3, 3, ...new Array(32).fill(5), echo.length, ...echo, 0x13, 1, 0, 0, 46, ...extensions];
  }
});

describe('after the handshake', () => {
  const after = (act: (p: PuppetServer13) => unknown) => (p: PuppetServer13) => act(p.upTo('done'));
  refuses([
    ['a KeyUpdate with another value', after((p) => p.send(raw(24, 2))), 'illegal-parameter'],
    ['a KeyUpdate that is empty', after((p) => p.send(raw(24))), 'malformed-message'],
    ['a KeyUpdate that is too long', after((p) => p.send(raw(24, 0, 0))), 'malformed-message'],
    [
      'an empty ticket',
      after((p) =>
        p.send(p.ticket({ ticket: Uint8Array.of(1) }).map((b, at, all) => (at === all.length - 4 ? 0 : b))),
      ),
      'malformed-message',
    ],
    [
      'a ticket with an extension twice',
      after((p) =>
        p.send(
          raw(4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 7, 0, 16, 0, 42, 0, 4, 0, 0, 0, 0, 0, 42, 0, 4, 0, 0, 0, 0),
        ),
      ),
      'duplicate-extension',
    ],
    ['a HelloRequest', after((p) => p.send(raw(0))), 'unexpected-message'],
    [
      'a CertificateRequest (post-handshake authentication was not offered)',
      after((p) => p.send(p.certificateRequest(() => {}, Uint8Array.of(1)))),
      'unexpected-message',
    ],
    [
      'more tickets than anyone needs',
      after((p) => {
        for (let i = 0; i < 4097; i++) p.send(p.ticket());
      }),
      'too-many-tickets',
    ],
    [
      'KeyUpdates without end',
      after((p) => {
        for (let i = 0; i < 33; i++) keyUpdateOf(p);
      }),
      'too-many-key-updates',
    ],
  ]);

  function keyUpdateOf(p: PuppetServer13): void {
    p.send(encodeMessage(keyUpdate, { requestUpdate: 0 }));
    p.serverSecret = p.schedule.nextTrafficSecret(p.serverSecret);
    p.sealer = p.schedule.sealer(p.serverSecret);
  }

  test('64 tickets, and 32 KeyUpdates between data, are still taken', () => {
    const p = puppet().upTo('done');
    for (let i = 0; i < 64; i++) p.send(p.ticket());
    for (let i = 0; i < 70; i++) {
      keyUpdateOf(p);
      if (i % 32 === 31) p.applicationData(Uint8Array.of(i));
    }
    expect(p.end.sessions).toHaveLength(64);
    expect(p.end.connection.state).toBe('open');
  });

  test('a ticket of the longest lifetime counts as seven days', () => {
    const p = puppet().upTo('done');
    p.send(p.ticket({ ticketLifetime: 0xffffffff }));
    expect(p.end.sessions[0]!.lifetime).toBe(604_800);
  });

  test('a ticket of lifetime 0 is not worth keeping', () => {
    const p = puppet().upTo('done');
    p.send(p.ticket({ ticketLifetime: 0 }));
    expect(p.end.sessions.filter((session) => session.lifetime > 0)).toEqual([]);
  });
});

test('tickets that nobody needs are passed over', () => {
  const p = puppet().upTo('done');
  for (let i = 0; i < 100; i++) p.send(p.ticket());
  expect(p.end.sessions.length).toBe(64);
  p.applicationData(Uint8Array.of(1));
  expect(p.end.data.length).toBe(1);
  expect(p.end.errors).toEqual([]);
});

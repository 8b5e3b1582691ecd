import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { ExtensionBlock } from '../extensions/block.ts';
import {
  encryptThenMac,
  extendedMasterSecret,
  renegotiationInfo,
  supportedVersions,
} from '../extensions/negotiation.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import { Transcript } from '../handshake/transcript.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import { RETRY_RANDOM } from '../messages/server-hello.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { cipherSuite, EMPTY_RENEGOTIATION_INFO_SCSV } from '../suites/index.ts';
import { endsOf } from '../testing/ends.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, type Puppet, refused } from '../testing/puppet.ts';
import type { WritableClientHello } from '../testing/puppet-client13.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';

const pki = new TestPki(nodeCrypto);

const { client, server } = endsOf(nodeCrypto, pki, {
  client: { maxVersion: 'TLSv1.2', renegotiation: true },
  server: { renegotiation: true },
});

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** Sends a message in records of `size` bytes, with a byte of data before each. How many there were. */
function inPieces(p: Puppet, message: Uint8Array, size: number): number {
  for (let at = 0; at < message.length; at += size)
    p.applicationData(bytes('.')).record(22, message.subarray(at, at + size));
  return Math.ceil(message.length / size);
}

describe('too often', () => {
  const helloRequest = Uint8Array.of(0, 0, 0, 0);

  test('HelloRequests to a client that refuses', () => {
    const p = new PuppetServer12(nodeCrypto, client({ renegotiation: false }), pki.server()).upTo('done');
    for (let i = 0; i < 4; i++) p.send(helloRequest);
    expect(p.alerts).toEqual(new Array(4).fill('warning no_renegotiation'));
    p.applicationData(bytes('data'));
    expect(p.end.text).toBe('data');
    p.send(helloRequest);
    expect(outcomeOf(p)).toMatchObject({ state: 'failed', codes: ['renegotiation-refused'] });
    expect(p.alerts.at(-1)).toBe('fatal handshake_failure');
  });

  test.each([false, { byPeer: false }])(
    'one of them, where that is enough (renegotiation: %j)',
    (renegotiation) => {
      const strict = { renegotiation, maxRefusedRenegotiations: 0 };
      const asked = new PuppetServer12(nodeCrypto, client(strict), pki.server()).upTo('done');
      expect(outcomeOf(asked.send(helloRequest))).toEqual(refused('renegotiation-refused'));
      const wanted = new PuppetClient12(nodeCrypto, server(strict), pki.client()).complete();
      wanted.sendHello();
      expect(outcomeOf(wanted)).toEqual(refused('renegotiation-refused'));
    },
  );

  test('after close_notify, to a client that may not go on', () => {
    for (const [options, state] of [
      [{}, 'closing'],
      [{ maxRefusedRenegotiations: 0 }, 'failed'],
    ] as const) {
      const end = client(options);
      const p = new PuppetServer12(nodeCrypto, end, pki.server()).upTo('done');
      end.connection.close();
      p.send(helloRequest);
      expect(end.connection.state === 'failed' ? 'failed' : 'closing').toBe(state);
    }
  });

  test('HelloRequests while it renegotiates', () => {
    const p = new PuppetServer12(nodeCrypto, client(), pki.server()).upTo('done');
    for (let i = 0; i < 5; i++) p.send(helloRequest);
    expect(p.end.connection.state).toBe('open');
    expect(outcomeOf(p.send(helloRequest))).toEqual(refused('unexpected-message'));
  });

  test('ClientHellos to a server that refuses', () => {
    const p = new PuppetClient12(nodeCrypto, server({ renegotiation: false }), pki.client()).complete();
    for (let i = 0; i < 4; i++) p.sendHello();
    expect(p.end.connection.state).toBe('open');
    p.sendHello();
    expect(outcomeOf(p)).toMatchObject({ state: 'failed', codes: ['renegotiation-refused'] });
  });
});

describe('a ClientHello', () => {
  /** A client with its handshake done, and the hello of the next one. */
  const puppet = (options: Partial<ServerOptions> = {}, first?: (h: WritableClientHello) => void) => {
    const p = new PuppetClient12(nodeCrypto, server(options), pki.client());
    p.sendHello(first);
    p.send(p.keyExchange());
    p.changeKeys().send(p.finished());
    expect(p.end.errors).toEqual([]);
    p.transcript = new Transcript(nodeCrypto);
    return p;
  };
  const own = (p: PuppetClient12) => p.end.info.finished.received;
  const next = (p: PuppetClient12, change: (h: WritableClientHello) => void = () => {}) =>
    p.sendHello((h) => {
      h.extensions.set(renegotiationInfo, own(p));
      change(h);
    });

  test('as it should be, and all that follows', () => {
    const p = next(puppet());
    p.send(p.keyExchange());
    p.changeKeys().send(p.finished());
    expect(p.end.changes).toHaveLength(1);
    p.applicationData(bytes('data'));
    expect(p.end.text).toBe('data');
    expect(p.unreadable).toBe(0);
  });

  test.each<[string, (h: WritableClientHello, p: PuppetClient12) => void, string]>([
    ['without renegotiation_info', (h) => h.extensions.delete(renegotiationInfo), 'insecure-renegotiation'],
    [
      'with an empty one',
      (h) => h.extensions.set(renegotiationInfo, new Uint8Array(0)),
      'insecure-renegotiation',
    ],
    [
      'with a wrong one',
      (h, p) =>
        h.extensions.set(
          renegotiationInfo,
          own(p).map((byte) => byte ^ 1),
        ),
      'insecure-renegotiation',
    ],
    [
      'with the server’s too',
      (h, p) => h.extensions.set(renegotiationInfo, concat(own(p), p.end.info.finished.sent)),
      'insecure-renegotiation',
    ],
    [
      'with the signalling suite',
      (h) => Object.assign(h, { cipherSuites: [...h.cipherSuites, EMPTY_RENEGOTIATION_INFO_SCSV] }),
      'insecure-renegotiation',
    ],
    [
      'without extended_master_secret',
      (h) => h.extensions.delete(extendedMasterSecret),
      'extended-master-secret-mismatch',
    ],
    ['of another version', (h) => h.extensions.set(supportedVersions, [0x0304]), 'no-common-version'],
    ['of an older version', (h) => Object.assign(h, { legacyVersion: 0x0302 }), 'no-common-version'],
    [
      'without null compression',
      (h) => Object.assign(h, { legacyCompressionMethods: [1] }),
      'illegal-parameter',
    ],
    [
      'for another name',
      (h) => h.extensions.set(serverName, serverNamesFor('other.example')),
      'peer-changed',
    ],
  ])('%s is refused', (_what, change, code) => {
    const p = puppet();
    next(p, (h) => change(h, p));
    if (code === 'no-common-version') {
      expect(outcomeOf(p)).toMatchObject({ state: 'failed', codes: [code] });
    } else expect(outcomeOf(p)).toEqual(refused(code));
  });

  test('with extended_master_secret, where it was none before, is refused', () => {
    const p = puppet({}, (h) => h.extensions.delete(extendedMasterSecret));
    next(p);
    expect(outcomeOf(p)).toEqual(refused('extended-master-secret-mismatch'));
  });

  test('of a client that did not know secure renegotiation is declined', () => {
    const p = puppet({}, (h) => h.extensions.delete(renegotiationInfo));
    next(p);
    expect(outcomeOf(p)).toMatchObject({ state: 'open', alerts: ['warning no_renegotiation'] });
    expect(() => p.end.connection.renegotiate()).toThrow(expect.objectContaining({ code: 'not-connected' }));
  });

  test('is followed by no data but under the new keys', () => {
    const p = next(puppet());
    p.send(p.keyExchange());
    p.changeKeys().applicationData(bytes('early'));
    expect(outcomeOf(p)).toEqual(refused('unexpected-message'));
  });

  test('is followed by the wrong Finished', () => {
    const p = next(puppet());
    p.send(p.keyExchange());
    p.changeKeys().send(p.finished((data) => data.map((byte) => byte ^ 1)));
    expect(outcomeOf(p)).toEqual(refused('bad-finished'));
  });

  test.each([1, 7, 1000])('and all that follows, in pieces of %i with data between them', (size) => {
    const p = puppet();
    const hello = p.hello();
    hello.extensions.set(renegotiationInfo, own(p));
    p.clientRandom = hello.random;
    const sent = inPieces(p, p.encoded(clientHello, hello), size) + inPieces(p, p.keyExchange(), size);
    p.changeKeys().send(p.finished());
    expect([p.end.errors, p.end.changes.length, p.end.text]).toEqual([[], 1, '.'.repeat(sent)]);
  });

  test('takes no data inside a Finished, which has to prove the keys first', () => {
    const p = next(puppet());
    p.send(p.keyExchange());
    p.changeKeys().record(22, p.finished().subarray(0, 5));
    expect(outcomeOf(p.applicationData(bytes('early')))).toEqual(refused('unexpected-message'));
  });
});

describe('a ServerHello', () => {
  const puppet = (options: Partial<ClientOptions> = {}) => {
    const p = new PuppetServer12(nodeCrypto, client(options), pki.server()).upTo('done');
    expect(p.end.errors).toEqual([]);
    p.transcript = new Transcript(nodeCrypto);
    p.end.connection.renegotiate();
    p.collect();
    p.hello = decodeMessage(clientHello, p.messages.at(-1)!);
    p.clientRandom = p.hello.random;
    return p;
  };
  const both = (p: PuppetServer12) => concat(p.end.info.finished.sent, p.end.info.finished.received);
  const answer = (p: PuppetServer12, change: (b: ExtensionBlock<'server_hello_12'>) => void = () => {}) =>
    p.send(
      p.serverHello((h) => {
        const block = h.extensions as ExtensionBlock<'server_hello_12'>;
        block.set(renegotiationInfo, both(p));
        change(block);
      }),
    );

  test('as it should be, and all that follows', () => {
    const p = puppet();
    expect(p.hello.extensions.get(renegotiationInfo)).toEqual(p.end.info.finished.sent);
    expect(p.hello.cipherSuites).not.toContain(EMPTY_RENEGOTIATION_INFO_SCSV);
    answer(p);
    p.send(p.certificate(), p.keyExchange(), p.helloDone());
    p.changeKeys().send(p.finished());
    expect([p.end.errors, p.end.changes.length, p.unreadable]).toEqual([[], 1, 0]);
  });

  test.each([1, 7, 1000])('and all that follows, in pieces of %i with data between them', (size) => {
    const p = puppet();
    const hello = p.serverHello((h) =>
      (h.extensions as ExtensionBlock<'server_hello_12'>).set(renegotiationInfo, both(p)),
    );
    let sent = 0;
    for (const message of [hello, p.certificate(), p.keyExchange(), p.helloDone()])
      sent += inPieces(p, message, size);
    p.changeKeys().send(p.finished());
    expect([p.end.errors, p.end.changes.length, p.end.text]).toEqual([[], 1, '.'.repeat(sent)]);
  });

  test.each<[string, (b: ExtensionBlock<'server_hello_12'>, p: PuppetServer12) => void, string]>([
    ['without renegotiation_info', (b) => b.delete(renegotiationInfo), 'insecure-renegotiation'],
    ['with an empty one', (b) => b.set(renegotiationInfo, new Uint8Array(0)), 'insecure-renegotiation'],
    [
      'with but the client’s half',
      (b, p) => b.set(renegotiationInfo, p.end.info.finished.sent),
      'insecure-renegotiation',
    ],
    [
      'with the halves the other way round',
      (b, p) => b.set(renegotiationInfo, concat(p.end.info.finished.received, p.end.info.finished.sent)),
      'insecure-renegotiation',
    ],
    [
      'without extended_master_secret',
      (b) => b.delete(extendedMasterSecret),
      'extended-master-secret-mismatch',
    ],
  ])('%s is refused', (_what, change, code) => {
    const p = puppet();
    answer(p, (b) => change(b, p));
    expect(outcomeOf(p)).toEqual(refused(code));
  });

  test.each([0x0301, 0x0302, 0x0304])('of another version, %i, is refused', (legacyVersion) => {
    const p = puppet();
    p.send(p.serverHello((h) => Object.assign(h, { legacyVersion })));
    expect(outcomeOf(p)).toEqual(refused('no-common-version'));
  });

  // RFC 9846 §4.2.3: the version would change.
  test.each(['server_hello', 'hello_retry_request'] as const)('of TLS 1.3 (%s) is refused', (place) => {
    const p = puppet();
    const extensions = new ExtensionBlock(place).set(supportedVersions as never, 0x0304 as never);
    const random = place === 'server_hello' ? nodeCrypto.randomBytes(32) : RETRY_RANDOM;
    p.send(p.serverHello((h) => Object.assign(h, { cipherSuite: 0x1301, extensions, random })));
    expect(outcomeOf(p)).toEqual(refused('no-common-version'));
  });

  test.each([
    ['gives encrypt_then_mac up', 0xc023, 'encrypt-then-mac-dropped'],
    ['chooses a suite that has no use for it', 0xc02b, undefined],
  ])('that %s, where it was agreed on before (RFC 7366 §3.1)', (_what, suite, code) => {
    const cipherSuites = ['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
    const p = new PuppetServer12(nodeCrypto, client({ cipherSuites }), pki.server());
    const [cbc, next] = [cipherSuite(0xc023)!, cipherSuite(suite)!];
    p.suite = cbc;
    p.send(
      p.serverHello((h) => (h.extensions as ExtensionBlock<'server_hello_12'>).set(encryptThenMac, null)),
    );
    p.send(p.certificate(), p.keyExchange(), p.helloDone());
    p.changeKeys().send(p.finished());
    expect(p.end.errors).toEqual([]);
    p.transcript = new Transcript(nodeCrypto);
    p.end.connection.renegotiate();
    p.collect();
    p.suite = next;
    answer(p);
    if (code === undefined) expect(p.end.errors).toEqual([]);
    else expect(outcomeOf(p)).toEqual(refused(code));
  });

  test('may not be followed by no_renegotiation', () => {
    const p = puppet();
    answer(p).alert(1, 100);
    expect(outcomeOf(p)).toEqual(refused('renegotiation-declined'));
  });

  test('instead of which no_renegotiation comes, twice', () => {
    const p = puppet().alert(1, 100);
    expect([p.end.declined, p.end.connection.state]).toEqual([1, 'open']);
    p.alert(1, 100);
    expect(p.end.connection.state).toBe('open');
    p.end.connection.renegotiate();
    p.collect();
    p.alert(1, 100);
    p.end.connection.send(bytes('data'));
    p.collect();
    expect(p.data).toEqual([bytes('data')]);
  });

  test('of a server that did not know secure renegotiation means that there is none', () => {
    const p = new PuppetServer12(nodeCrypto, client(), pki.server());
    p.send(
      p.serverHello((h) => (h.extensions as ExtensionBlock<'server_hello_12'>).delete(renegotiationInfo)),
      p.certificate(),
      p.keyExchange(),
      p.helloDone(),
    );
    p.changeKeys().send(p.finished());
    expect(p.end.errors).toEqual([]);
    expect(() => p.end.connection.renegotiate()).toThrow(expect.objectContaining({ code: 'not-connected' }));
    p.send(Uint8Array.of(0, 0, 0, 0));
    expect(p.alerts).toEqual(['warning no_renegotiation']);
  });
});

describe('where secure renegotiation is required', () => {
  const required = { requireSecureRenegotiation: true };

  test('a client without it is refused, one that signals it is not', () => {
    const without = new PuppetClient12(nodeCrypto, server(required), pki.client());
    without.sendHello((h) => h.extensions.delete(renegotiationInfo));
    expect(outcomeOf(without)).toEqual(refused('insecure-renegotiation'));
    const signals = new PuppetClient12(nodeCrypto, server(required), pki.client());
    signals.sendHello((h) => {
      h.extensions.delete(renegotiationInfo);
      h.cipherSuites = [...h.cipherSuites, EMPTY_RENEGOTIATION_INFO_SCSV];
    });
    expect(signals.end.errors).toEqual([]);
  });

  test('a server without it is refused', () => {
    const p = new PuppetServer12(nodeCrypto, client(required), pki.server());
    p.send(
      p.serverHello((h) => (h.extensions as ExtensionBlock<'server_hello_12'>).delete(renegotiationInfo)),
    );
    expect(outcomeOf(p)).toEqual(refused('insecure-renegotiation'));
  });

  test('our own sides meet, and know it', () => {
    const p = new PuppetClient12(nodeCrypto, server(required), pki.client()).complete();
    expect(p.end.info.secureRenegotiation).toBe(true);
    const without = new PuppetClient12(nodeCrypto, server(), pki.client());
    without.sendHello((h) => h.extensions.delete(renegotiationInfo));
    without.send(without.keyExchange());
    without.changeKeys().send(without.finished());
    expect(without.end.info.secureRenegotiation).toBe(false);
  });
});

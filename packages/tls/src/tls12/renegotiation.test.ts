import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { ExtensionBlock } from '../extensions/block.ts';
import { serverName } from '../extensions/names.ts';
import { extendedMasterSecret, renegotiationInfo, supportedVersions } from '../extensions/negotiation.ts';
import { Transcript } from '../handshake/transcript.ts';
import { legacy } from '../legacy/index.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import { type ClientOptions, clientConfig, type ServerOptions, serverConfig } from '../options.ts';
import { MemorySessionStore } from '../sessions/session-store.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { EMPTY_RENEGOTIATION_INFO_SCSV } from '../suites.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import type { WritableClientHello } from '../testing/puppet-client13.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const OLD = {
  legacy,
  minVersion: 'TLSv1',
  signatureSchemes: ['rsa_pkcs1_sha256', 'rsa_pkcs1_sha1'],
} as const;

function client(options: Partial<ClientOptions> = {}) {
  const config = clientConfig({
    provider: nodeCrypto,
    verifyCertificate,
    maxVersion: 'TLSv1.2',
    renegotiation: true,
    ...options,
  });
  return clientEnd(config);
}

function server(options: Partial<ServerOptions> = {}) {
  const credentials = [pki.server()];
  return serverEnd(
    serverConfig({ provider: nodeCrypto, verifyCertificate, credentials, renegotiation: true, ...options }),
  );
}

function meet(clientOptions: Partial<ClientOptions> = {}, serverOptions: Partial<ServerOptions> = {}): Pair {
  const pair = new Pair(client(clientOptions), server(serverOptions)).pump();
  expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
  return pair;
}

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** Both sides are well, and understand each other. */
function works(pair: Pair): void {
  pair.pump();
  expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
  pair.client.data.length = 0;
  pair.server.data.length = 0;
  pair.client.connection.send(bytes('from the client'));
  pair.server.connection.send(bytes('from the server'));
  pair.pump();
  expect([pair.server.text, pair.client.text]).toEqual(['from the client', 'from the server']);
}

describe('a client', () => {
  test('renegotiates: other keys, bound to those before', () => {
    const pair = meet();
    const before = pair.client.secrets.get('CLIENT_RANDOM');
    pair.client.connection.renegotiate();
    works(pair);
    expect(pair.client.changes).toHaveLength(1);
    expect(pair.server.changes).toHaveLength(1);
    expect(pair.client.secured).toHaveLength(1);
    expect(pair.client.changes[0]!.finished.sent).toEqual(pair.server.changes[0]!.finished.received);
    expect(pair.client.changes[0]!.finished).not.toEqual(pair.client.info.finished);
    expect(pair.client.secrets.get('CLIENT_RANDOM')).not.toBe(before);
    expect(pair.client.connection.info).toBe(pair.client.changes[0]);
  });

  test('says in its hello what it said in its last Finished, and the server answers with both', () => {
    const pair = meet();
    const { sent, received } = pair.client.info.finished;
    const end = pair.client;
    end.connection.renegotiate();
    works(pair);
    // The third time, with those of the second.
    end.connection.renegotiate();
    works(pair);
    expect(end.changes).toHaveLength(2);
    expect(end.changes[1]!.finished.sent).not.toEqual(sent);
    expect(end.changes[1]!.finished.received).not.toEqual(received);
  });

  test('may resume its session meanwhile, by ticket or by ID', () => {
    for (const kept of [
      { tickets: new TicketKeys(nodeCrypto) },
      { sessionStore: new MemorySessionStore() },
    ]) {
      const pair = meet({}, kept);
      for (let i = 0; i < 2; i++) {
        pair.client.connection.renegotiate({ resume: true });
        works(pair);
      }
      expect(pair.client.changes.map(({ resumed }) => resumed)).toEqual([true, true]);
      pair.client.connection.renegotiate();
      works(pair);
      expect(pair.server.changes.map(({ resumed }) => resumed)).toEqual([true, true, false]);
    }
  });

  test('renegotiates what was resumed', () => {
    const config = serverConfig({
      provider: nodeCrypto,
      credentials: [pki.server()],
      tickets: new TicketKeys(nodeCrypto),
      renegotiation: true,
    });
    const ours = clientConfig({
      provider: nodeCrypto,
      verifyCertificate,
      maxVersion: 'TLSv1.2',
      renegotiation: true,
    });
    const [session] = new Pair(clientEnd(ours), serverEnd(config)).pump().client.sessions;
    const pair = new Pair(clientEnd(ours, { session }), serverEnd(config)).pump();
    expect(pair.client.info.resumed).toBe(true);
    pair.client.connection.renegotiate();
    works(pair);
    expect(pair.client.changes[0]).toMatchObject({ resumed: false });
  });

  test('in TLS 1.0 and 1.1, whose CBC IVs run on, too', () => {
    for (const maxVersion of ['TLSv1.1', 'TLSv1'] as const) {
      const suites = { ...OLD, cipherSuites: ['ECDHE-RSA-AES128-SHA', 'AES128-SHA'], maxVersion };
      const pair = meet(suites, { ...suites, credentials: [pki.server('rsa')] });
      pair.client.connection.renegotiate();
      works(pair);
      expect(pair.server.changes[0]).toMatchObject({ version: maxVersion });
    }
  });

  test('stays with 1.2 although both know 1.3 by now', () => {
    const pair = meet({ maxVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' });
    pair.client.connection.renegotiate();
    works(pair);
    expect(pair.client.changes[0]).toMatchObject({ version: 'TLSv1.2' });
  });

  test('learns that the server does not want to, and goes on', () => {
    const pair = meet({}, { renegotiation: false });
    pair.client.connection.renegotiate();
    pair.client.connection.send(bytes('held back '));
    works(pair);
    expect(pair.client.declined).toBe(1);
    expect(pair.client.changes).toEqual([]);
    expect(pair.server.log).toContain('alert sent warning no_renegotiation');
  });

  test('cannot in TLS 1.3, without the option, or while it does', () => {
    const wrong = expect.objectContaining({ code: 'not-connected' });
    expect(() => meet({ maxVersion: 'TLSv1.3' }).client.connection.renegotiate()).toThrow(wrong);
    expect(() => meet({ renegotiation: false }).client.connection.renegotiate()).toThrow(wrong);
    expect(() => client().connection.renegotiate()).toThrow(wrong);
    const { connection } = meet().client;
    connection.renegotiate();
    expect(() => connection.renegotiate()).toThrow(wrong);
    expect(() => meet().client.connection.requestClientCertificate()).toThrow(wrong);
  });
});

describe('data while it goes on', () => {
  test('of our own waits, and goes under the new keys', () => {
    const pair = meet();
    pair.client.connection.renegotiate();
    const data = bytes('one ');
    pair.client.connection.send(data);
    // The owner may use its memory again.
    data.fill(0);
    pair.client.connection.send(bytes('two'));
    pair.pump();
    expect(pair.server.text).toBe('one two');
    const { log } = pair.client;
    expect(log.lastIndexOf('keys sent application')).toBeGreaterThan(log.indexOf('sent client_hello', 1));
  });

  test('of the peer’s that crossed our hello arrives', () => {
    const pair = meet();
    pair.client.connection.renegotiate();
    pair.server.connection.send(bytes('crossed'));
    pair.carry('server');
    expect(pair.client.text).toBe('crossed');
    works(pair);
    expect(pair.client.changes).toHaveLength(1);
  });

  test('given before close() is sent before it', () => {
    const pair = meet();
    pair.client.connection.renegotiate();
    pair.client.connection.send(bytes('the last words'));
    pair.client.connection.close();
    expect(pair.client.connection.isWriteClosed).toBe(true);
    expect(() => pair.client.connection.send(bytes('more'))).toThrow();
    pair.pump();
    expect(pair.server.text).toBe('the last words');
    expect([pair.server.ended, pair.client.errors, pair.server.errors]).toEqual([1, [], []]);
  });

  test('a close with nothing to wait for gives the renegotiation up', () => {
    const pair = meet();
    pair.client.connection.renegotiate();
    pair.client.connection.close();
    pair.pump();
    expect([pair.server.ended, pair.client.errors, pair.server.errors]).toEqual([1, [], []]);
    expect(pair.client.connection.state).toBe('closed');
  });
});

describe('a server', () => {
  test('asks for it, and the client does it', () => {
    const pair = meet();
    pair.server.connection.renegotiate();
    // Once asked is enough.
    pair.server.connection.renegotiate();
    works(pair);
    expect(pair.server.log.filter((line) => line === 'sent hello_request')).toHaveLength(1);
    expect(pair.client.changes).toHaveLength(1);
    pair.server.connection.renegotiate();
    works(pair);
    expect(pair.server.changes).toHaveLength(2);
  });

  test('goes on sending while the client has not answered', () => {
    const pair = meet();
    pair.server.connection.renegotiate();
    pair.server.connection.send(bytes('go on'));
    pair.carry('server');
    expect(pair.client.text).toBe('go on');
    works(pair);
  });

  test('is told no by a client that does not want to', () => {
    const pair = meet({ renegotiation: { byPeer: false } });
    pair.server.connection.renegotiate();
    works(pair);
    expect([pair.server.declined, pair.server.changes, pair.client.changes]).toEqual([1, [], []]);
    pair.client.connection.renegotiate();
    works(pair);
    expect(pair.server.changes).toHaveLength(1);
  });

  test('that begins itself takes no ClientHello that it did not ask for', () => {
    const pair = meet({}, { renegotiation: { byPeer: false } });
    pair.client.connection.renegotiate();
    works(pair);
    expect([pair.client.declined, pair.client.changes]).toEqual([1, []]);
    pair.server.connection.renegotiate();
    works(pair);
    expect(pair.client.changes).toHaveLength(1);
  });

  test('asks for a certificate that way', () => {
    const credential = pki.client();
    const pair = meet({ credentials: [credential] });
    expect(pair.server.info.peerCertificates).toEqual([]);
    pair.server.connection.requestClientCertificate({ required: true });
    works(pair);
    expect(pair.server.changes[0]!.peerCertificates).toEqual(credential.certificates);
    expect(pair.client.changes[0]!.localCertificates).toEqual(credential.certificates);
    // It is asked for it again when the client begins: who it was stays who it is.
    pair.client.connection.renegotiate();
    works(pair);
    expect(pair.server.changes[1]!.peerCertificates).toEqual(credential.certificates);
  });

  test('asks for a certificate in vain', () => {
    const optional = meet();
    optional.server.connection.requestClientCertificate();
    works(optional);
    expect(optional.server.changes[0]!.peerCertificates).toEqual([]);
    const pair = meet();
    pair.server.connection.requestClientCertificate({ required: true });
    pair.pump();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['client-certificate-missing']);
  });

  test('that asks for a certificate is not content with a session', () => {
    const credential = pki.client();
    const pair = meet({ credentials: [credential] }, { tickets: new TicketKeys(nodeCrypto) });
    pair.server.connection.requestClientCertificate();
    pair.client.connection.renegotiate({ resume: true });
    works(pair);
    expect(pair.server.changes.at(-1)!.peerCertificates).toEqual(credential.certificates);
  });

  test('without a verifier cannot ask', () => {
    const pair = meet({}, { verifyCertificate: undefined });
    expect(() => pair.server.connection.requestClientCertificate()).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });
});

describe('who the peer is', () => {
  const [first, other] = [pki.server(), pki.server('p384')];
  const changing = () => {
    let times = 0;
    return { credentials: () => (times++ === 0 ? [first] : [other]) };
  };

  test('does not change: a server with another certificate is refused', () => {
    const pair = meet({}, changing());
    pair.client.connection.renegotiate();
    pair.pump();
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['peer-changed']);
    expect(pair.server.errors[0]).toMatchObject({ receivedAlert: 'bad_certificate' });
  });

  test('may change for who says so', () => {
    const pair = meet({ renegotiation: { dangerouslyAllowOtherPeer: true } }, changing());
    pair.client.connection.renegotiate();
    works(pair);
    expect(pair.client.changes[0]!.peerCertificates).toEqual(other.certificates);
  });

  test('a client with another certificate is refused', () => {
    let times = 0;
    const credentials = () => [times++ === 0 ? pki.client() : pki.client('p384')];
    const pair = meet({ credentials }, { clientCertificate: 'require' });
    pair.client.connection.renegotiate();
    pair.pump();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['peer-changed']);
  });

  test('a client that shows none any more is refused', () => {
    let times = 0;
    const credentials = () => (times++ === 0 ? [pki.client()] : []);
    const pair = meet({ credentials }, { clientCertificate: 'request' });
    pair.client.connection.renegotiate();
    pair.pump();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['client-certificate-missing']);
  });
});

describe('too often', () => {
  test('by a client ends the connection', () => {
    let now = Date.now();
    const pair = meet({}, { renegotiation: { limit: 2, window: 10 }, now: () => now });
    const again = () => {
      pair.client.connection.renegotiate();
      pair.pump();
    };
    again();
    again();
    now += 10_001;
    again();
    again();
    works(pair);
    again();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['too-many-renegotiations']);
    expect(pair.client.errors[0]).toMatchObject({ receivedAlert: 'handshake_failure' });
  });

  test('what the server itself asks for does not count', () => {
    const pair = meet({ renegotiation: { limit: 9 } }, { renegotiation: { limit: 1 } });
    for (let i = 0; i < 5; i++) {
      pair.server.connection.renegotiate();
      works(pair);
    }
    expect(pair.client.changes).toHaveLength(5);
  });

  test('by a server that floods with HelloRequests', () => {
    const pair = meet({ renegotiation: { limit: 2 } });
    for (let i = 0; i < 3; i++) {
      pair.server.connection.renegotiate();
      pair.pump();
    }
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['too-many-renegotiations']);
  });

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
    ['for another name', (h) => h.extensions.set(serverName, 'other.example'), 'peer-changed'],
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

  test('is no answer to a Finished that failed before: it must be complete', () => {
    const p = puppet();
    p.bytes(p.sealed(22, Uint8Array.of(1, 0)));
    p.applicationData(bytes('in between'));
    expect(outcomeOf(p)).toEqual(refused('interleaved-handshake'));
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

  test('of another version is refused', () => {
    const p = puppet();
    p.send(p.serverHello((h) => Object.assign(h, { legacyVersion: 0x0302 })));
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
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

test('SSL 3.0 has no renegotiation, and no warning for it', () => {
  const suites = {
    legacy,
    minVersion: 'SSLv3',
    maxVersion: 'SSLv3',
    cipherSuites: ['AES128-SHA'],
    renegotiation: true,
  } as const;
  const pair = meet(suites, { ...suites, credentials: [pki.server('rsa')] });
  expect(() => pair.client.connection.renegotiate()).toThrow(
    expect.objectContaining({ code: 'not-connected' }),
  );
  expect(() => pair.server.connection.renegotiate()).toThrow(
    expect.objectContaining({ code: 'not-connected' }),
  );
});

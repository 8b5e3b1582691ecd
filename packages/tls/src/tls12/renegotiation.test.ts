import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { PreviousHandshake } from '../handshake/context.ts';
import { checkSamePskIdentity } from '../handshake/previous-handshake.ts';
import { legacy } from '../legacy/index.ts';
import type { ServerOptions } from '../options/server.ts';
import { MemorySessionStore } from '../sessions/session-store.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { endsOf, works } from '../testing/ends.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const OLD = {
  legacy,
  minVersion: 'TLSv1',
  signatureSchemes: ['rsa_pkcs1_sha256', 'rsa_pkcs1_sha1'],
} as const;

const { client, meet } = endsOf(nodeCrypto, pki, {
  client: { maxVersion: 'TLSv1.2', renegotiation: true },
  server: { renegotiation: true },
});

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

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
    expect(pair.client.connection.heldLength).toBe(7);
    pair.pump();
    expect(pair.client.connection.heldLength).toBe(0);
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

  describe('a client with another external key', () => {
    const key = new Uint8Array(32).fill(3);
    const suites = { legacy, cipherSuites: ['TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256'] };
    const meetBoth = (renegotiation: ServerOptions['renegotiation']) => {
      const names = ['alice', 'bob'];
      const psks = () => [{ identity: bytes(names.shift()!), key }];
      const findPsk: ServerOptions['findPsk'] = ({ identity }) => ({ identity, key });
      return meet({ ...suites, psks }, { ...suites, findPsk, renegotiation });
    };

    test('is refused', () => {
      const pair = meetBoth(true);
      expect(pair.server.info.pskIdentity).toEqual(bytes('alice'));
      pair.client.connection.renegotiate();
      pair.pump();
      expect(pair.server.errors.map(({ code }) => code)).toEqual(['peer-changed']);
      expect(pair.server.changes).toEqual([]);
    });

    test('or with none any more is refused', () => {
      const previous = { peerPskIdentity: bytes('alice'), allowsOtherPeer: false } as PreviousHandshake;
      expect(() => checkSamePskIdentity({ renegotiates: previous }, undefined)).toThrow(
        expect.objectContaining({ code: 'peer-changed' }),
      );
      checkSamePskIdentity({ renegotiates: previous }, bytes('alice'));
      checkSamePskIdentity({}, undefined);
    });

    test('is taken by who says so', () => {
      const pair = meetBoth({ dangerouslyAllowOtherPeer: true });
      pair.client.connection.renegotiate();
      works(pair);
      expect(pair.server.changes[0]!.pskIdentity).toEqual(bytes('bob'));
    });
  });

  test.each([
    ['a renegotiation', (server: Pair['server']) => server.connection.renegotiate()],
    [
      'a request that may be answered without',
      (server: Pair['server']) => server.connection.requestClientCertificate(),
    ],
  ])('must be shown where it was asked for, though %s is wanted meanwhile', (_what, meanwhile) => {
    const pair = meet();
    pair.server.connection.requestClientCertificate({ required: true });
    meanwhile(pair.server);
    pair.pump();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['client-certificate-missing']);
    expect(pair.server.changes).toEqual([]);
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

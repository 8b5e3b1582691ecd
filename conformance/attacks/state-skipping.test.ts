import type { ClientOptions, ServerOptions } from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import {
  outcomeOf,
  PuppetClient12,
  PuppetClient13,
  PuppetServer12,
  PuppetServer13,
  refused,
} from '#tls/testing';
import { pki, provider, victimClient, victimServer } from './support.ts';

// Early ChangeCipherSpec (CVE-2014-0224) and SMACK (2015, with SKIP-TLS): messages that come too early, or not at all, and engines
// that go on without what is in them. Every message in every state is tried elsewhere; here are those that were attacks.

const client12 = (options: Partial<ClientOptions> = {}) =>
  new PuppetServer12(provider, victimClient({ maxVersion: 'TLSv1.2', ...options }), pki.server());
const server12 = (options: Partial<ServerOptions> = {}) =>
  new PuppetClient12(provider, victimServer({ maxVersion: 'TLSv1.2', ...options }), pki.client());
const unexpected = refused('unexpected-message');
const asks = { clientCertificate: 'require', verifyCertificate: pki.verifier() } as const;

describe('an early ChangeCipherSpec, which made keys of no secret', () => {
  test.each(['server_hello', 'certificate', 'server_key_exchange', 'server_hello_done'] as const)(
    'is refused by a client after %s',
    (last) => {
      const puppet = client12().upTo(last);
      // After ServerHelloDone the client is done, and waits for it: but the next must then be under the keys.
      puppet.changeCipherSpec();
      if (last === 'server_hello_done') puppet.record(22, Uint8Array.of(20, 0, 0, 12, ...new Uint8Array(12)));
      const code = last === 'server_hello_done' ? 'bad-record-mac' : 'unexpected-message';
      expect(outcomeOf(puppet).codes).toEqual([code]);
    },
  );

  test('is refused by a server before ClientHello', () => {
    expect(outcomeOf(server12().changeCipherSpec())).toEqual(unexpected);
  });

  test('is refused by a server before ClientKeyExchange', () => {
    expect(outcomeOf(server12().sendHello().changeCipherSpec())).toEqual(unexpected);
  });

  test('is refused by a server before CertificateVerify', () => {
    const puppet = server12(asks).sendHello();
    puppet.send(puppet.certificate());
    puppet.send(puppet.keyExchange());
    expect(outcomeOf(puppet.changeCipherSpec())).toEqual(unexpected);
  });

  test('is refused twice in a row', () => {
    const puppet = server12().sendHello();
    puppet.send(puppet.keyExchange());
    puppet.changeKeys();
    expect(outcomeOf(puppet.changeCipherSpec())).toEqual(unexpected);
  });
});

describe('a client of 1.2 that', () => {
  test('skips ClientKeyExchange', () => {
    const puppet = server12().sendHello();
    // Keys are made, but the server is not told of what.
    puppet.keyExchange();
    expect(outcomeOf(puppet.changeKeys())).toEqual(unexpected);
  });

  test('skips CertificateVerify poses as the owner of a certificate', () => {
    const puppet = server12(asks).sendHello();
    puppet.send(puppet.certificate());
    puppet.send(puppet.keyExchange());
    puppet.changeKeys();
    expect(outcomeOf(puppet)).toEqual(unexpected);
  });

  test('skips its Certificate, which is required', () => {
    const puppet = server12(asks).sendHello();
    expect(outcomeOf(puppet.send(puppet.keyExchange()))).toEqual(unexpected);
  });

  test('skips Finished and sends data', () => {
    const puppet = server12().sendHello();
    puppet.send(puppet.keyExchange());
    expect(outcomeOf(puppet.changeKeys().applicationData(Uint8Array.of(1)))).toEqual(unexpected);
    expect(puppet.end.data).toEqual([]);
  });

  test('skips ChangeCipherSpec and sends Finished in the clear', () => {
    const puppet = server12().sendHello();
    puppet.send(puppet.keyExchange());
    expect(outcomeOf(puppet.send(puppet.finished()))).toEqual(unexpected);
  });
});

describe('a server of 1.2 that', () => {
  test('skips from Certificate to Finished (SKIP-TLS) is nobody', () => {
    const puppet = client12().upTo('server_hello');
    puppet.send(puppet.certificate());
    puppet.send(Uint8Array.of(20, 0, 0, 12, ...new Uint8Array(12)));
    expect(outcomeOf(puppet)).toEqual(unexpected);
  });

  test('skips Certificate', () => {
    const puppet = client12().upTo('server_hello');
    expect(outcomeOf(puppet.send(puppet.keyExchange()))).toEqual(unexpected);
  });

  test('skips ServerKeyExchange, and with it its signature and forward secrecy', () => {
    const puppet = client12().upTo('certificate');
    expect(outcomeOf(puppet.send(puppet.helloDone()))).toEqual(unexpected);
  });

  test('skips ServerHelloDone', () => {
    const puppet = client12().upTo('server_key_exchange');
    expect(outcomeOf(puppet.send(Uint8Array.of(20, 0, 0, 12, ...new Uint8Array(12))))).toEqual(unexpected);
  });

  test('sends data before Finished', () => {
    const puppet = client12().upTo('ccs').applicationData(Uint8Array.of(1));
    expect(outcomeOf(puppet)).toEqual(unexpected);
    expect(puppet.end.data).toEqual([]);
  });
});

describe('in 1.3', () => {
  const client13 = () => new PuppetServer13(provider, victimClient(), pki.server());
  const server13 = (options: Partial<ServerOptions> = {}) =>
    new PuppetClient13(provider, victimServer(options), pki.client());

  test('a server that skips its Certificate is nobody', () => {
    const puppet = client13().sendServerHello();
    puppet.send(puppet.encryptedExtensions());
    expect(outcomeOf(puppet.send(puppet.finished()))).toEqual(unexpected);
  });

  test('a server that skips CertificateVerify shows what anyone has', () => {
    const puppet = client13().sendServerHello();
    puppet.send(puppet.encryptedExtensions());
    puppet.send(puppet.certificate());
    expect(outcomeOf(puppet.send(puppet.finished()))).toEqual(unexpected);
  });

  test('a client that skips CertificateVerify poses as the owner of a certificate', () => {
    const puppet = server13(asks).sendHello();
    puppet.send(puppet.certificate());
    expect(outcomeOf(puppet.send(puppet.finished()))).toEqual(unexpected);
  });

  test('a client that skips its Certificate, which is required', () => {
    const puppet = server13(asks).sendHello();
    expect(outcomeOf(puppet.send(puppet.finished()))).toEqual(unexpected);
  });

  test('data before Finished, under the handshake keys', () => {
    const puppet = server13().sendHello().applicationData(Uint8Array.of(1));
    expect(outcomeOf(puppet)).toEqual(unexpected);
    expect(puppet.end.data).toEqual([]);
  });
});

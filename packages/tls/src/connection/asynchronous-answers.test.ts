import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { CertificateVerdict } from '../certificates/verdict.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';

// Answers that come later: keys in an HSM, verdicts from a network. Meanwhile bytes arrive, and owners lose patience.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

/** A promise that the test answers. */
function later<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function pairOf(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}): Pair {
  return new Pair(
    clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...client })),
    serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...server })),
  ).pump();
}

/** A server's credential whose signature waits for the test. */
function slowSigner() {
  const own = pki.server();
  const answer = later<void>();
  const credential = {
    ...own,
    sign: async (...args: Parameters<typeof own.sign>) => {
      await answer.promise;
      return own.sign(...args);
    },
  };
  return { credential, ...answer };
}

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s', (maxVersion) => {
  test('a signature that comes later', async () => {
    const { credential, resolve } = slowSigner();
    const pair = pairOf({ maxVersion }, { credentials: [credential] });
    expect(pair.server.connection.isBusy).toBe(true);
    expect(pair.client.secured).toEqual([]);
    resolve();
    await pair.settle();
    expect(pair.server.woken).toBeGreaterThan(0);
    expect([pair.client.secured.length, pair.server.secured.length]).toEqual([1, 1]);
  });

  test('a signature that never comes to be', async () => {
    const { credential, reject } = slowSigner();
    const pair = pairOf({ maxVersion }, { credentials: [credential] });
    reject(new Error('the HSM at hsm.internal is on fire'));
    await pair.settle();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['signing-failed']);
    expect(pair.client.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['internal_error']);
    expect(pair.client.errors[0]!.message).not.toContain('hsm');
  });

  test('a signer that throws at once', () => {
    const credential = {
      ...pki.server(),
      sign: () => {
        throw new Error('no');
      },
    };
    const pair = pairOf({ maxVersion }, { credentials: [credential] });
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['signing-failed']);
    expect(pair.client.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['internal_error']);
  });

  test('a verdict that comes later, good or bad', async () => {
    for (const accepted of [true, false]) {
      const verdict = later<CertificateVerdict>();
      const pair = pairOf({ maxVersion, verifyCertificate: () => verdict.promise });
      expect(pair.client.connection.isBusy).toBe(true);
      verdict.resolve({ accepted });
      await pair.settle();
      expect(pair.client.secured).toHaveLength(accepted ? 1 : 0);
      expect(pair.client.errors.map(({ code }) => code)).toEqual(accepted ? [] : ['certificate-unknown']);
      expect(pair.server.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(
        accepted ? [] : ['certificate_unknown'],
      );
    }
  });

  test('a verdict that fails is no acceptance', async () => {
    const pair = pairOf({ maxVersion, verifyCertificate: () => Promise.reject(new Error('no network')) });
    await pair.settle();
    expect(pair.client.secured).toEqual([]);
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['certificate-unknown']);
  });

  test('giving up while an answer is awaited; the answer is dropped', async () => {
    for (const end of ['abort', 'close'] as const) {
      const verdict = later<CertificateVerdict>();
      const pair = pairOf({ maxVersion, verifyCertificate: () => verdict.promise });
      pair.client.connection[end]();
      pair.pump();
      const state = pair.client.connection.state;
      verdict.resolve({ accepted: true });
      await pair.settle();
      expect(pair.client.connection.state).toBe(state);
      expect(pair.client.secured).toEqual([]);
      expect(pair.server.secured).toEqual([]);
      expect(pair.server.errors).toHaveLength(1);
    }
  });

  test('the peer goes away while an answer is awaited', async () => {
    const verdict = later<CertificateVerdict>();
    const pair = pairOf({ maxVersion, verifyCertificate: () => verdict.promise });
    pair.client.connection.receiveEnd();
    verdict.resolve({ accepted: true });
    await pair.settle();
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['truncated']);
  });

  test('the peer sends more than fits while an answer is awaited', () => {
    const { credential } = slowSigner();
    const pair = pairOf({ maxVersion }, { credentials: [credential] });
    const junk = new Uint8Array(16_384).fill(22);
    for (let i = 0; i < 17 && pair.server.connection.state !== 'failed'; i++)
      pair.server.connection.receive(junk);
    expect(pair.server.connection.state).toBe('failed');
    expect(pair.server.errors).toHaveLength(1);
  });
});

test('what arrives while the server waits is kept, in order', async () => {
  // The server waits for the verdict on the client; the client is done already, and sends.
  const verdict = later<CertificateVerdict>();
  const pair = pairOf(
    { credentials: [pki.client()] },
    { clientCertificate: 'require', verifyCertificate: () => verdict.promise },
  );
  expect(pair.client.secured).toHaveLength(1);
  for (const word of ['one ', 'two ', 'three']) {
    pair.client.connection.send(utf8(word));
    pair.pump();
  }
  pair.client.connection.close();
  pair.pump();
  expect(pair.server.data).toEqual([]);
  verdict.resolve({ accepted: true });
  await pair.settle();
  expect(pair.server.text).toBe('one two three');
  expect(pair.server.ended).toBe(1);
  expect(pair.server.errors).toEqual([]);
});

test('what arrives while the server waits is not delivered when the verdict is bad', async () => {
  const verdict = later<CertificateVerdict>();
  const pair = pairOf(
    { credentials: [pki.client()] },
    { clientCertificate: 'require', verifyCertificate: () => verdict.promise },
  );
  pair.client.connection.send(utf8('secret'));
  pair.pump();
  verdict.resolve({ accepted: false });
  await pair.settle();
  expect(pair.server.data).toEqual([]);
  expect(pair.server.secured).toEqual([]);
  expect(pair.client.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['certificate_unknown']);
});

test('a promise that answers twice answers one request', async () => {
  /** As no promise of the language does, and a library's own might. */
  class Twice<T> extends Promise<T> {
    // biome-ignore lint/suspicious/noThenProperty: that is what the test is about
    override then<A = T, B = never>(
      yes?: ((value: T) => A | PromiseLike<A>) | null,
      no?: ((reason: unknown) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
      super.then(yes, no);
      return super.then(yes, no);
    }
  }
  let sealed = 0;
  const tickets = { seal: () => Twice.resolve(Uint8Array.of(++sealed)), open: () => undefined };
  const credentials = () => Twice.resolve([pki.server()]);
  const pair = await pairOf({}, { credentials, tickets }).settle();
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  expect(pair.client.sessions.map(({ ticket }) => [...ticket])).toEqual([[1], [2]]);
});

import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { Credential } from '../certificates/credential.ts';
import { clientConfig } from '../config/client.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { postHandshakeAuth, signatureAlgorithms } from '../extensions/negotiation.ts';
import { certificate13 } from '../messages/certificate.ts';
import { certificateRequest13 } from '../messages/certificate-request.ts';
import { finished } from '../messages/finished.ts';
import { decodeMessage, encodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd } from '../testing/end.ts';
import { endsOf, works } from '../testing/ends.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { finishedData } from '../tls13/finished.ts';

const pki = new TestPki(nodeCrypto);
const own = pki.client();
const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

const { client, server, meet } = endsOf(nodeCrypto, pki, {
  client: { postHandshakeAuth: true, credentials: [own] },
});

describe('a server that asks later', () => {
  test('learns who the client is, and both know what was shown', () => {
    const pair = meet();
    expect(pair.server.info.peerCertificates).toEqual([]);
    pair.server.connection.requestClientCertificate();
    works(pair);
    expect(pair.server.changes.map((info) => info.peerCertificates)).toEqual([own.certificates]);
    expect(pair.server.changes[0]!.verifiedPath).toHaveLength(2);
    expect(pair.client.changes[0]!.localCertificates).toEqual(own.certificates);
    expect(pair.client.changes[0]!.clientSignatureScheme?.name).toBe('ecdsa_secp256r1_sha256');
    expect(pair.server.connection.info).toBe(pair.server.changes[0]);
    expect(pair.server.changes[0]!.localCertificates).toEqual(pki.server().certificates);
  });

  test('must not where an external key was enough (RFC 9846 §4.4.2), may where a session was', () => {
    const psk = { identity: bytes('key'), key: new Uint8Array(32).fill(7) };
    const known = meet({ psks: [psk], minVersion: 'TLSv1.3' }, { findPsk: () => psk });
    expect(known.server.info.pskIdentity).toEqual(psk.identity);
    expect(() => known.server.connection.requestClientCertificate()).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
    works(known);

    const tickets = new TicketKeys(nodeCrypto);
    const [session] = meet({}, { tickets }).client.sessions;
    const config = clientConfig({
      provider: nodeCrypto,
      verifyCertificate: pki.verifier(),
      postHandshakeAuth: true,
      credentials: [own],
    });
    const resumed = new Pair(clientEnd(config, { session }), server({ tickets })).pump();
    expect(resumed.server.info.resumed).toBe(true);
    resumed.server.connection.requestClientCertificate();
    works(resumed);
    expect(resumed.server.changes[0]!.peerCertificates).toEqual(own.certificates);
  });

  test('may ask again, for another one', () => {
    let shown: Credential = own;
    const pair = meet({ credentials: () => [shown] });
    for (const credential of [own, pki.client('p384'), pki.client('rsa'), pki.client('ed25519')]) {
      shown = credential;
      pair.server.connection.requestClientCertificate();
      works(pair);
      expect(pair.server.changes.at(-1)!.peerCertificates).toEqual(credential.certificates);
    }
    expect(pair.server.changes).toHaveLength(4);
  });

  test('learns what each certificate came with, and nothing of another one', () => {
    const signedCertificateTimestamps = bytes('\0\x05\0\x03sct');
    const stapled = { ...own, ocspResponse: bytes('ocsp'), signedCertificateTimestamps };
    const shown = [stapled, pki.client('p384')];
    const pair = meet(
      { credentials: () => [shown.shift()!] },
      { requestOcsp: true, requestTimestamps: true },
    );
    pair.server.connection.requestClientCertificate();
    works(pair);
    expect(pair.server.changes[0]).toMatchObject({
      ocspResponse: bytes('ocsp'),
      ocspResponses: [bytes('ocsp')],
      signedCertificateTimestamps,
    });
    pair.server.connection.requestClientCertificate();
    works(pair);
    expect(pair.server.changes[1]).toMatchObject({
      ocspResponse: undefined,
      ocspResponses: [undefined],
      signedCertificateTimestamps: undefined,
    });
  });

  test('may ask several times at once: one after the other is answered', () => {
    const credentials = [pki.client('p384'), own];
    const pair = meet({ credentials: () => [credentials.shift()!] });
    pair.server.connection.requestClientCertificate();
    pair.server.connection.requestClientCertificate({ required: true });
    works(pair);
    expect(pair.server.changes.map(({ peerCertificates }) => peerCertificates)).toEqual([
      pki.client('p384').certificates,
      own.certificates,
    ]);
  });

  test('does not pile up requests without end', () => {
    const { connection } = meet().server;
    for (let i = 0; i < 8; i++) connection.requestClientCertificate();
    expect(() => connection.requestClientCertificate()).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
  });

  test('gets no certificate, and goes on as before', () => {
    const pair = meet({ credentials: [] });
    pair.server.connection.requestClientCertificate();
    works(pair);
    expect(pair.server.changes).toEqual([pair.server.info]);
    expect(pair.client.changes).toEqual([pair.client.info]);
  });

  test('gets none although it must have one', () => {
    const pair = meet({ credentials: [] });
    pair.server.connection.requestClientCertificate({ required: true });
    pair.pump();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['certificate-required']);
    expect(pair.client.errors[0]).toMatchObject({ receivedAlert: 'certificate_required' });
  });

  test('gets one that it does not trust', () => {
    const pair = meet({ credentials: [pki.client('p256', { trusted: false })] });
    pair.server.connection.requestClientCertificate();
    pair.pump();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['unknown-ca']);
    expect(pair.server.changes).toEqual([]);
  });

  test('after the handshake had one already', () => {
    const pair = meet({}, { clientCertificate: 'require' });
    pair.server.connection.requestClientCertificate();
    works(pair);
    expect(pair.server.changes[0]!.peerCertificates).toEqual(own.certificates);
  });

  test.each([
    ['with SHA-384', { cipherSuites: ['TLS_AES_256_GCM_SHA384'] }, {}],
    ['after a HelloRetryRequest', { groups: ['x25519', 'secp256r1'] }, { groups: ['secp256r1'] }],
  ])('%s', (_what, clientOptions, serverOptions) => {
    const pair = meet(clientOptions, serverOptions);
    pair.server.connection.requestClientCertificate();
    works(pair);
    expect(pair.server.changes[0]!.peerCertificates).toEqual(own.certificates);
  });

  test('takes data and KeyUpdates before the answer, and under any keys', () => {
    const pair = meet();
    pair.server.connection.updateKeys();
    pair.server.connection.requestClientCertificate();
    pair.server.connection.updateKeys();
    pair.client.connection.send(bytes('before '));
    pair.client.connection.updateKeys();
    pair.client.connection.send(bytes('the answer'));
    pair.carry('client');
    expect(pair.server.text).toBe('before the answer');
    works(pair);
    expect(pair.server.changes).toHaveLength(1);
    expect(pair.server.changes[0]!.peerCertificates).toEqual(own.certificates);
  });

  test.each([
    ['a client that did not offer it', { postHandshakeAuth: false }, {}, 'not-connected'],
    ['a client of TLS 1.2', { maxVersion: 'TLSv1.2' }, {}, 'not-connected'],
    ['without a verifier', {}, { verifyCertificate: undefined }, 'not-connected'],
  ] as const)('cannot: %s', (_what, clientOptions, serverOptions, code) => {
    const { connection } = meet(clientOptions, serverOptions).server;
    expect(() => connection.requestClientCertificate()).toThrow(expect.objectContaining({ code }));
    expect(connection.state).toBe('open');
  });

  test('is no client', () => {
    expect(() => meet().client.connection.requestClientCertificate()).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
  });
});

describe('a client that takes its time', () => {
  function slow() {
    let choose!: () => void;
    const chosen = new Promise<void>((resolve) => {
      choose = resolve;
    });
    const sign: Credential['sign'] = async (algorithm, data) => {
      await chosen;
      return own.sign(algorithm, data);
    };
    return { credential: { ...own, sign }, choose };
  }

  test('goes on sending meanwhile, and its answer stays in one piece', async () => {
    const { credential, choose } = slow();
    const pair = meet({ credentials: [credential] });
    pair.server.connection.requestClientCertificate();
    pair.pump();
    pair.client.connection.send(bytes('meanwhile'));
    pair.client.connection.updateKeys();
    pair.pump();
    expect(pair.server.text).toBe('meanwhile');
    expect(pair.server.log).not.toContain('received certificate');
    choose();
    await pair.settle();
    works(pair);
    expect(pair.server.changes[0]!.peerCertificates).toEqual(own.certificates);
    const from = pair.server.log.indexOf('received certificate');
    expect(pair.server.log.slice(from, from + 3)).toEqual([
      'received certificate',
      'received certificate_verify',
      'received finished',
    ]);
  });

  test('and closes meanwhile, says no more', async () => {
    const { credential, choose } = slow();
    const pair = meet({ credentials: [credential] });
    pair.server.connection.requestClientCertificate();
    pair.pump();
    pair.client.connection.close();
    choose();
    await pair.settle();
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    expect(pair.server.log).not.toContain('received certificate');
    // Nor does it answer what comes then.
    pair.server.connection.send(bytes('data'));
    pair.pump();
    expect(pair.client.text).toBe('data');
  });

  test('is known although the server has said goodbye', () => {
    const pair = meet();
    pair.server.connection.requestClientCertificate();
    pair.server.connection.requestClientCertificate();
    pair.server.connection.close();
    pair.pump();
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    expect(pair.server.changes.map(({ peerCertificates }) => peerCertificates)).toEqual([own.certificates]);
  });
});

describe('an answer', () => {
  /** A client that was asked, and the context it was asked with. */
  const puppet = (options: Partial<ServerOptions> = {}) => {
    const p = new PuppetClient13(nodeCrypto, server(options), own);
    p.sendHello((h) => h.extensions.set(postHandshakeAuth, null));
    p.send(p.finished()).enterApplication();
    expect(p.end.errors).toEqual([]);
    p.end.connection.requestClientCertificate();
    p.collect();
    const request = decodeMessage(certificateRequest13, p.messages.at(-1)!);
    return { p, context: request.certificateRequestContext };
  };
  const certificate = (p: PuppetClient13, context: Uint8Array, chain = own.certificates) =>
    p.certificate(chain, context as Uint8Array<ArrayBuffer>);
  const finishedAfter = (p: PuppetClient13, change = (data: Uint8Array) => data) => {
    const hash = p.transcript.digest();
    const data = finishedData(p.provider, p.suite.hash, p.clientSecret, hash);
    return p.encoded(finished, { verifyData: change(data) });
  };

  test('to an old request, again, is refused', () => {
    const { p, context } = puppet();
    p.send(certificate(p, context), p.certificateVerify(), finishedAfter(p));
    expect(p.end.changes[0]!.peerCertificates).toEqual(own.certificates);
    p.send(certificate(p, context));
    expect(outcomeOf(p)).toEqual(refused('unexpected-message'));
  });

  test('with another context is refused', () => {
    const { p, context } = puppet();
    p.send(
      certificate(
        p,
        context.map((byte) => byte ^ 1),
      ),
    );
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
  });

  test('without a context is refused', () => {
    const { p } = puppet();
    expect(outcomeOf(p.send(certificate(p, new Uint8Array(0))))).toEqual(refused('illegal-parameter'));
  });

  test('with a wrong signature is refused', () => {
    const { p, context } = puppet();
    p.send(certificate(p, context), p.certificateVerify({ change: (s) => s.map((byte) => byte ^ 1) }));
    expect(outcomeOf(p)).toEqual(refused('bad-signature'));
  });

  test('with a wrong Finished is refused', () => {
    const { p, context } = puppet();
    p.send(certificate(p, context), p.certificateVerify());
    p.send(finishedAfter(p, (data) => data.map((byte) => byte ^ 1)));
    expect(outcomeOf(p)).toEqual(refused('bad-finished'));
    expect(p.end.changes).toEqual([]);
  });

  test('that is empty still needs its Finished', () => {
    const { p, context } = puppet();
    p.send(certificate(p, context, []));
    expect(p.end.changes).toEqual([]);
    p.send(finishedAfter(p));
    expect(p.end.changes).toEqual([p.end.info]);
  });

  test.each([
    ['a KeyUpdate', (p: PuppetClient13) => p.send(Uint8Array.of(24, 0, 0, 1, 0))],
    ['Finished', (p: PuppetClient13) => p.send(finishedAfter(p))],
    ['another Certificate', (p: PuppetClient13) => p.send(certificate(p, new Uint8Array(1)))],
  ])('in the middle of which %s comes is refused', (_what, act) => {
    const { p, context } = puppet();
    p.send(certificate(p, context));
    expect(outcomeOf(act(p))).toEqual(refused('unexpected-message'));
  });

  test('to no request is refused', () => {
    const p = new PuppetClient13(nodeCrypto, server(), own);
    p.sendHello((h) => h.extensions.set(postHandshakeAuth, null));
    p.send(p.finished()).enterApplication();
    expect(outcomeOf(p.send(certificate(p, new Uint8Array(0))))).toEqual(refused('unexpected-message'));
  });
});

describe('a request', () => {
  const request = (context: Uint8Array = Uint8Array.of(1), schemes: number[] = [0x0403]) => {
    const extensions = new ExtensionBlock('certificate_request').set(signatureAlgorithms, schemes);
    return encodeMessage(certificateRequest13, { certificateRequestContext: context, extensions });
  };
  const puppet = (options: Partial<ClientOptions> = {}) =>
    new PuppetServer13(nodeCrypto, client(options), pki.server()).upTo('done');

  test('to a client that did not offer it is refused', () => {
    const p = puppet({ postHandshakeAuth: false });
    expect(outcomeOf(p.send(request()))).toEqual(refused('unexpected-message'));
  });

  test('without context is refused', () => {
    const p = puppet();
    expect(outcomeOf(p.send(request(new Uint8Array(0))))).toEqual(refused('illegal-parameter'));
  });

  test('without signature_algorithms is refused', () => {
    const p = puppet();
    const empty = new ExtensionBlock('certificate_request');
    const raw = encodeMessage(certificateRequest13, {
      certificateRequestContext: Uint8Array.of(1),
      extensions: empty,
    });
    expect(outcomeOf(p.send(raw))).toEqual(refused('missing-extension'));
  });

  test('that nothing fits is answered with nothing, and its context', () => {
    const p = puppet();
    p.send(request(Uint8Array.of(7, 8), [0x0807]));
    const answer = p.messages.slice(-2);
    expect(decodeMessage(certificate13, answer[0]!)).toMatchObject({
      certificateRequestContext: Uint8Array.of(7, 8),
      certificateList: [],
    });
    expect(answer[1]!.type).toBe(finished.type);
  });

  test('too many of them are refused', () => {
    const p = puppet({ credentials: [] });
    for (let i = 0; i < 64; i++) p.send(request());
    expect(p.end.connection.state).toBe('open');
    // The puppet does not follow the client's records beyond its first answer.
    expect(outcomeOf(p.send(request()))).toMatchObject({ state: 'failed', codes: ['unexpected-message'] });
  });

  test('the extension is offered only when wanted', () => {
    const hello = (options: Partial<ClientOptions>) =>
      new PuppetServer13(nodeCrypto, client(options), pki.server()).hello.extensions;
    expect(hello({}).has(postHandshakeAuth)).toBe(true);
    expect(hello({ postHandshakeAuth: undefined }).has(postHandshakeAuth)).toBe(false);
    expect(hello({ maxVersion: 'TLSv1.2' }).has(postHandshakeAuth)).toBe(false);
  });
});

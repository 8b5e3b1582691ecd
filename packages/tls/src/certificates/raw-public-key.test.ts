import { decode, encode } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientCertificateType, serverCertificateType } from '../extensions/certificate-type.ts';
import { certificate13 } from '../messages/certificate.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { CredentialRequest } from '../requests.ts';
import { decodeSession, encodeSession } from '../sessions/session.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { KEYS, type KeyName, SERVER_NAME, TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import type { Credential } from './credential.ts';
import { pinnedKeys, rawPublicKeyCredential } from './raw-public-key.ts';
import type { CertificateType, RawPublicKeyToVerify } from './types.ts';
import type { CertificateVerdict } from './verdict.ts';

const provider = nodeCrypto;
const pki = new TestPki(provider);
const verifyCertificate = pki.verifier();
const KEYPAIRS = Object.fromEntries(
  (Object.keys(KEYS) as (keyof typeof KEYS)[]).map((name) => [name, provider.generateKey(KEYS[name])]),
);

function raw(name: keyof typeof KEYS = 'p256'): Credential & { rawPublicKey: Uint8Array } {
  return rawPublicKeyCredential(provider, KEYPAIRS[name]!) as Credential & { rawPublicKey: Uint8Array };
}

const serverKey = raw('ed25519');
const clientKey = raw('p256');
const takesServer = { verifyRawPublicKey: pinnedKeys([serverKey.rawPublicKey]) };
const takesClient = { verifyRawPublicKey: pinnedKeys([clientKey.rawPublicKey]) };

const client = (options: Partial<ClientOptions>) =>
  clientEnd(clientConfig({ provider, verifyCertificate, ...options }));
const server = (options: Partial<ServerOptions>) =>
  serverEnd(serverConfig({ provider, credentials: [serverKey], ...options }));
const meet = (clientOptions: Partial<ClientOptions>, serverOptions: Partial<ServerOptions>) =>
  new Pair(client(clientOptions), server(serverOptions)).pump().settle();

const codes = (pair: Pair) =>
  [...pair.client.errors, ...pair.server.errors].map(({ code, receivedAlert }) => receivedAlert ?? code);

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s', (maxVersion) => {
  test.each(Object.keys(KEYS) as KeyName[])('a server with a key of kind %s', async (name) => {
    const own = raw(name as keyof typeof KEYS);
    const verifyRawPublicKey = pinnedKeys([own.rawPublicKey]);
    const pair = await meet({ maxVersion, verifyRawPublicKey }, { credentials: [own] });
    expect(codes(pair)).toEqual([]);
    expect(pair.client.info).toMatchObject({
      peerRawPublicKey: own.rawPublicKey,
      peerCertificates: [],
      authorizationError: undefined,
      version: maxVersion,
    });
    expect(pair.server.info).toMatchObject({ localRawPublicKey: own.rawPublicKey, localCertificates: [] });
  });

  test('both sides', async () => {
    const pair = await meet(
      { maxVersion, ...takesServer, credentials: [clientKey] },
      { ...takesClient, clientCertificate: 'require' },
    );
    expect(codes(pair)).toEqual([]);
    expect(pair.server.info.peerRawPublicKey).toEqual(clientKey.rawPublicKey);
    expect(pair.server.info.clientSignatureScheme?.name).toBe('ecdsa_secp256r1_sha256');
    expect(pair.client.info.localRawPublicKey).toEqual(clientKey.rawPublicKey);
  });

  test('a key on one side, certificates on the other', async () => {
    const certified = pki.server();
    const first = await meet(
      { maxVersion, credentials: [clientKey] },
      { credentials: [certified], ...takesClient, clientCertificate: 'require' },
    );
    expect(codes(first)).toEqual([]);
    expect(first.client.info.peerCertificates).toEqual(certified.certificates);
    expect(first.server.info.peerRawPublicKey).toEqual(clientKey.rawPublicKey);
    const second = await meet(
      { maxVersion, ...takesServer, credentials: [pki.client()] },
      { verifyCertificate, clientCertificate: 'require' },
    );
    expect(codes(second)).toEqual([]);
    expect(second.client.info.peerRawPublicKey).toEqual(serverKey.rawPublicKey);
    expect(second.server.info.peerCertificates).toEqual(pki.client().certificates);
  });

  test('another key than the one pinned is refused', async () => {
    const other = { verifyRawPublicKey: pinnedKeys([clientKey.rawPublicKey]) };
    const pair = await meet({ maxVersion, ...other }, {});
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['certificate-unknown']);
    expect(pair.server.errors[0]!.receivedAlert).toBe('certificate_unknown');
    const back = await meet(
      { maxVersion, ...takesServer, credentials: [raw('p384')] },
      { ...takesClient, clientCertificate: 'request' },
    );
    expect(back.server.errors.map(({ code }) => code)).toEqual(['certificate-unknown']);
  });

  test('a server with both shows what the client takes', async () => {
    const certified = pki.server();
    const credentials = [serverKey, certified];
    const old = await meet({ maxVersion }, { credentials });
    expect(old.client.info.peerCertificates).toEqual(certified.certificates);
    const knows = await meet({ maxVersion, ...takesServer }, { credentials });
    expect(knows.client.info.peerRawPublicKey).toEqual(serverKey.rawPublicKey);
    const turned = await meet({ maxVersion, ...takesServer }, { credentials: [...credentials].reverse() });
    expect(turned.client.info.peerCertificates).toEqual(certified.certificates);
  });

  test('a server with a key alone tells a client without the extension why not', async () => {
    const pair = await meet({ maxVersion }, {});
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['no-common-certificate-type']);
    expect(pair.client.errors[0]!.receivedAlert).toBe('unsupported_certificate');
  });

  test('a client that takes keys only refuses certificates', async () => {
    const only = { ...takesServer, serverCertificateTypes: ['raw-public-key'] as const };
    const pair = await meet({ maxVersion, ...only }, { credentials: [pki.server()] });
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['no-common-certificate-type']);
    expect(pair.client.errors[0]!.receivedAlert).toBe('unsupported_certificate');
  });

  test('a server that takes no keys gets the client’s certificate, or none', async () => {
    const asks = { credentials: [pki.server()], verifyCertificate, clientCertificate: 'request' } as const;
    const both = await meet({ maxVersion, credentials: [clientKey, pki.client()] }, asks);
    expect(codes(both)).toEqual([]);
    expect(both.server.info.peerCertificates).toEqual(pki.client().certificates);
    const none = await meet({ maxVersion, credentials: [clientKey] }, asks);
    expect(codes(none)).toEqual([]);
    expect(none.server.info).toMatchObject({ peerCertificates: [], peerRawPublicKey: undefined });
  });

  test('a server that takes keys only refuses a certificate', async () => {
    const pair = await meet(
      { maxVersion, ...takesServer, credentials: [pki.client()] },
      { ...takesClient, clientCertificate: 'require' },
    );
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['certificate-unsupported']);
    expect(pair.client.errors[0]!.receivedAlert).toBe('unsupported_certificate');
  });

  test('asked for and not there', async () => {
    const credentials: Credential[] = [];
    const own = {
      maxVersion,
      ...takesServer,
      clientCertificateTypes: ['raw-public-key'] as const,
      credentials,
    };
    const requested = await meet(own, { ...takesClient, clientCertificate: 'request' });
    expect(codes(requested)).toEqual([]);
    expect(requested.server.info.peerRawPublicKey).toBeUndefined();
    const required = await meet(own, { ...takesClient, clientCertificate: 'require' });
    expect(required.server.errors.map(({ code }) => code)).toEqual([
      maxVersion === 'TLSv1.3' ? 'certificate-required' : 'client-certificate-missing',
    ]);
  });

  test('a client that chooses its credential late knows what is wanted', async () => {
    const asked: CredentialRequest[] = [];
    const pair = await meet(
      {
        ...{ maxVersion, ...takesServer, clientCertificateTypes: ['raw-public-key', 'x509'] },
        credentials: async (request) => {
          asked.push(request);
          return [pki.client(), clientKey];
        },
      },
      { ...takesClient, verifyCertificate, clientCertificate: 'require' },
    );
    expect(codes(pair)).toEqual([]);
    expect(asked[0]!.certificateType).toBe('raw-public-key');
    expect(pair.server.info.peerRawPublicKey).toEqual(clientKey.rawPublicKey);
  });

  test('a verdict that comes later, and one that fails', async () => {
    const seen: RawPublicKeyToVerify[] = [];
    const later = async (request: RawPublicKeyToVerify): Promise<CertificateVerdict> => {
      seen.push(request);
      await Promise.resolve();
      return { accepted: true, error: new Error('on trust at first use') };
    };
    const pair = await meet({ maxVersion, verifyRawPublicKey: later }, {});
    expect(codes(pair)).toEqual([]);
    expect(pair.client.info.authorizationError).toMatchObject({ message: 'on trust at first use' });
    expect(seen[0]).toMatchObject({ peer: 'server', name: SERVER_NAME });
    expect(seen[0]!.key.kind).toEqual({ type: 'ed25519' });
    const failing = await meet({ maxVersion, verifyRawPublicKey: () => Promise.reject(new Error('no')) }, {});
    expect(failing.client.errors.map(({ code }) => code)).toEqual(['certificate-unknown']);
  });

  test('a session keeps the key, and is resumed by who takes keys only', async () => {
    const config = serverConfig({
      ...{ provider, credentials: [serverKey], ...takesClient, clientCertificate: 'require' },
      tickets: new TicketKeys(provider),
    });
    const ours = clientConfig({
      ...{ provider, maxVersion, verifyCertificate, ...takesServer, credentials: [clientKey] },
    });
    const first = await new Pair(clientEnd(ours), serverEnd(config)).pump().settle();
    const session = decodeSession(encodeSession(first.client.sessions[0]!))!;
    expect(session.peerRawPublicKey).toEqual(serverKey.rawPublicKey);
    const second = await new Pair(clientEnd(ours, { session }), serverEnd(config)).pump().settle();
    expect(codes(second)).toEqual([]);
    expect(second.client.info).toMatchObject({ resumed: true, peerRawPublicKey: serverKey.rawPublicKey });
    expect(second.server.info).toMatchObject({ resumed: true, peerRawPublicKey: clientKey.rawPublicKey });
    // Who takes no keys (any more) does not offer it.
    const changed = clientConfig({ provider, maxVersion, verifyCertificate });
    const third = await new Pair(clientEnd(changed, { session }), serverEnd(config)).pump().settle();
    expect(third.client.secured).toEqual([]);
  });

  test('a server that no longer takes keys does not resume a client that showed one', async () => {
    const tickets = new TicketKeys(provider);
    const common = { provider, credentials: [pki.server()], clientCertificate: 'require', tickets } as const;
    const ours = clientConfig({ provider, maxVersion, verifyCertificate, credentials: [clientKey] });
    const first = await new Pair(clientEnd(ours), serverEnd(serverConfig({ ...common, ...takesClient })))
      .pump()
      .settle();
    const session = first.client.sessions[0]!;
    const strict = serverConfig({ ...common, verifyCertificate });
    const second = await new Pair(clientEnd(ours, { session }), serverEnd(strict)).pump().settle();
    expect(second.server.secured).toEqual([]);
  });
});

test('a key that is asked for after the handshake', async () => {
  const pair = await meet(
    { ...takesServer, credentials: [clientKey], postHandshakeAuth: true },
    { ...takesClient },
  );
  expect(pair.server.info.peerRawPublicKey).toBeUndefined();
  pair.server.connection.requestClientCertificate({ required: true });
  await pair.settle();
  expect(codes(pair)).toEqual([]);
  expect(pair.server.changes.map(({ peerRawPublicKey }) => peerRawPublicKey)).toEqual([
    clientKey.rawPublicKey,
  ]);
});

test('TLS 1.2: a shared key does where no type of certificate does', async () => {
  const psk = { identity: Uint8Array.of(1), key: new Uint8Array(16).fill(1) };
  const cipherSuites = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256'];
  const client = { maxVersion: 'TLSv1.2', cipherSuites, psks: [psk] } as const;
  const pair = await meet(client, { cipherSuites, findPsk: () => psk });
  expect(codes(pair)).toEqual([]);
  expect(pair.client.info).toMatchObject({ pskIdentity: psk.identity, peerRawPublicKey: undefined });
});

describe('a renegotiation in TLS 1.2', () => {
  const both = { maxVersion: 'TLSv1.2', renegotiation: true } as const;
  const accepts = { verifyRawPublicKey: () => ({ accepted: true }) };

  test('shows the same keys again', async () => {
    const pair = await meet(
      { ...both, ...takesServer, credentials: [clientKey] },
      { ...both, ...takesClient, clientCertificate: 'require' },
    );
    pair.client.connection.renegotiate();
    await pair.settle();
    expect(codes(pair)).toEqual([]);
    expect(pair.client.changes.map(({ peerRawPublicKey }) => peerRawPublicKey)).toEqual([
      serverKey.rawPublicKey,
    ]);
    expect(pair.server.changes.map(({ peerRawPublicKey }) => peerRawPublicKey)).toEqual([
      clientKey.rawPublicKey,
    ]);
  });

  test('with another key is refused, however good that is', async () => {
    const keys = [raw('p256'), raw('p384')];
    const server = {
      ...both,
      ...accepts,
      clientCertificate: 'require',
      credentials: () => [keys[0]!],
    } as const;
    const other = await meet({ ...both, ...accepts, credentials: [clientKey] }, server);
    keys.shift();
    other.client.connection.renegotiate();
    await other.settle();
    expect(other.client.errors.map(({ code }) => code)).toEqual(['peer-changed']);
  });
});

describe('what a client offers', () => {
  const hello = (options: Partial<ClientOptions>) => {
    const p = new PuppetServer13(provider, client(options), pki.server());
    const { extensions } = decodeMessage(clientHello, p.messages[0]!);
    return [extensions.get(serverCertificateType), extensions.get(clientCertificateType)];
  };

  test.each<[string, Partial<ClientOptions>, (number[] | undefined)[]]>([
    ['nothing of it without keys', { credentials: [pki.client()] }, [undefined, undefined]],
    ['keys first, where it can verify them', takesServer, [[2, 0], undefined]],
    [
      'its own order',
      { ...takesServer, serverCertificateTypes: ['x509', 'raw-public-key'] },
      [[0, 2], undefined],
    ],
    ['what its credentials are', { credentials: [clientKey] }, [undefined, [2]]],
    [
      'both',
      { ...takesServer, credentials: [pki.client(), clientKey] },
      [
        [2, 0],
        [0, 2],
      ],
    ],
  ])('%s', (_what, options, offered) => {
    expect(hello(options)).toEqual(offered);
  });

  test.each<[string, Partial<ClientOptions>]>([
    ['keys that nobody verifies', { serverCertificateTypes: ['raw-public-key'] }],
    ['no type at all', { serverCertificateTypes: [] }],
    ['a type that does not exist', { clientCertificateTypes: ['openpgp' as CertificateType] }],
  ])('%s is refused', (_what, options) => {
    expect(() => clientConfig({ provider, verifyCertificate, ...options })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });
});

describe('a client refuses', () => {
  function puppet(type: number | undefined, options: Partial<ClientOptions> = takesServer): PuppetServer13 {
    const p = new PuppetServer13(provider, client(options), serverKey);
    p.sendServerHello();
    return p.send(
      p.encryptedExtensions((block) => {
        if (type !== undefined) block.set(serverCertificateType, type);
      }),
    );
  }

  test('nothing that is right', () => {
    const p = puppet(2);
    p.send(p.certificate({ chain: [serverKey.rawPublicKey] }), p.certificateVerify(), p.finished());
    expect(outcomeOf(p).state).toBe('open');
  });

  test.each([
    ['a type that it did not offer', 1, undefined],
    [
      'X.509, said, where it takes keys only',
      0,
      { ...takesServer, serverCertificateTypes: ['raw-public-key'] },
    ],
  ] as const)('%s', (_what, type, options) => {
    expect(outcomeOf(puppet(type, options))).toEqual(refused('illegal-parameter'));
  });

  test('X.509, not said, where it takes keys only', () => {
    const p = puppet(undefined, { ...takesServer, serverCertificateTypes: ['raw-public-key'] });
    expect(outcomeOf(p)).toEqual(refused('no-common-certificate-type'));
  });

  test('an answer to what it did not ask', () => {
    expect(outcomeOf(puppet(2, {}))).toEqual(refused('unsolicited-extension'));
  });

  test.each<[string, readonly Uint8Array[], string]>([
    ['two keys', [serverKey.rawPublicKey, serverKey.rawPublicKey], 'illegal-parameter'],
    ['a certificate in place of the key', pki.server().certificates.slice(0, 1), 'malformed-message'],
    ['what is no key', [Uint8Array.of(1, 2, 3)], 'malformed-message'],
    ['nothing', [], 'empty-certificate-list'],
  ])('%s', (_what, chain, code) => {
    const p = puppet(2);
    p.send(p.certificate({ chain }));
    if (p.end.connection.state !== 'failed') p.send(p.certificateVerify());
    expect(outcomeOf(p)).toEqual(refused(code));
  });

  test('a key whose owner does not sign', () => {
    const p = puppet(2);
    p.send(p.certificate({ chain: [serverKey.rawPublicKey] }));
    p.send(p.certificateVerify({ change: flipped }));
    expect(outcomeOf(p)).toEqual(refused('bad-signature'));
  });

  test('a key in place of a certificate, where that was not agreed on', () => {
    const p = puppet(undefined);
    p.send(p.certificate({ chain: [serverKey.rawPublicKey] }), p.certificateVerify());
    expect(outcomeOf(p)).toEqual(refused('bad-certificate'));
  });
});

test('an empty list of types is malformed', () => {
  for (const body of [Uint8Array.of(0), Uint8Array.of(2, 0), new Uint8Array(0)])
    expect(() => decode(serverCertificateType.codecs.client_hello, body)).toThrow();
});

test('unknown types are passed over', async () => {
  const p = new PuppetClient13(provider, server({}), pki.client());
  p.sendHello((h) => h.extensions.set(serverCertificateType, [7, 2]));
  const message = p.messages.find(({ type }) => type === certificate13.type)!;
  expect(decodeMessage(certificate13, message).certificateList[0]!.certData).toEqual(serverKey.rawPublicKey);
  expect(encode(certificate13.codec, decodeMessage(certificate13, message))).toHaveLength(
    // Context, list length, key length, key, no extensions (RFC 9846 §4.5.1).
    1 + 3 + 3 + serverKey.rawPublicKey.length + 2,
  );
});

test('pins by name', async () => {
  const verify = pinnedKeys({ [SERVER_NAME]: [serverKey.rawPublicKey] });
  const ask = { key: provider.importPublicKey(serverKey.rawPublicKey), peer: 'server', now: 0 } as const;
  expect(await verify({ ...ask, name: SERVER_NAME.toUpperCase() })).toMatchObject({ accepted: true });
  expect(await verify({ ...ask, name: 'other.example' })).toMatchObject({ accepted: false });
  expect(await verify({ ...ask, name: undefined })).toMatchObject({ accepted: false });
  expect(await pinnedKeys([])({ ...ask, name: SERVER_NAME })).toMatchObject({ accepted: false });
});

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => (at === 3 ? byte ^ 1 : byte));
}

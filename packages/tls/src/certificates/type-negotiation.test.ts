import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientConnection } from '../connection/endpoint.ts';
import { clientCertificateType, serverCertificateType } from '../extensions/certificate-type.ts';
import type { Observer } from '../observer.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { Session } from '../sessions/session.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd, TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { pinnedKeys, rawPublicKeyCredential } from './raw-public-key.ts';
import type { CertificateType } from './types.ts';

const provider = nodeCrypto;
const pki = new TestPki(provider);
const verifyCertificate = pki.verifier();
const serverKey = rawPublicKeyCredential(provider, provider.generateKey({ type: 'ed25519' }));
const clientKey = rawPublicKeyCredential(provider, provider.generateKey({ type: 'ec', curve: 'secp256r1' }));
const takesServer = { verifyRawPublicKey: pinnedKeys([serverKey.rawPublicKey!]) };
const takesClient = { verifyRawPublicKey: pinnedKeys([clientKey.rawPublicKey!]) };

const server = (options: Partial<ServerOptions>) =>
  serverEnd(serverConfig({ provider, credentials: [serverKey], ...options }));
const meet = (clientOptions: Partial<ClientOptions>, serverOptions: Partial<ServerOptions>) =>
  new Pair(clientEnd(clientConfig({ provider, verifyCertificate, ...clientOptions })), server(serverOptions))
    .pump()
    .settle();

const codes = (pair: Pair) =>
  [...pair.client.errors, ...pair.server.errors].map(({ code, receivedAlert }) => receivedAlert ?? code);

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s', (maxVersion) => {
  test('a server’s own order of types counts where it has one', async () => {
    const shows = { maxVersion, credentials: [pki.client(), clientKey] };
    const asks = { ...takesClient, verifyCertificate, clientCertificate: 'require' } as const;
    const credentials = [pki.server()];
    const theirs = await meet(shows, { credentials, ...asks });
    expect(theirs.server.info.peerCertificates).toEqual(pki.client().certificates);
    const clientCertificateTypes = ['raw-public-key', 'x509'] as const;
    const ours = await meet(shows, { credentials, ...asks, clientCertificateTypes });
    expect(codes(ours)).toEqual([]);
    expect(ours.server.info.peerRawPublicKey).toEqual(clientKey.rawPublicKey);
  });

  test('a server refuses who has none of the types that it names', async () => {
    const asks = { ...takesClient, verifyCertificate, clientCertificate: 'request' } as const;
    const keysOnly = { clientCertificateTypes: ['raw-public-key'] } as const;
    const certificatesOnly = { clientCertificateTypes: ['x509'] } as const;
    for (const [shown, names] of [
      [[pki.client()], keysOnly],
      [[clientKey], certificatesOnly],
    ] as const) {
      const pair = await meet(
        { maxVersion, credentials: shown },
        { credentials: [pki.server()], ...asks, ...names },
      );
      expect(pair.server.errors.map(({ code }) => code)).toEqual(['no-common-certificate-type']);
      expect(pair.client.errors[0]!.receivedAlert).toBe('unsupported_certificate');
    }
    const unasked = await meet(
      { maxVersion, credentials: [pki.client()] },
      { credentials: [pki.server()], ...takesClient, ...keysOnly },
    );
    expect(codes(unasked)).toEqual([]);
  });

  test('a resumption names the type that was shown, and so does the one after it', async () => {
    const config = serverConfig({ provider, credentials: [serverKey], tickets: new TicketKeys(provider) });
    const ours = clientConfig({ provider, maxVersion, verifyCertificate, ...takesServer });
    const named = async (session?: Session) => {
      const types: string[] = [];
      // ServerHello or EncryptedExtensions: the extension 20, one byte long.
      const observer: Observer = {
        message: (direction, { raw }) => {
          const at = /00140001(..)/.exec(toHex(raw));
          if (direction === 'received' && (raw[0] === 2 || raw[0] === 8) && at) types.push(at[1]!);
        },
      };
      const end = new TestEnd((events) =>
        clientConnection(ours, { host: SERVER_NAME, session, events, observer }),
      );
      const pair = await new Pair(end, serverEnd(config)).pump().settle();
      expect(codes(pair)).toEqual([]);
      return { types, resumed: pair.client.info.resumed, session: end.sessions.at(-1) ?? session };
    };
    const first = await named();
    const second = await named(first.session);
    const third = await named(second.session);
    expect([first.resumed, second.resumed, third.resumed]).toEqual([false, true, true]);
    expect([first.types, second.types, third.types]).toEqual([['02'], ['02'], ['02']]);
  });
});

test.each([
  ['server_certificate_type', serverCertificateType],
  ['client_certificate_type', clientCertificateType],
] as const)('%s with nothing but X.509 is refused (RFC 7250 §4.1)', (_name, extension) => {
  const asks = { credentials: [pki.server()], verifyCertificate, clientCertificate: 'request' } as const;
  const p = new PuppetClient13(provider, server(asks), pki.client());
  p.sendHello((h) => h.extensions.set(extension as typeof serverCertificateType, [0]));
  expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
});

test.each<[string, CertificateType[]]>([
  ['keys that nobody verifies', ['raw-public-key']],
  ['no type at all', []],
])('a server that wants %s is refused', (_what, clientCertificateTypes) => {
  const options = { provider, credentials: [serverKey], verifyCertificate, clientCertificateTypes };
  expect(() => serverConfig(options)).toThrow(expect.objectContaining({ code: 'bad-option' }));
});

import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { signatureAlgorithms } from '../extensions/negotiation.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';

// draft-ietf-tls-tls13-pkcs1: RSA PKCS#1 signatures of clients in TLS 1.3, for keys that can do no better.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const LEGACY = 'rsa_pkcs1_sha256_legacy';
const LEGACY_ID = 0x0420;
const own = ['ecdsa_secp256r1_sha256', LEGACY];
const asking = { clientCertificate: 'require', verifyCertificate, signatureSchemes: own } as const;

function client(options: Partial<ClientOptions> = {}) {
  const credentials = [pki.client('rsa')];
  return clientEnd(
    clientConfig({ provider: nodeCrypto, verifyCertificate, credentials, signatureSchemes: own, ...options }),
  );
}

function server(options: Partial<ServerOptions> = {}) {
  return serverEnd(
    serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...asking, ...options }),
  );
}

describe('RSA PKCS#1 of a client in TLS 1.3', () => {
  test('is what it signs with where the server asks for it', () => {
    const pair = new Pair(client(), server()).pump();
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect(pair.server.info.clientSignatureScheme?.name).toBe(LEGACY);
  });

  test('is not what it signs with otherwise: then it shows nothing', () => {
    for (const [ours, theirs] of [
      [{}, { signatureSchemes: ['ecdsa_secp256r1_sha256'] }],
      [{ signatureSchemes: ['ecdsa_secp256r1_sha256'] }, {}],
    ]) {
      const pair = new Pair(client(ours), server(theirs)).pump();
      expect(pair.server.errors.map(({ code }) => code)).toEqual(['certificate-required']);
    }
  });

  test('is not in TLS 1.2', () => {
    const pair = new Pair(client({ maxVersion: 'TLSv1.2' }), server()).pump();
    expect(pair.server.secured).toEqual([]);
  });

  test('is asked for by servers only', () => {
    const { hello } = new PuppetServer13(nodeCrypto, client(), pki.server());
    expect(hello.extensions.get(signatureAlgorithms)).toEqual([0x0403]);
  });

  test('is not enough for a client, which has to verify the server', () => {
    expect(() => client({ signatureSchemes: [LEGACY] })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });

  test('is refused from a server', () => {
    const puppet = new PuppetServer13(nodeCrypto, client(), pki.server('rsa')).upTo('certificate');
    const algorithm = { name: 'rsa-pkcs1', hash: 'sha256' } as const;
    puppet.send(puppet.certificateVerify({ scheme: LEGACY_ID, algorithm }));
    expect(outcomeOf(puppet)).toEqual(refused('illegal-parameter'));
  });

  test('is not what a server signs with, even for a client that asks', () => {
    const end = server({ clientCertificate: 'none', credentials: [pki.server('rsa')] });
    const puppet = new PuppetClient13(nodeCrypto, end, pki.client());
    puppet.sendHello(({ extensions }) => extensions.set(signatureAlgorithms, [LEGACY_ID]));
    expect(outcomeOf(puppet)).toEqual(refused('no-common-signature-scheme'));
  });

  test('is refused with a wrong signature', () => {
    const puppet = new PuppetClient13(nodeCrypto, server(), pki.client('rsa')).sendHello();
    const algorithm = { name: 'rsa-pkcs1', hash: 'sha256' } as const;
    const change = (signature: Uint8Array) => signature.map((byte, index) => (index === 9 ? byte ^ 1 : byte));
    puppet.send(puppet.certificate());
    puppet.send(puppet.certificateVerify({ scheme: LEGACY_ID, algorithm, change }));
    expect(outcomeOf(puppet)).toEqual(refused('bad-signature'));
  });
});

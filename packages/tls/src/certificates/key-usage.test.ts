import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';
import type { CertificateToVerify, CertificateVerifier } from './verdict.ts';

// What the key of a certificate does, and what keyUsage has to say about it (RFC 5246 §7.4.2, RFC 9846 §4.5.1.2).

const pki = new TestPki(nodeCrypto);

function asked(options: Partial<ClientOptions & ServerOptions>): CertificateToVerify[] {
  const requests: CertificateToVerify[] = [];
  const verifyCertificate: CertificateVerifier = (request) => {
    requests.push(request);
    return { accepted: true };
  };
  const common = { provider: nodeCrypto, ...options, verifyCertificate };
  const pair = new Pair(
    clientEnd(clientConfig({ ...common, credentials: [pki.client()] })),
    serverEnd(serverConfig({ ...common, credentials: [pki.server('rsa')], clientCertificate: 'require' })),
  ).pump();
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  return requests;
}

describe('a verifier is told what the key did', () => {
  test.each<[string, Partial<ClientOptions & ServerOptions>, string]>([
    ['TLS 1.3', {}, 'digitalSignature'],
    [
      'TLS 1.2 with ECDHE',
      { maxVersion: 'TLSv1.2', cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] },
      'digitalSignature',
    ],
    [
      'TLS 1.2 with RSA key transport',
      { maxVersion: 'TLSv1.2', cipherSuites: ['TLS_RSA_WITH_AES_128_GCM_SHA256'] },
      'keyEncipherment',
    ],
  ])('%s', (_, options, usage) => {
    const requests = asked(options);
    expect(requests.map(({ peer, keyUsage }) => [peer, keyUsage])).toEqual([
      ['server', usage],
      // A client always signs.
      ['client', 'digitalSignature'],
    ]);
  });
});

describe('the default verifier', () => {
  const verdictOn = (key: 'rsa' | 'p256', keyUsage: CertificateToVerify['keyUsage']) =>
    pki.verifier()({
      chain: pki.server(key).certificates,
      peer: 'server',
      name: SERVER_NAME,
      ocspResponse: undefined,
      keyUsage,
      now: Date.now(),
    });

  test('takes a certificate for what it allows', () => {
    expect(verdictOn('rsa', 'keyEncipherment')).toMatchObject({ accepted: true });
    expect(verdictOn('rsa', 'digitalSignature')).toMatchObject({ accepted: true });
    expect(verdictOn('p256', 'digitalSignature')).toMatchObject({ accepted: true });
  });

  test('refuses one whose key is only for signatures and decrypted', () => {
    const error = expect.objectContaining({ code: 'bad-key-usage' });
    expect(verdictOn('p256', 'keyEncipherment')).toMatchObject({ accepted: false, error });
  });
});

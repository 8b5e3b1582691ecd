import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { dangerouslyAccept } from '../certificates/verdict.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { legacy } from '../legacy/index.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { CredentialRequest } from '../requests.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { KEYS, type KeyName, TestPki } from '../testing/pki.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

function meet(client: Partial<ClientOptions>, server: Partial<ServerOptions>): Pair {
  return new Pair(
    clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...client })),
    serverEnd(
      serverConfig({ provider: nodeCrypto, verifyCertificate, credentials: [pki.server()], ...server }),
    ),
  ).pump();
}

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s', (maxVersion) => {
  test.each(Object.keys(KEYS) as KeyName[])('a client with a key of kind %s', (key) => {
    const credential = pki.client(key);
    const { client, server } = meet(
      { maxVersion, credentials: [credential] },
      { clientCertificate: 'require' },
    );
    expect(client.errors.concat(server.errors)).toEqual([]);
    expect(server.info.peerCertificates).toEqual(credential.certificates);
    expect(server.info.verifiedPath).toHaveLength(2);
    expect(client.info.localCertificates).toEqual(credential.certificates);
    expect(client.info.clientSignatureScheme).toBe(server.info.clientSignatureScheme);
  });

  test('a chain that no ticket has room for is taken, without one', () => {
    const names = Array.from({ length: 600 }, (_, index) => `host-number-${index}.example.com`);
    const long = pki.authority.issue({ purpose: 'server', names }).certificate.der;
    const own = pki.client();
    const credentials = [{ ...own, certificates: [...own.certificates, long, long, long, long] }];
    const { client, server } = meet(
      { maxVersion, credentials },
      { clientCertificate: 'require', tickets: new TicketKeys(nodeCrypto) },
    );
    expect(client.errors.concat(server.errors)).toEqual([]);
    expect(server.info.peerCertificates).toHaveLength(own.certificates.length + 4);
    expect(client.sessions).toEqual([]);
  });

  test('nobody asks: nothing is shown', () => {
    const { client, server } = meet({ maxVersion, credentials: [pki.client()] }, {});
    expect(client.info.localCertificates).toEqual([]);
    expect(server.info.peerCertificates).toEqual([]);
  });

  test('asked for, not there: the server goes on', () => {
    const { client, server } = meet({ maxVersion }, { clientCertificate: 'request' });
    expect(client.errors.concat(server.errors)).toEqual([]);
    expect(server.info.peerCertificates).toEqual([]);
  });

  test('required, not there: the client learns why', () => {
    const { client, server } = meet({ maxVersion }, { clientCertificate: 'require' });
    expect(server.secured).toEqual([]);
    const is13 = maxVersion === 'TLSv1.3';
    expect(server.errors[0]!.code).toBe(is13 ? 'certificate-required' : 'client-certificate-missing');
    expect(client.errors[0]!.receivedAlert).toBe(is13 ? 'certificate_required' : 'handshake_failure');
  });

  test.each(['request', 'require'] as const)('%s: one of an unknown CA is refused', (clientCertificate) => {
    const credentials = [pki.client('p256', { trusted: false })];
    const { client, server } = meet({ maxVersion, credentials }, { clientCertificate });
    expect(server.errors.map(({ code }) => code)).toEqual(['unknown-ca']);
    expect(client.errors[0]!.receivedAlert).toBe('unknown_ca');
  });

  test('a server that accepts it all the same sees why it should not', async () => {
    const credentials = [pki.client('p256', { trusted: false })];
    const pair = meet(
      { maxVersion, credentials },
      { clientCertificate: 'request', verifyCertificate: dangerouslyAccept(verifyCertificate) },
    );
    const { server } = await pair.settle();
    expect(server.errors).toEqual([]);
    expect(server.info.authorizationError).toMatchObject({ code: 'unknown-issuer' });
  });

  test('the client sees what is asked for, and may take its time', async () => {
    const asked: CredentialRequest[] = [];
    const name = pki.authority.certificate.subject.der;
    const pair = meet(
      {
        maxVersion,
        credentials: async (request) => {
          asked.push(request);
          return [pki.client()];
        },
      },
      {
        clientCertificate: 'require',
        certificateAuthorities: [name],
        signatureSchemes: ['ecdsa_secp256r1_sha256'],
      },
    );
    const { server } = await pair.settle();
    expect(server.info.peerCertificates).toHaveLength(1);
    // ecdsa_sign; TLS 1.3 has no such list.
    const keyTypes = maxVersion === 'TLSv1.2' ? [64] : undefined;
    expect(asked).toEqual([{ signatureSchemes: [0x0403], certificateAuthorities: [name], keyTypes }]);
  });

  test('a key that fits no scheme of the server is not shown', () => {
    const { server } = meet(
      { maxVersion, credentials: [pki.client('ed448')] },
      { clientCertificate: 'request', signatureSchemes: ['ecdsa_secp256r1_sha256'] },
    );
    expect(server.errors).toEqual([]);
    expect(server.info.peerCertificates).toEqual([]);
  });

  test('a verifier that throws has not accepted', () => {
    const throws = () => {
      throw new Error('no verdict today');
    };
    const { client, server } = meet(
      { maxVersion, credentials: [pki.client()] },
      { clientCertificate: 'request', verifyCertificate: throws },
    );
    expect(server.errors[0]).toMatchObject({ code: 'certificate-unknown' });
    expect(client.errors[0]!.receivedAlert).toBe('certificate_unknown');
  });
});

test.each(['TLSv1.1', 'TLSv1'] as const)('%s, which names types of keys and no schemes', (maxVersion) => {
  const old = {
    legacy,
    minVersion: 'TLSv1',
    maxVersion,
    cipherSuites: ['ECDHE-RSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA'],
    signatureSchemes: ['rsa_pkcs1_sha1', 'ecdsa_sha1'],
  } as const;
  for (const key of ['p256', 'rsa'] as const) {
    const credential = pki.client(key);
    const { client, server } = meet(
      { ...old, credentials: [credential] },
      { ...old, clientCertificate: 'require' },
    );
    expect(client.errors.concat(server.errors)).toEqual([]);
    expect(server.info.peerCertificates).toEqual(credential.certificates);
  }
});

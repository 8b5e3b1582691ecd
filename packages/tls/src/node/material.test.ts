import { nodeCrypto } from '@testudo/crypto/node';
import {
  certificateToPem,
  createCertificateAuthority,
  createPkcs12,
  ManagedAuthority,
  MemoryCertificateDatabase,
  parseCertificates,
  parsePrivateKey,
  privateKeyToPem,
} from '@testudo/x509';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionOptions, TlsOptions } from './index.ts';
import {
  authority,
  ca,
  clientIdentity,
  closeAll,
  connected,
  failing,
  type Identity,
  nodes,
  ours,
  PARTIES,
  serverIdentity,
} from './testing/support.ts';

afterEach(closeAll);

function pfxOf({ cert, key }: Identity, password: string, withCa = false): Buffer {
  const certificates = [...parseCertificates(cert), ...(withCa ? [authority.certificate] : [])];
  const privateKey = parsePrivateKey(key, nodeCrypto);
  return Buffer.from(
    createPkcs12({ provider: nodeCrypto, password, privateKey, certificates, iterations: 2048 }),
  );
}

const withoutPem = { key: undefined, cert: undefined } as unknown as TlsOptions;

describe.each(PARTIES)('PFX: %s', (_name, serverTls, clientTls) => {
  test('holds key and certificate of a server, and of a client', async () => {
    const { accepted, client } = await connected(
      serverTls,
      clientTls,
      { ...withoutPem, pfx: pfxOf(serverIdentity, 'secret'), passphrase: 'secret', requestCert: true, ca },
      { pfx: [{ buf: pfxOf(clientIdentity, 'other') as never, passphrase: 'other' }] as never },
    );
    expect(client.authorized).toBe(true);
    expect(accepted.authorized).toBe(true);
  });

  test('a self-signed CA in it is trusted', async () => {
    const options = { ca: undefined, pfx: pfxOf(clientIdentity, 'secret', true), passphrase: 'secret' };
    const { client } = await connected(serverTls, clientTls, {}, options as ConnectionOptions);
    expect(client.authorized).toBe(true);
  });

  test.each([
    [
      'a wrong passphrase',
      () => ({ pfx: pfxOf(serverIdentity, 'secret'), passphrase: 'wrong' }),
      /mac verify failure/,
    ],
    ['no passphrase', () => ({ pfx: pfxOf(serverIdentity, 'secret') }), /mac verify failure/],
    ['what is none', () => ({ pfx: Buffer.from('nonsense') }), /./],
  ])('%s is refused', (_case, options, message) => {
    expect(() => serverTls.createSecureContext(options())).toThrow(message);
    expect(() => clientTls.createSecureContext(options())).toThrow(message);
  });
});

function pem(der: Uint8Array): string {
  return `-----BEGIN X509 CRL-----\n${Buffer.from(der).toString('base64')}\n-----END X509 CRL-----\n`;
}

describe('CRLs', () => {
  let good: Identity;
  let revoked: Identity;
  let revokedClient: Identity;
  let crl: string;
  let older: string;
  let expired: string;
  let future: string;
  beforeAll(async () => {
    const managed = new ManagedAuthority(authority, new MemoryCertificateDatabase());
    const make = async (
      purpose: 'server' | 'client' = 'server',
    ): Promise<Identity & { serial: Uint8Array }> => {
      const { certificate, privateKey } = await managed.issue({ purpose, names: ['localhost'] });
      return {
        cert: certificateToPem(certificate),
        key: privateKeyToPem(privateKey!),
        serial: certificate.serialNumber,
      };
    };
    good = await make();
    const bad = await make();
    const badClient = await make('client');
    revoked = bad;
    revokedClient = badClient;
    older = pem((await managed.crl()).der);
    await managed.revoke(bad.serial);
    await managed.revoke(badClient.serial);
    crl = pem((await managed.crl()).der);
    const day = 86_400_000;
    expired = pem((await managed.crl({ at: new Date(Date.now() - 10 * day), days: 2 })).der);
    future = pem((await managed.crl({ at: new Date(Date.now() + 10 * day), days: 2 })).der);
  });

  test.each(PARTIES)(
    '%s: a certificate that is not on the list is taken, one that is, is not',
    async (...parties) => {
      const [, serverTls, clientTls] = parties;
      const { client } = await connected(serverTls, clientTls, good, { crl });
      expect(client.authorized).toBe(true);
      const outcome = await failing(serverTls, clientTls, revoked, { crl });
      expect(outcome.client).toMatchObject({ code: 'CERT_REVOKED', message: 'certificate revoked' });
    },
  );

  test('lists that prove nothing are refused with the code and words of Node', async () => {
    const other = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Other CA' });
    const foreign = pem((await new ManagedAuthority(other, new MemoryCertificateDatabase()).crl()).der);
    for (const useless of [foreign, expired, future]) {
      const own = await failing(ours, ours, good, { crl: useless });
      const theirs = await failing(nodes, nodes, good, { crl: useless });
      const { code, message } = theirs.client!;
      expect(own.client).toMatchObject({ code, message });
    }
  });

  test('several lists, as text, bytes and in one file: the newest counts', async () => {
    for (const lists of [[older, crl], [crl, older], Buffer.from(older + crl)]) {
      const outcome = await failing(ours, ours, revoked, { crl: lists });
      expect(outcome.client).toMatchObject({ code: 'CERT_REVOKED' });
    }
  });

  test.each(PARTIES)('%s: a server checks its clients by them', async (...parties) => {
    const [, serverTls, clientTls] = parties;
    const checking = { ...serverIdentity, requestCert: true, ca, crl, maxVersion: 'TLSv1.2' } as const;
    const { accepted } = await connected(serverTls, clientTls, checking, clientIdentity);
    expect(accepted.authorized).toBe(true);
    const outcome = await failing(serverTls, clientTls, checking, revokedClient);
    expect(outcome.server).toBeDefined();
  });

  test.each([ours, nodes])('what is none is refused', (tls) => {
    expect(() => tls.createSecureContext({ crl: 'nonsense' })).toThrow('Failed to parse CRL');
  });
});

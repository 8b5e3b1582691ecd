import { createHash, createPublicKey, verify as opensslVerify, publicDecrypt } from 'node:crypto';
import { concat, fromHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { Certificate } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { serverConnection } from '../connection/endpoint.ts';
import { certificateVerifyUnnamed } from '../messages/certificate-verify.ts';
import { decodeMessage, type RawMessage } from '../messages/handshake-type.ts';
import { observers } from '../observer.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd, TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { type KeyName, TestPki } from '../testing/pki.ts';
import type { VersionName } from '../versions.ts';
import { legacy } from './index.ts';

const provider = nodeCrypto;
const pki = new TestPki(provider);
const verifyCertificate = pki.verifier();
const RSA_SUITE = 'TLS_RSA_WITH_AES_128_CBC_SHA';

const old = (version: VersionName) =>
  ({ provider, legacy, minVersion: version, maxVersion: version, cipherSuites: [RSA_SUITE] }) as const;

const clientOf = (version: VersionName, options: Partial<ClientOptions>) =>
  clientConfig({ ...old(version), verifyCertificate, ...options });
const serverOf = (version: VersionName, options: Partial<ServerOptions>) =>
  serverConfig({
    ...old(version),
    ...{ verifyCertificate, credentials: [pki.server('rsa')], clientCertificate: 'require' },
    ...options,
  });

const meet = (version: VersionName, client: Partial<ClientOptions>, server: Partial<ServerOptions> = {}) =>
  new Pair(clientEnd(clientOf(version, client)), serverEnd(serverOf(version, server))).pump();

describe.each(['TLSv1.1', 'TLSv1', 'SSLv3'] as const)('%s', (version) => {
  const kinds: KeyName[] = version === 'SSLv3' ? ['rsa'] : ['rsa', 'p256', 'dsa'];

  test.each(kinds)('a client with a key of kind %s', (kind) => {
    const credential = pki.client(kind);
    // No profile takes DSA in certificates.
    const accepts = kind === 'dsa' ? { verifyCertificate: () => ({ accepted: true }) } : {};
    const { client, server } = meet(version, { credentials: [credential] }, accepts);
    expect([client.errors, server.errors]).toEqual([[], []]);
    expect(server.info).toMatchObject({ version, peerCertificates: credential.certificates });
    expect(server.info.clientSignatureScheme?.name).toBe(
      { rsa: 'rsa_pkcs1_md5_sha1', p256: 'ecdsa_sha1', dsa: 'dsa_sha1' }[kind as 'rsa'],
    );
    client.connection.send(Uint8Array.of(104, 105));
    server.connection.receive(client.take());
    expect(server.text).toBe('hi');
  });

  test('one whose signature comes later', async () => {
    const own = pki.client('rsa');
    const credentials = [
      {
        ...own,
        sign: async (...args: Parameters<typeof own.sign>) => {
          await Promise.resolve();
          return own.sign(...args);
        },
      },
    ];
    const { server } = await meet(version, { credentials }).settle();
    expect(server.info.peerCertificates).toEqual(own.certificates);
  });

  test('asked for, not there: the server goes on', () => {
    const { client, server } = meet(version, {}, { clientCertificate: 'request' });
    expect([client.errors, server.errors]).toEqual([[], []]);
    expect(server.info.peerCertificates).toEqual([]);
    // SSL 3.0 has a warning for it (RFC 6101 §5.6.6), TLS an empty message.
    const warned = client.log.includes('alert sent warning no_certificate');
    expect([warned, client.log.includes('sent certificate')]).toEqual(
      version === 'SSLv3' ? [true, false] : [false, true],
    );
  });

  test('required, not there: refused', () => {
    const { client, server } = meet(version, {});
    expect(server.errors.map(({ code }) => code)).toEqual(['client-certificate-missing']);
    expect(client.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['handshake_failure']);
  });

  test('a signature by another key is refused', () => {
    const own = pki.client('rsa');
    const other = pki.client('rsa', { trusted: false });
    const { client, server } = meet(version, { credentials: [{ ...own, sign: other.sign }] });
    expect(server.errors.map(({ code }) => code)).toEqual(['bad-signature']);
    expect(client.secured).toEqual([]);
  });

  test('a signature over something else is refused', () => {
    const own = pki.client('rsa');
    const sign: typeof own.sign = (algorithm, data) =>
      own.sign(
        algorithm,
        data.map((byte) => byte ^ 1),
      );
    const { server } = meet(version, { credentials: [{ ...own, sign }] });
    expect(server.errors.map(({ code }) => code)).toEqual(['bad-signature']);
  });

  test('signs what its RFC says', () => {
    const messages: RawMessage[] = [];
    const note = { message: (_direction: string, message: RawMessage) => void messages.push(message) };
    const server = new TestEnd((events, observer) =>
      serverConnection(serverOf(version, {}), { events, observer: observers(observer, note) }),
    );
    const own = pki.client('rsa');
    const pair = new Pair(clientEnd(clientOf(version, { credentials: [own] })), server).pump();
    expect(pair.server.errors).toEqual([]);
    const at = messages.findIndex(({ type }) => type === certificateVerifyUnnamed.type);
    const before = concat(...messages.slice(0, at).map(({ raw }) => raw));
    const { signature } = decodeMessage(certificateVerifyUnnamed, messages[at]!);
    const { spki } = Certificate.parse(own.certificates[0]!);
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const master = fromHex(server.secrets.get('CLIENT_RANDOM')!);
    const digest = (hash: string, ...parts: Uint8Array[]) =>
      createHash(hash)
        .update(concat(...parts))
        .digest();
    const pad = (byte: number, hash: string) => new Uint8Array(hash === 'md5' ? 48 : 40).fill(byte);
    const hashOf = (hash: string) =>
      version === 'SSLv3'
        ? // RFC 6101 §5.6.8.
          digest(hash, master, pad(0x5c, hash), digest(hash, before, master, pad(0x36, hash)))
        : digest(hash, before);
    expect(publicDecrypt(key, signature)).toEqual(Buffer.concat([hashOf('md5'), hashOf('sha1')]));
    expect(opensslVerify('sha256', before, key, signature)).toBe(false);
  });
});

test('SSL 3.0: a client with a curve has nothing to show', () => {
  const { server } = meet('SSLv3', { credentials: [pki.client('p256')] }, { clientCertificate: 'request' });
  expect(server.info.peerCertificates).toEqual([]);
});

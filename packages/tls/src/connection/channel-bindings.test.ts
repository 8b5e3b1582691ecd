import { createHash } from 'node:crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { type CertificateAuthority, createCertificateAuthority } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { extendedMasterSecret } from '../extensions/negotiation.ts';
import type { ConnectionInfo } from '../handshake/result.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { Session } from '../sessions/session.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';
import { channelBinding } from './channel-bindings.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const tickets = new TicketKeys(nodeCrypto);
const V12 = { maxVersion: 'TLSv1.2' } as const;

function meet(
  clientOptions: Partial<ClientOptions> = {},
  serverOptions: Partial<ServerOptions> = {},
  session?: Session,
): Pair {
  const client = clientConfig({ provider: nodeCrypto, verifyCertificate, ...clientOptions });
  const server = serverConfig({
    provider: nodeCrypto,
    credentials: [pki.server()],
    tickets,
    ...serverOptions,
  });
  return new Pair(clientEnd(client, { session }), serverEnd(server)).pump();
}

const both = ({ client, server }: Pair, type: Parameters<typeof channelBinding>[0]) => [
  client.connection.channelBinding(type),
  server.connection.channelBinding(type),
];

describe('tls-unique', () => {
  test('is the client’s Finished after a full handshake, the server’s after a resumption', () => {
    const first = meet(V12);
    expect(both(first, 'tls-unique')).toEqual([
      first.client.info.finished.sent,
      first.client.info.finished.sent,
    ]);
    const second = meet(V12, {}, first.client.sessions[0]);
    expect(second.client.info.resumed).toBe(true);
    expect(both(second, 'tls-unique')).toEqual([
      second.client.info.finished.received,
      second.client.info.finished.received,
    ]);
  });

  test('is that of the last handshake after a renegotiation', () => {
    const pair = meet({ ...V12, renegotiation: true }, { renegotiation: true });
    const [before] = both(pair, 'tls-unique');
    pair.client.connection.renegotiate();
    pair.pump();
    const [ours, theirs] = both(pair, 'tls-unique');
    expect(ours).toEqual(theirs);
    expect(ours).not.toEqual(before);
    expect(ours).toEqual(pair.client.changes[0]!.finished.sent);
  });

  test('is none in TLS 1.3', () => {
    expect(both(meet(), 'tls-unique')).toEqual([undefined, undefined]);
  });

  test('is a copy', () => {
    const pair = meet(V12);
    pair.client.connection.channelBinding('tls-unique')!.fill(0);
    expect(pair.client.connection.channelBinding('tls-unique')).toEqual(pair.client.info.finished.sent);
  });

  test('without extended master secret is there only in a first, full handshake', () => {
    const info = { ...meet(V12).client.info, extendedMasterSecret: false };
    const of = (change: Partial<ConnectionInfo>) =>
      channelBinding('tls-unique', nodeCrypto, { ...info, ...change }, () => new Uint8Array(0));
    expect(of({})).toEqual(info.finished.sent);
    expect(of({ resumed: true })).toBeUndefined();
    expect(of({ renegotiated: true })).toBeUndefined();
  });
});

describe('tls-exporter', () => {
  test.each(['TLSv1.3', 'TLSv1.2'] as const)('is 32 bytes, the same at both ends: %s', (maxVersion) => {
    const [ours, theirs] = both(meet({ maxVersion }), 'tls-exporter');
    expect(ours).toHaveLength(32);
    expect(ours).toEqual(theirs);
    expect(both(meet({ maxVersion }), 'tls-exporter')[0]).not.toEqual(ours);
  });

  test('is not defined where renegotiation is enabled (RFC 9266 §4.2)', () => {
    const allowed = { renegotiation: true };
    const pair = meet({ ...V12, ...allowed }, allowed);
    expect(both(pair, 'tls-exporter')).toEqual([undefined, undefined]);
    expect(meet({ ...V12, ...allowed }).client.connection.channelBinding('tls-exporter')).toBeUndefined();
    pair.client.connection.renegotiate();
    pair.pump();
    expect(both(pair, 'tls-exporter')).toEqual([undefined, undefined]);
    expect(both(meet(allowed, allowed), 'tls-exporter')[0]).toHaveLength(32);
  });

  test('is none after a renegotiation', () => {
    const info = { ...meet(V12).client.info, renegotiated: true };
    const exporter = () => new Uint8Array(32);
    expect(channelBinding('tls-exporter', nodeCrypto, info, exporter)).toBeUndefined();
  });

  test('needs the extended master secret', () => {
    const end = serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()] }));
    const p = new PuppetClient12(nodeCrypto, end, pki.client());
    p.sendHello((h) => h.extensions.delete(extendedMasterSecret));
    p.send(p.keyExchange());
    p.changeKeys().send(p.finished());
    expect(end.info.extendedMasterSecret).toBe(false);
    expect(end.connection.channelBinding('tls-exporter')).toBeUndefined();
    expect(end.connection.channelBinding('tls-unique')).toEqual(end.info.finished.received);
  });
});

describe('tls-server-end-point', () => {
  test.each(['TLSv1.3', 'TLSv1.2'] as const)('is the hash of the certificate: %s', (maxVersion) => {
    const pair = meet({ maxVersion });
    const expected = createHash('sha256').update(pki.server().certificates[0]!).digest();
    expect(both(pair, 'tls-server-end-point').map((each) => Buffer.from(each!))).toEqual([
      expected,
      expected,
    ]);
    const again = meet({ maxVersion }, {}, pair.client.sessions[0]);
    expect(again.client.info.resumed).toBe(true);
    const [ours, theirs] = both(again, 'tls-server-end-point');
    expect(Buffer.from(ours!)).toEqual(expected);
    expect(theirs).toBeUndefined();
  });

  test.each([
    [{ type: 'ec', curve: 'secp384r1' }, 'sha384'],
    [{ type: 'ec', curve: 'secp521r1' }, 'sha512'],
    [{ type: 'rsa', bits: 2048 }, 'sha256'],
    [{ type: 'ed25519' }, undefined],
  ] as const)('uses the hash that the issuer signed with: %j', (key, hash) => {
    const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'CA', key });
    const issued = authority.issue({ purpose: 'server', names: ['server.example'] });
    expect(endPoint(issued.certificate.der)).toEqual(
      hash && new Uint8Array(createHash(hash).update(issued.certificate.der).digest()),
    );
  });

  test.each([
    ['RSA with MD5', '2a864886f70d010104', 'sha256'],
    ['RSA with SHA-1', '2a864886f70d010105', 'sha256'],
    ['RSA with SHA-224', '2a864886f70d01010e', 'sha224'],
    ['something else', '2a864886f70d01017f', undefined],
  ])('in the rules of RFC 5929 §4.1: %s', (_what, oid, hash) => {
    const authority = rsaAuthority();
    // sha256WithRSAEncryption becomes another algorithm; nobody looks at the signature here.
    const hex = Buffer.from(authority.certificate.der).toString('hex');
    const der = new Uint8Array(Buffer.from(hex.replaceAll('2a864886f70d01010b', oid), 'hex'));
    expect(endPoint(der)).toEqual(hash && new Uint8Array(createHash(hash).update(der).digest()));
  });

  let authority: CertificateAuthority | undefined;
  function rsaAuthority(): CertificateAuthority {
    const key = { type: 'rsa', bits: 2048 } as const;
    authority ??= createCertificateAuthority({ provider: nodeCrypto, commonName: 'CA', key });
    return authority;
  }

  test('is none of what is no certificate', () => {
    expect(endPoint(Uint8Array.of(1, 2, 3))).toBeUndefined();
  });

  function endPoint(der: Uint8Array) {
    const info = { role: 'client', peerCertificates: [der] } as unknown as ConnectionInfo;
    return channelBinding('tls-server-end-point', nodeCrypto, info, () => new Uint8Array(0));
  }
});

test('there is none before the handshake is complete', () => {
  const { connection } = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate }));
  expect(() => connection.channelBinding('tls-exporter')).toThrow(
    expect.objectContaining({ code: 'not-connected' }),
  );
});

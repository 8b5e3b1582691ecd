import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  certificateToPem,
  createCertificateAuthority,
  type IssuedCertificate,
  privateKeyToPem,
} from '@testudo/x509';
import { systemRoots } from '@testudo/x509/node';
import { expect, test } from 'vitest';

// What we issue serves node:tls at both ends.

const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Test CA' });
const intermediate = authority.issueAuthority({ commonName: 'Intermediate' });
const ca = certificateToPem(authority.certificate);

const pemOf = ({ certificateChain, privateKey }: IssuedCertificate): { cert: string; key: string } => ({
  cert: certificateToPem(...certificateChain),
  key: privateKeyToPem(privateKey!),
});

/** Connects a client to a server that asks for its certificate; the client's name as the server saw it. */
async function meet(host: string, server: IssuedCertificate, client: IssuedCertificate): Promise<string> {
  const listener = createServer({ ...pemOf(server), ca, requestCert: true, rejectUnauthorized: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const seen = new Promise<PeerCertificate>((resolve, reject) => {
    listener.once('secureConnection', (socket: TLSSocket) => {
      resolve(socket.getPeerCertificate());
      socket.end();
    });
    listener.once('tlsClientError', reject);
  });
  const { port } = listener.address() as AddressInfo;
  const socket = connect({
    socket: connectTcp(port, '127.0.0.1'),
    servername: /^[\d.]+$/.test(host) ? '' : host,
    host,
    ca,
    ...pemOf(client),
  });
  const failed = once(socket, 'error').then(([error]) => Promise.reject(error));
  try {
    await Promise.race([once(socket, 'secureConnect'), failed]);
    const peer = await Promise.race([seen, failed]);
    return String(peer.subject.CN);
  } finally {
    seen.catch(() => {});
    failed.catch(() => {});
    socket.destroy();
    listener.close();
  }
}

test('a chain with an intermediate, and a client, are accepted', async () => {
  const server = intermediate.issue({ names: ['example.com'], purpose: 'server' });
  const client = authority.issue({ commonName: 'someone', purpose: 'client' });
  expect(await meet('example.com', server, client)).toBe('someone');
});

test('another name and another purpose are refused', async () => {
  const server = authority.issue({ names: ['example.com'], purpose: 'server' });
  const client = authority.issue({ commonName: 'someone', purpose: 'client' });
  await expect(meet('example.org', server, client)).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await expect(meet('example.com', client, client)).rejects.toMatchObject({ code: 'INVALID_PURPOSE' });
});

test('the roots of the system are there, and found by subject', () => {
  const [first] = systemRoots();
  expect(
    systemRoots()
      .withSubject(first!.subject)
      .some((root) => root.equals(first!)),
  ).toBe(true);
  expect(systemRoots().has(authority.certificate)).toBe(false);
});

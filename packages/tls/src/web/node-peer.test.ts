import { once } from 'node:events';
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { Duplex } from 'node:stream';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { certificateToPem, createCertificateAuthority, privateKeyToPem, TrustStore } from '@testudo/x509';
import { afterEach, describe, expect, test } from 'vitest';
import { credential, verifyWith } from '../index.ts';
import { acceptTls, connectTls, type Transport } from './index.ts';

// Against node:tls, over sockets that are made into web streams.

const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Test CA' });
const { certificateChain, privateKey } = authority.issue({ names: ['example.com'], purpose: 'server' });
const pem = { cert: certificateToPem(...certificateChain), key: privateKeyToPem(privateKey!) };
const ca = certificateToPem(authority.certificate);
const trust = new TrustStore([authority.certificate]);

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

describe.each([nodeCrypto, portableCrypto])('with the $name provider', (provider) => {
  const client = { provider, verifyCertificate: verifyWith(provider, () => trust), host: 'example.com' };
  const server = {
    provider,
    credentials: [
      credential(
        provider,
        certificateChain.map(({ der }) => der),
        provider.importPrivateKey(privateKey!.exportPkcs8()),
      ),
    ],
  };

  test.each(versions)('a client talks %s to a server of node:tls', async (version) => {
    const port = await listen(createServer({ ...pem, maxVersion: version }, (socket) => socket.pipe(socket)));
    const stream = await connectTls(webTransport(connectTcp(port, '127.0.0.1')), client);
    expect(stream.info.version).toBe(version);
    const writer = stream.writable.getWriter();
    const data = nodeCrypto.randomBytes(300_000);
    const [echo] = await Promise.all([collect(stream.readable, data.length), writer.write(data)]);
    expect(Buffer.from(data).equals(echo)).toBe(true);
    await writer.close();
    expect(await collect(stream.readable, 1)).toHaveLength(0);
    await stream.closed;
  });

  test.each(versions)('a server talks %s to a client of node:tls', async (version) => {
    const accepted = new Promise<string>((resolve, reject) => {
      const serve = async (socket: Socket) => {
        const stream = await acceptTls(webTransport(socket), server);
        await stream.readable.pipeTo(stream.writable);
        await stream.closed;
        return stream.info.version;
      };
      listen(
        createTcpServer({ allowHalfOpen: true }, (socket) => void serve(socket).then(resolve, reject)),
      ).then(connectTo, reject);
    });
    let echo: Promise<Buffer>;
    function connectTo(port: number): void {
      const socket = connect({ port, host: '127.0.0.1', servername: 'example.com', ca, maxVersion: version });
      closing.push(() => socket.destroy());
      echo = collectSocket(socket);
      socket.write('hello');
      // TLS 1.2 knows no half-close: an end before the answer would be the end of the answer, too.
      socket.once('data', () => socket.end());
    }
    expect(await accepted).toBe(version);
    expect(String(await echo!)).toBe('hello');
  });

  test('a socket that is cut is a truncation', async () => {
    const sockets: TLSSocket[] = [];
    const port = await listen(createServer(pem, (socket) => void sockets.push(socket)));
    const tcp = connectTcp(port, '127.0.0.1');
    const stream = await connectTls(webTransport(tcp), client);
    const writer = stream.writable.getWriter();
    await writer.write(new Uint8Array(1));
    tcp.destroy();
    await expect(stream.readable.getReader().read()).rejects.toMatchObject({ code: 'truncated' });
    await expect(stream.closed).rejects.toMatchObject({ code: 'truncated' });
  });
});

function webTransport(socket: Socket): Transport {
  closing.push(() => socket.destroy());
  return Duplex.toWeb(socket) as unknown as Transport;
}

async function listen(server: Server): Promise<number> {
  closing.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function collect(readable: ReadableStream<Uint8Array>, length: number): Promise<Buffer> {
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  let received = 0;
  while (received < length) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    received += value.length;
  }
  reader.releaseLock();
  return Buffer.concat(chunks);
}

async function collectSocket(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

import { once } from 'node:events';
import nodeHttp2, {
  type ClientHttp2Session,
  type Http2SecureServer,
  type Http2ServerRequest,
  type ServerHttp2Session,
} from 'node:http2';
import { Socket } from 'node:net';
import nodeTls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import ourHttp2 from './http2.ts';
import {
  ca,
  clientIdentity,
  closeAll,
  listen,
  nodes,
  ours,
  serverIdentity,
  type Tls,
  track,
} from './testing/support.ts';

afterEach(closeAll);

type Http2 = typeof ourHttp2;

/** What one side of a session says about the connection. */
function described(session: ServerHttp2Session | ClientHttp2Session, tls: Tls): object {
  const socket = session.socket as nodeTls.TLSSocket;
  const { CN } = socket.getPeerCertificate().subject;
  return {
    isTls: socket instanceof tls.TLSSocket,
    isSocket: socket instanceof Socket,
    className: socket.constructor.name,
    encrypted: [session.encrypted, socket.encrypted],
    protocol: [session.alpnProtocol, socket.alpnProtocol],
    originSet: session.originSet?.map((origin) => origin.replace(/\d+$/, 'port')),
    authorized: [socket.authorized, socket.authorizationError],
    peer: [
      CN,
      socket.getPeerCertificate(true).raw instanceof Buffer,
      socket.getPeerX509Certificate()?.subject,
    ],
    own: (socket.getCertificate() as nodeTls.PeerCertificate | null)?.subject?.CN,
    version: socket.getProtocol(),
    cipher: Object.keys(socket.getCipher()),
    servername: socket.servername,
    addresses: [socket.remoteAddress, socket.localAddress, typeof socket.remotePort, socket.remoteFamily],
    address: Object.keys(socket.address()),
    state: [socket.destroyed, socket.connecting, socket.pending, socket.readyState],
    exported: socket.exportKeyingMaterial(16, 'EXPERIMENTAL test', Buffer.alloc(0)).length,
    isResumed: socket.isSessionReused(),
    hasFinished: [socket.getFinished()?.length, socket.getPeerFinished()?.length],
  };
}

async function sides(http2: Http2, tls: Tls): Promise<{ server: object; client: object; compat: object }> {
  const server: Http2SecureServer = http2.createSecureServer({
    ...serverIdentity,
    ca,
    requestCert: true,
    maxVersion: 'TLSv1.3',
  });
  const seen: { server?: object; compat?: object } = {};
  server.on('stream', ({ session }) => {
    seen.server = described(session as ServerHttp2Session, tls);
  });
  server.on('request', (request: Http2ServerRequest, response) => {
    const socket = request.socket as nodeTls.TLSSocket;
    seen.compat = {
      isTls: socket instanceof tls.TLSSocket,
      peer: socket.getPeerCertificate().subject.CN,
      authorized: socket.authorized,
      version: socket.getProtocol(),
      isSame: request.socket.remotePort === request.stream.session?.socket.remotePort,
    };
    response.end('hello');
  });
  const port = await listen(server);
  const session = track(http2.connect(`https://localhost:${port}`, { ca, ...clientIdentity }));
  await once(session, 'connect');
  const client = described(session, tls);
  const stream = session.request();
  stream.resume();
  await once(stream, 'end');
  await new Promise<void>((resolve) => session.close(resolve));
  return { server: seen.server!, compat: seen.compat!, client };
}

test('both sides of an HTTP/2 session have a TLSSocket that says what Node\u2019s says', async () => {
  const expected = await sides(nodeHttp2 as unknown as Http2, nodes);
  const seen = await sides(ourHttp2, ours);
  expect(seen.server).toEqual(expected.server);
  expect(seen.compat).toEqual(expected.compat);
  expect(seen.client).toEqual(expected.client);
  expect(seen.server).toMatchObject({ isTls: true, peer: ['client.example', true, expect.anything()] });
});

describe('a session over a socket that the program made', () => {
  test('knows it before and after the handshake', async () => {
    const server = ourHttp2.createSecureServer(serverIdentity, (_request, response) => response.end('x'));
    const port = await listen(server);
    const socket = track(ours.connect({ port, ca, servername: 'localhost', ALPNProtocols: ['h2'] }));
    const session = track(
      ourHttp2.connect(`https://localhost:${port}`, { createConnection: () => socket as never }),
    );
    expect(session.socket).toBeInstanceOf(ours.TLSSocket);
    expect((session.socket as nodeTls.TLSSocket).authorized).toBe(false);
    await once(session, 'connect');
    expect((session.socket as nodeTls.TLSSocket).authorized).toBe(true);
    expect(session.socket).not.toBeInstanceOf(nodeTls.TLSSocket);
    await new Promise<void>((resolve) => session.close(resolve));
    expect(socket.destroyed).toBe(true);
  });

  test('what the program keeps on the session\u2019s socket stays there', async () => {
    const server = ourHttp2.createSecureServer(serverIdentity, (_request, response) => response.end('x'));
    const port = await listen(server);
    const session = track(ourHttp2.connect(`https://localhost:${port}`, { ca }));
    await once(session, 'connect');
    const socket = session.socket as unknown as Record<string, unknown>;
    socket['mark'] = 1;
    socket['servername'] = 'changed';
    expect([socket['mark'], socket['servername']]).toEqual([1, 'changed']);
    session.destroy();
  });
});

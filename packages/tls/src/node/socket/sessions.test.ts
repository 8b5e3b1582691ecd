import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectionOptions, Server, TLSSocket } from '../index.ts';
import {
  BOTH,
  ca,
  clientIdentity,
  closeAll,
  connected,
  issue,
  listen,
  nodes,
  ours,
  PARTIES,
  serverIdentity,
  stranger,
  type Tls,
  track,
  VERSIONS,
} from '../testing/support.ts';

afterEach(closeAll);

/** Connects, and waits for the session and the clean end. */
async function visit(
  clientTls: Tls,
  port: number,
  options: ConnectionOptions = {},
): Promise<{ socket: TLSSocket; session: Buffer | undefined }> {
  const socket = track(clientTls.connect({ port, ca, servername: 'localhost', ...options }));
  let session: Buffer | undefined;
  socket.on('session', (given) => {
    session = given;
  });
  await once(socket, 'secureConnect');
  // The server says something and ends, so its tickets came before.
  socket.resume();
  await once(socket, 'end');
  return { socket, session: session ?? socket.getSession() };
}

async function speakingServer(tls: Tls, options: object = {}): Promise<{ server: Server; port: number }> {
  const server = tls.createServer({ ...serverIdentity, ...options }, (socket) => {
    socket.on('error', () => {});
    // Not at once: Node's server forgets close_notify when it ends inside this very event.
    setImmediate(() => socket.end('hello'));
  });
  return { server, port: await listen(server) };
}

describe.each(VERSIONS)('%s', (maxVersion) => {
  test.each(PARTIES)('%s: a session is resumed', async (_name, serverTls, clientTls) => {
    const { port } = await speakingServer(serverTls, { maxVersion });
    const first = await visit(clientTls, port);
    expect(first.socket.isSessionReused()).toBe(false);
    expect(first.session).toBeInstanceOf(Buffer);
    const second = await visit(clientTls, port, { session: first.session });
    expect(second.socket.isSessionReused()).toBe(true);
    expect(second.socket.authorized).toBe(true);
    // Node forgets it.
    if (clientTls === ours) expect(second.socket.getPeerCertificate().subject.CN).toBe('localhost');
  });

  test('getTLSTicket and getSession belong to the same session', async () => {
    const { port } = await speakingServer(ours, { maxVersion });
    const { socket } = await visit(ours, port);
    expect(socket.getTLSTicket()!.length).toBeGreaterThan(16);
    expect(socket.getSession()!.includes(socket.getTLSTicket()!)).toBe(true);
  });

  test.each(PARTIES)('%s: a resumption brings no other session', async (_name, serverTls, clientTls) => {
    const { port } = await speakingServer(serverTls, { maxVersion });
    const { session } = await visit(clientTls, port);
    let given = 0;
    const socket = track(clientTls.connect({ port, ca, servername: 'localhost', session }));
    socket.on('session', () => given++);
    socket.resume();
    await once(socket, 'end');
    expect([socket.isSessionReused(), given]).toEqual([true, 0]);
  });

  test('servers with the same ticket keys resume each other\u2019s sessions, others do not', async () => {
    const one = await speakingServer(ours, { maxVersion });
    const ticketKeys = one.server.getTicketKeys();
    expect(ticketKeys.length).toBe(48);
    const same = await speakingServer(ours, { maxVersion, ticketKeys });
    const other = await speakingServer(ours, { maxVersion });
    const { session } = await visit(ours, one.port);
    expect((await visit(ours, same.port, { session })).socket.isSessionReused()).toBe(true);
    expect((await visit(ours, other.port, { session })).socket.isSessionReused()).toBe(false);
  });

  test('setTicketKeys makes older tickets worthless', async () => {
    const { server, port } = await speakingServer(ours, { maxVersion });
    const { session } = await visit(ours, port);
    server.setTicketKeys(Buffer.alloc(48, 7));
    expect((await visit(ours, port, { session })).socket.isSessionReused()).toBe(false);
    expect(server.getTicketKeys()).toEqual(Buffer.alloc(48, 7));
    expect(() => server.setTicketKeys(Buffer.alloc(47))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
  });

  test('SSL_OP_NO_TICKET: there is nothing to resume', async () => {
    const { port } = await speakingServer(ours, { maxVersion, secureOptions: 0x4000 });
    const { socket, session } = await visit(ours, port);
    expect(socket.getTLSTicket()).toBeUndefined();
    expect((await visit(ours, port, { session })).socket.isSessionReused()).toBe(false);
  });

  test('SSL_OP_NO_TICKET on a client: no tickets up to TLS 1.2', async () => {
    const { port } = await speakingServer(ours, { maxVersion });
    const { session } = await visit(ours, port);
    const { socket } = await visit(ours, port, { session, secureOptions: 0x4000 });
    expect(socket.isSessionReused()).toBe(maxVersion === 'TLSv1.3');
  });

  test('what is no session of ours is ignored', async () => {
    const { port } = await speakingServer(ours, { maxVersion });
    const theirs = await visit(nodes, port);
    for (const session of [theirs.session!, Buffer.from('nonsense'), Buffer.alloc(0)]) {
      const { socket } = await visit(ours, port, { session });
      expect(socket.isSessionReused()).toBe(false);
      expect(socket.authorized).toBe(true);
    }
  });

  test('a session for another name is not offered', async () => {
    const identity = issue({ names: ['localhost', 'other.example'] });
    const { port } = await speakingServer(ours, { ...identity, maxVersion });
    const { session } = await visit(ours, port);
    const { socket } = await visit(ours, port, { session, servername: 'other.example' });
    expect(socket.isSessionReused()).toBe(false);
  });

  test('a session whose server was not verified does not make it trusted', async () => {
    const { port } = await speakingServer(ours, { ...issue({}, stranger), maxVersion });
    const { session } = await visit(ours, port, { rejectUnauthorized: false });
    const again = await visit(ours, port, { session, rejectUnauthorized: false });
    expect(again.socket.isSessionReused()).toBe(true);
    expect(again.socket.authorized).toBe(false);
    await expect(visit(ours, port, { session })).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });

  test('a client that showed a certificate is known again', async () => {
    const server = ours.createServer({ ...serverIdentity, maxVersion, requestCert: true, ca });
    const seen: unknown[] = [];
    server.on('secureConnection', (socket: TLSSocket) => {
      seen.push([socket.isSessionReused(), socket.authorized, socket.getPeerCertificate().subject.CN]);
      socket.end('hello');
    });
    const port = await listen(server);
    const { session } = await visit(ours, port, clientIdentity);
    await visit(ours, port, { ...clientIdentity, session });
    expect(seen).toEqual([
      [false, true, 'client.example'],
      [true, true, 'client.example'],
    ]);
  });
});

test('setSession before the handshake does as the option', async () => {
  const { port } = await speakingServer(ours);
  const { session } = await visit(ours, port);
  const socket = track(ours.connect({ port, ca, servername: 'localhost' }));
  socket.setSession(session!);
  await once(socket, 'secureConnect');
  expect(socket.isSessionReused()).toBe(true);
});

describe.each(VERSIONS)('%s: a session of one host', (maxVersion) => {
  const at = async (port: number, host: string, session?: Buffer) => {
    const socket = track(netConnect(port, '127.0.0.1'));
    return await visit(ours, port, { socket, host, servername: undefined, session });
  };

  test('is not offered to another address, which has to show its own certificate', async () => {
    const { port } = await speakingServer(ours, { maxVersion });
    const { session } = await at(port, '127.0.0.1');
    expect((await at(port, '127.0.0.1', session)).socket.isSessionReused()).toBe(true);
    await expect(at(port, '127.0.0.2', session)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('that was accepted unverified is not resumed by who wants it verified', async () => {
    const { port } = await speakingServer(ours, { maxVersion, ...issue({}, stranger) });
    const anyone = { rejectUnauthorized: false };
    const { session } = await visit(ours, port, anyone);
    const again = await visit(ours, port, { ...anyone, session });
    expect([again.socket.isSessionReused(), again.socket.authorized]).toEqual([true, false]);
    await expect(visit(ours, port, { session })).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });
});

describe('newSession and resumeSession', () => {
  test('keep TLS 1.2 sessions by their IDs', async () => {
    const { server, port } = await speakingServer(ours, { maxVersion: 'TLSv1.2', secureOptions: 0x4000 });
    const kept = new Map<string, Buffer>();
    server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      kept.set(id.toString('hex'), session);
      setImmediate(done);
    });
    server.on('resumeSession', (id: Buffer, done: (error: Error | null, session: Buffer | null) => void) => {
      setImmediate(() => done(null, kept.get(id.toString('hex')) ?? null));
    });
    for (const clientTls of [ours, nodes]) {
      const { session } = await visit(clientTls, port);
      expect((await visit(clientTls, port, { session })).socket.isSessionReused()).toBe(true);
      kept.clear();
      expect((await visit(clientTls, port, { session })).socket.isSessionReused()).toBe(false);
    }
  });

  test.each(BOTH)('an error of the store ends the handshake: %s', async (_name, tls) => {
    const { server, port } = await speakingServer(tls, { maxVersion: 'TLSv1.2', secureOptions: 0x4000 });
    server.on('newSession', (_id: Buffer, _session: Buffer, done: () => void) => done());
    const { session } = await visit(ours, port);
    server.on('resumeSession', (_id: Buffer, done: (error: Error) => void) =>
      done(new Error('store is down')),
    );
    const failed = once(server, 'tlsClientError');
    await expect(visit(ours, port, { session })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await failed)[0]).toMatchObject({ message: 'store is down' });
  });
});

test('contexts for the same CA are parsed once, those with a private key every time', async () => {
  const { createSecureContext } = ours;
  const { sharedSecureContext } = await import('../context/secure-context.ts');
  expect(sharedSecureContext({ ca })).toBe(sharedSecureContext({ ca: Buffer.from(ca) }));
  expect(sharedSecureContext({ ca })).not.toBe(sharedSecureContext({}));
  expect(sharedSecureContext({ ca })).not.toBe(sharedSecureContext({ ca, minVersion: 'TLSv1.3' }));
  expect(sharedSecureContext({ ca, ...clientIdentity })).not.toBe(
    sharedSecureContext({ ca, ...clientIdentity }),
  );
  expect(createSecureContext({ ca })).not.toBe(createSecureContext({ ca }));
  const { client } = await connected(
    ours,
    ours,
    {},
    { secureContext: createSecureContext({ ca }), ca: undefined },
  );
  expect(client.authorized).toBe(true);
});

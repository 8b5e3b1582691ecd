import type { CryptoProvider } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { createCertificateAuthority, TrustStore } from '@testudo/x509';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type CertificateVerifier,
  type ClientOptions,
  credential,
  type ServerOptions,
  type Session,
  serverConfig,
  TicketKeys,
  verifyWith,
} from '../index.ts';
import {
  type AcceptTlsOptions,
  acceptTls,
  type ConnectTlsOptions,
  connectTls,
  type TlsStream,
  type Transport,
} from './index.ts';

const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Test CA' });
const issued = authority.issue({ names: ['example.com'], purpose: 'server' });
const chain = issued.certificateChain.map((certificate) => certificate.der);
const pkcs8 = issued.privateKey!.exportPkcs8();
const trust = new TrustStore([authority.certificate]);

afterEach(() => void vi.useRealTimers());

const clientOf = (provider: CryptoProvider): ClientOptions & ConnectTlsOptions => ({
  provider,
  verifyCertificate: verifyWith(provider, () => trust),
  host: 'example.com',
});
const serverOf = (provider: CryptoProvider): ServerOptions => ({
  provider,
  credentials: [credential(provider, chain, provider.importPrivateKey(pkcs8))],
});

describe.each([
  ['portable', portableCrypto, 'node', nodeCrypto],
  ['node', nodeCrypto, 'portable', portableCrypto],
  ['portable', portableCrypto, 'portable', portableCrypto],
] as const)('%s client, %s server', (_c, clientProvider, _s, serverProvider) => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('speak %s both ways and close', async (version) => {
    const { client, server } = await pair(
      { ...clientOf(clientProvider), maxVersion: version, alpnProtocols: ['h2', 'x'] },
      { ...serverOf(serverProvider), alpnProtocols: ['x'] },
    );
    expect(client.info).toMatchObject({ version, alpnProtocol: 'x', serverName: 'example.com' });
    expect(server.info).toMatchObject({ version, alpnProtocol: 'x' });
    expect(client.exportKeyingMaterial(32, 'EXPORTER-test')).toEqual(
      server.exportKeyingMaterial(32, 'EXPORTER-test'),
    );
    await Promise.all([write(client, 'ping'), expectText(server, 'ping')]);
    await Promise.all([write(server, 'pong'), expectText(client, 'pong')]);
    await Promise.all([client.writable.close(), server.writable.close()]);
    expect(await rest(client)).toBe('');
    expect(await rest(server)).toBe('');
    await Promise.all([client.closed, server.closed]);
  });
});

test('half-close: what the peer sends still arrives after our end', async () => {
  const { client, server } = await pair();
  await write(client, 'the question');
  await client.writable.close();
  expect(await rest(server)).toBe('the question');
  const answer = write(server, 'the answer').then(() => server.writable.close());
  expect(await rest(client)).toBe('the answer');
  await answer;
  await Promise.all([client.closed, server.closed]);
});

test('in TLS 1.2 the end of one side is the end of both', async () => {
  const { client, server } = await pair({ ...clientOf(nodeCrypto), maxVersion: 'TLSv1.2' });
  const writer = client.writable.getWriter();
  await server.writable.close();
  expect(await rest(client)).toBe('');
  await expect(writer.write(bytes('late'))).rejects.toThrow(/TLS 1.2 has no half-close/);
  await Promise.all([client.closed, server.closed]);
});

test('keys can be replaced while data flows', async () => {
  const { client, server } = await pair();
  client.updateKeys();
  server.updateKeys({ requestPeer: false });
  await Promise.all([write(client, 'one'), expectText(server, 'one')]);
  await Promise.all([write(server, 'two'), expectText(client, 'two')]);
  const old = await pair({ ...clientOf(nodeCrypto), maxVersion: 'TLSv1.2' });
  expect(() => old.client.updateKeys()).toThrow(expect.objectContaining({ code: 'not-connected' }));
});

test('sessions are resumed, and configurations shared', async () => {
  const sessions: Session[] = [];
  const config = serverConfig({ ...serverOf(nodeCrypto), tickets: new TicketKeys(nodeCrypto) });
  const first = await pair(
    { ...clientOf(portableCrypto), onSession: (session) => void sessions.push(session) },
    { config },
  );
  await Promise.all([write(first.server, 'x'), expectText(first.client, 'x')]);
  expect(sessions.length).toBeGreaterThan(0);
  const second = await pair({ ...clientOf(portableCrypto), session: sessions[0] }, { config });
  expect([first.client.info.resumed, second.client.info.resumed, second.server.info.resumed]).toEqual([
    false,
    true,
    true,
  ]);
});

describe('backpressure', () => {
  const SIZE = 32 * 1024 * 1024;
  const part = new Uint8Array(256 * 1024).map((_, i) => i * 7);

  test('a big transfer to a slow reader is neither pulled nor pushed far ahead', async () => {
    const { client, server, wire } = await pair();
    let offered = 0;
    const sending = (async () => {
      const writer = server.writable.getWriter();
      while (offered < SIZE) {
        await writer.ready;
        offered += part.length;
        await writer.write(part);
      }
      await writer.close();
    })();
    const reader = client.readable.getReader();
    let received = 0;
    let most = 0;
    for (;;) {
      // Everything that can happen without this reader happens now.
      if (received % 1_048_576 < 20_000) await settle();
      most = Math.max(most, offered - received, wire.fromServer - received);
      const { done, value } = await reader.read();
      if (done) break;
      if (value[0] !== part[received % part.length]) expect.fail(`other bytes at ${received}`);
      received += value.length;
    }
    await sending;
    expect(received).toBe(SIZE);
    // A write of 256 KiB, what is protected in one go, and what the streams between hold.
    expect(most).toBeLessThan(768 * 1024);
  });

  test('nothing is read ahead when nothing shall be', async () => {
    const { client, server, wire } = await pair({ ...clientOf(nodeCrypto), readAhead: 0 });
    const sending = write(server, 'x'.repeat(1_000_000));
    await settle();
    expect(wire.takenByClient).toBeLessThan(10_000);
    await client.readable.cancel();
    server.abort();
    await expect(sending).rejects.toMatchObject({ code: 'aborted' });
  });

  test('ready and desiredSize tell a writer to wait', async () => {
    const { client } = await pair();
    const writer = client.writable.getWriter();
    expect(writer.desiredSize).toBeGreaterThan(0);
    const writes: Promise<void>[] = [];
    for (let i = 0; i < 8; i++) writes.push(writer.write(part));
    expect(writer.desiredSize).toBeLessThanOrEqual(0);
    let ready = false;
    writer.ready.then(
      () => {
        ready = true;
      },
      () => {},
    );
    await settle();
    expect(ready).toBe(false);
    client.abort();
    expect((await Promise.allSettled(writes)).at(-1)!.status).toBe('rejected');
  });
});

describe('failures', () => {
  test('a certificate for another name: both sides learn why', async () => {
    const { client, server } = await both({ ...clientOf(portableCrypto), host: 'example.org' });
    expect(client.reason).toMatchObject({ name: 'TlsError', code: 'bad-certificate' });
    expect(server.reason).toMatchObject({ code: 'alert-received', receivedAlert: 'bad_certificate' });
  });

  test('a verifier may take its time, and its refusal counts', async () => {
    const later =
      (accepted: boolean): CertificateVerifier =>
      async () => {
        await settle();
        return { accepted, error: new Error('the office says no') };
      };
    const { client } = await pair({ ...clientOf(nodeCrypto), verifyCertificate: later(true) });
    expect(client.info.authorizationError?.message).toBe('the office says no');
    const { client: refused } = await both({ ...clientOf(nodeCrypto), verifyCertificate: later(false) });
    expect(refused.reason).toMatchObject({ code: 'certificate-unknown' });
  });

  test('a peer that does not speak TLS', async () => {
    const transport = lineOf(bytes('220 mail.example.com ESMTP\r\n'));
    await expect(connectTls(transport, clientOf(nodeCrypto))).rejects.toMatchObject({ code: 'not-tls' });
  });

  test('an end during the handshake', async () => {
    await expect(connectTls(lineOf(), clientOf(nodeCrypto))).rejects.toMatchObject({ code: 'truncated' });
  });

  test('truncation is an error, after the data that came before it', async () => {
    const { client, server, cut } = await pair();
    await Promise.all([write(server, 'genuine'), settle()]);
    const [reader, writer] = [client.readable.getReader(), client.writable.getWriter()];
    cut();
    await settle();
    expect(text((await reader.read()).value)).toBe('genuine');
    await expect(reader.read()).rejects.toMatchObject({ name: 'TlsError', code: 'truncated' });
    await expect(writer.write(bytes('x'))).rejects.toMatchObject({ code: 'truncated' });
    await expect(client.closed).rejects.toMatchObject({ code: 'truncated' });
    server.abort();
  });

  test('a transport that fails in reading or in writing', async () => {
    const { client, breakWire } = await pair();
    breakWire(new Error('cable cut'));
    await expect(client.closed).rejects.toMatchObject({
      code: 'truncated',
      message: expect.stringContaining('cable cut'),
    });
    await expect(client.readable.getReader().read()).rejects.toMatchObject({ code: 'truncated' });
    const deaf = {
      readable: new ReadableStream<Uint8Array>(),
      writable: new WritableStream<Uint8Array>({ write: () => Promise.reject(new Error('no ear')) }),
    };
    await expect(connectTls(deaf, clientOf(nodeCrypto))).rejects.toThrow(/no ear/);
  });

  test('what is no bytes is refused, from the application and from the transport', async () => {
    const { client, server } = await pair();
    const writer = client.writable.getWriter();
    await expect(writer.write('text' as unknown as Uint8Array)).rejects.toThrow(/Uint8Array/);
    await expect(server.closed).rejects.toMatchObject({ code: 'truncated' });
    const transport = lineOf('text' as unknown as Uint8Array);
    await expect(connectTls(transport, clientOf(nodeCrypto))).rejects.toMatchObject({ code: 'bad-option' });
  });

  test('a mistake in the options leaves the transport alone', async () => {
    const transport = lineOf();
    await expect(connectTls(transport, { ...clientOf(nodeCrypto), groups: ['none'] })).rejects.toMatchObject({
      code: 'bad-option',
    });
    expect([transport.readable.locked, transport.writable.locked]).toEqual([false, false]);
  });
});

describe('giving up', () => {
  test('abort errors both streams with its reason, and the peer sees a truncated connection', async () => {
    const alerts: string[] = [];
    const observer = {
      alert: (direction: string, _: string, name: string) => alerts.push(`${direction} ${name}`),
    };
    const { client, server } = await pair(clientOf(nodeCrypto), { ...serverOf(nodeCrypto), observer });
    const reading = client.readable.getReader().read();
    const cause = new Error('enough');
    client.abort(cause);
    await expect(reading).rejects.toMatchObject({ code: 'aborted', cause });
    await expect(client.writable.getWriter().closed).rejects.toMatchObject({ code: 'aborted' });
    await expect(client.closed).rejects.toMatchObject({ code: 'aborted' });
    await expect(server.closed).rejects.toMatchObject({ code: 'truncated' });
    expect(alerts).toEqual([]);
  });

  test('aborting the writable gives up at once, even when the transport hangs', async () => {
    const { client, hang } = await pair();
    hang();
    const writer = client.writable.getWriter();
    const stuck = writer.write(new Uint8Array(1_000_000));
    stuck.catch(() => {});
    await settle();
    writer.abort(new Error('no longer')).catch(() => {});
    await expect(client.readable.getReader().read()).rejects.toMatchObject({ code: 'aborted' });
    await expect(stuck).rejects.toBeDefined();
  });

  test('a signal ends the handshake, before and while it runs', async () => {
    const silent = lineThatWaits();
    const signal = AbortSignal.abort(new Error('already'));
    await expect(connectTls(silent, { ...clientOf(nodeCrypto), signal })).rejects.toMatchObject({
      code: 'aborted',
      cause: expect.objectContaining({ message: 'already' }),
    });
    const control = new AbortController();
    const connecting = connectTls(lineThatWaits(), { ...clientOf(nodeCrypto), signal: control.signal });
    control.abort(new Error('changed my mind'));
    await expect(connecting).rejects.toThrow(/changed my mind/);
  });

  test('a signal ends the connection later', async () => {
    const control = new AbortController();
    const { client } = await pair({ ...clientOf(nodeCrypto), signal: control.signal });
    control.abort();
    await expect(client.closed).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a peer that is silent runs into the time limit', async () => {
    vi.useFakeTimers();
    const connecting = connectTls(lineThatWaits(), { ...clientOf(nodeCrypto), handshakeTimeout: 5000 });
    const failed = expect(connecting).rejects.toMatchObject({ code: 'handshake-timeout' });
    await vi.advanceTimersByTimeAsync(4999);
    const undecided = await Promise.race([connecting.catch(() => 'failed'), Promise.resolve('waits')]);
    expect(undecided).toBe('waits');
    await vi.advanceTimersByTimeAsync(1);
    await failed;
  });

  test('no time limit touches a connection whose handshake is done', async () => {
    vi.useFakeTimers();
    const { client, server } = await pair({ ...clientOf(nodeCrypto), handshakeTimeout: 10 });
    await vi.advanceTimersByTimeAsync(60_000);
    await Promise.all([write(client, 'still here'), expectText(server, 'still here')]);
  });

  test('cancelling the readable leaves writing alone', async () => {
    const { client, server } = await pair();
    await client.readable.cancel();
    await write(client, 'only talk');
    await client.writable.close();
    expect(await rest(server)).toBe('only talk');
    await client.closed;
  });

  test('close sends what was written, and drops what still comes', async () => {
    const { client, server } = await pair();
    const writer = client.writable.getWriter();
    await writer.write(bytes('last words'));
    writer.releaseLock();
    const answering = write(server, 'x'.repeat(100_000)).then(() => server.close());
    const closing = client.close();
    expect(await rest(server)).toBe('last words');
    await Promise.all([closing, answering]);
    await server.closed;
  });

  test('close waits for no peer that never ends', async () => {
    vi.useFakeTimers();
    const { client } = await pair();
    const closing = client.close();
    await vi.advanceTimersByTimeAsync(5000);
    await closing;
    await client.close();
  });

  test('close with a held writer sends its current write and refuses more', async () => {
    const { client, server } = await pair();
    const writer = client.writable.getWriter();
    const written = writer.write(bytes('held'));
    const closing = client.close();
    expect(await rest(server)).toBe('held');
    await written;
    await expect(writer.write(bytes('more'))).rejects.toMatchObject({ code: 'not-connected' });
    await server.close();
    await closing;
  });
});

// Two ends on one table ---------------------------------------------------------------------------------------------

interface Pair {
  readonly client: TlsStream;
  readonly server: TlsStream;
  /** Bytes that the server's end has put on the wire, and that the client's end has taken from it. */
  readonly wire: { fromServer: number; takenByClient: number };
  /** Ends what the client receives. */
  cut(): void;
  breakWire(error: Error): void;
  /** The wire takes nothing more from the client. */
  hang(): void;
}

async function pair(
  client: ConnectTlsOptions = clientOf(nodeCrypto),
  server: AcceptTlsOptions = serverOf(nodeCrypto),
): Promise<Pair> {
  const line = makeLine();
  const [c, s] = await Promise.all([connectTls(line.client, client), acceptTls(line.server, server)]);
  return { ...line, client: c, server: s };
}

/** For handshakes that fail on both sides. */
async function both(
  client: ConnectTlsOptions,
): Promise<{ client: PromiseRejectedResult; server: PromiseRejectedResult }> {
  const line = makeLine();
  const results = await Promise.allSettled([
    connectTls(line.client, client),
    // In TLS 1.3 a server may be done before it learns that the client is not content.
    acceptTls(line.server, serverOf(nodeCrypto)).then((stream) => stream.closed),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const [c, s] = results as [PromiseRejectedResult, PromiseRejectedResult];
  return { client: c, server: s };
}

function makeLine() {
  const wire = { fromServer: 0, takenByClient: 0 };
  let incoming!: ReadableStreamDefaultController<Uint8Array>;
  let hangs = false;
  const up = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => (hangs ? new Promise<void>(() => {}) : controller.enqueue(chunk)),
  });
  const down = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      wire.fromServer += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const source = down.readable.getReader();
  let over = false;
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        incoming = controller;
      },
      async pull(controller) {
        const { done, value } = await source.read();
        if (over) return;
        if (done) return controller.close();
        wire.takenByClient += value.length;
        controller.enqueue(value);
      },
      cancel: (reason) => source.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return {
    wire,
    client: { readable, writable: up.writable } satisfies Transport,
    server: { readable: up.readable, writable: down.writable } satisfies Transport,
    cut() {
      over = true;
      incoming.close();
    },
    breakWire(error: Error) {
      over = true;
      incoming.error(error);
    },
    hang() {
      hangs = true;
    },
  };
}

/** A transport whose peer says this and ends. */
function lineOf(...chunks: Uint8Array[]): Transport {
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return { readable, writable: new WritableStream() };
}

/** A transport whose peer says nothing. */
function lineThatWaits(): Transport {
  return { readable: new ReadableStream(), writable: new WritableStream() };
}

/** Lets everything happen that can happen by itself: all of it is in memory, so some turns of the loop are enough. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

async function write(stream: TlsStream, data: string): Promise<void> {
  const writer = stream.writable.getWriter();
  await writer.write(bytes(data)).finally(() => writer.releaseLock());
}

async function expectText(stream: TlsStream, expected: string): Promise<void> {
  expect(await rest(stream, expected.length)).toBe(expected);
}

async function rest(stream: TlsStream, atLeast: number = Number.POSITIVE_INFINITY): Promise<string> {
  const reader = stream.readable.getReader();
  let got = '';
  while (got.length < atLeast) {
    const { done, value } = await reader.read();
    if (done) break;
    got += text(value);
  }
  reader.releaseLock();
  return got;
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array | undefined): string {
  return new TextDecoder().decode(value);
}

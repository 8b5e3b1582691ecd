import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, expect, test } from 'vitest';
import { listenOn, readAll, removeFolders, startGateway, stopAll, tcpServer } from '#app/testing';
import { cleanUp, cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { Program } from '../interop/support/program.ts';
import { withPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';

cleanUpAfterTests();
afterEach(stopAll);
afterAll(removeFolders);

const suite = withPrograms('openssl');

suite('early data of openssl s_client', () => {
  const scratch = useScratch('early-data');

  /** A gateway in front of a service that notes what it gets. */
  async function setUp(lines: string) {
    const seen: string[] = [];
    const behind = await tcpServer(async (socket) => {
      const text = await readAll(socket).catch(() => 'broken off');
      seen.push(text);
      socket.end();
    });
    const started = await startGateway([`certificate: local\nforward: 127.0.0.1:${behind}\n${lines}`]);
    scratch.write('ca.pem', started.ca);
    return { ...started, seen };
  }

  /** Runs s_client until something has come to pass, then ends it; all that it said. */
  const client = async (
    port: number,
    until: (program: Program) => Promise<unknown>,
    ...args: string[]
  ): Promise<string> => {
    const program = new Program('openssl', [
      ...['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-tls1_3'],
      ...['-CAfile', scratch.path('ca.pem'), ...args],
    ]);
    await until(program);
    program.endInput();
    await program.exit();
    return program.output;
  };

  /** Comes home with a session; that there is a ticket s_client writes to the file at once, and tells only at its end. */
  const visit = async (port: number): Promise<void> => {
    scratch.write('session', '');
    const hasSession = (): Promise<void> =>
      expect.poll(() => scratch.text('session'), { timeout: 20_000 }).toContain('END SSL SESSION');
    await client(port, hasSession, '-sess_out', scratch.path('session'));
  };

  const visitEarly = (port: number): Promise<string> =>
    client(
      port,
      (program) => program.expect(/Early data was/),
      ...['-sess_in', scratch.path('session'), '-early_data', scratch.path('early')],
    );

  test('is taken where it is allowed, and refused but not lost for the handshake where it is not', async () => {
    scratch.write('early', 'hello early');
    for (const [lines, expected] of [
      ['earlyData: true', 'accepted'],
      ['', 'rejected'],
    ] as const) {
      const { port, seen } = await setUp(lines);
      await visit(port);
      const said = await visitEarly(port);
      if (expected === 'accepted') {
        expect(said).toContain('Early data was accepted');
        await expect.poll(() => seen, { timeout: 20_000 }).toContain('hello early');
      } else {
        expect(said).not.toContain('Early data was accepted');
        expect(seen.join()).not.toContain('hello early');
      }
    }
  });

  test('that somebody copied does not reach the service again', async () => {
    scratch.write('early', 'pay 100');
    const { port, seen } = await setUp('earlyData: true\nlimits: { handshake: 2s }');
    await visit(port);
    // Somebody on the wire, who notes what the client sends.
    const copied: Buffer[] = [];
    const wire = await listenOn(
      createServer((near) => {
        const far = connectTcp(port, '127.0.0.1');
        near.on('data', (part: Buffer) => copied.push(part)).on('error', () => undefined);
        far.on('error', () => undefined);
        near.pipe(far).pipe(near);
        cleanUp(() => [near, far].forEach((socket: Socket) => void socket.destroy()));
      }),
    );
    const said = await visitEarly(wire);
    expect(said).toContain('Early data was accepted');
    await expect.poll(() => seen.filter((text) => text === 'pay 100'), { timeout: 20_000 }).toHaveLength(1);
    const before = seen.length;
    const replay = connectTcp(port, '127.0.0.1').on('error', () => undefined);
    replay.write(Buffer.concat(copied));
    replay.resume();
    await once(replay, 'close');
    expect(seen).toHaveLength(before);
  });
});

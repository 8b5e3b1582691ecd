import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket, type TLSSocketOptions, TLSSocket as Tls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { Identities, type Identity } from '../interop/support/identities.ts';
import { useScratch } from '../support/scratch.ts';
import config from './config.json' with { type: 'json' };
import { parseFlags } from './flags.ts';
import { runShim, type ShimResult } from './shim.ts';
import { serveShim } from './warm-server.ts';

// What BoringSSL's runner expects of a shim, with OpenSSL as the peer (node:tls).

cleanUpAfterTests();

let identity: Identity;
beforeAll(() => {
  identity = new Identities().server();
});

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Stands for the runner: takes the shim's connections one after another, with the numbers that they begin with. */
class Runner {
  readonly ids: bigint[] = [];
  readonly #server: Server;
  readonly #begin: (socket: Socket, index: number) => void;

  private constructor(begin: (socket: Socket, index: number) => void) {
    this.#begin = begin;
    this.#server = createServer((socket) => this.#accept(socket));
    servers.push(this.#server);
  }

  static async listen(begin: (socket: Socket, index: number) => void): Promise<Runner> {
    const runner = new Runner(begin);
    await new Promise<void>((resolve) => runner.#server.listen(0, '127.0.0.1', resolve));
    return runner;
  }

  /** Flags that bring the shim here. */
  get flags(): string[] {
    const { port } = this.#server.address() as AddressInfo;
    return ['-port', String(port), '-shim-id', '72623859790382856'];
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => {
      const id = socket.read(8) as Buffer;
      this.ids.push(id.readBigUInt64LE());
      this.#begin(socket, this.ids.length - 1);
    });
  }
}

/** A server that sends a text, and ends the connection when it has the answer. */
function serving(options: TLSSocketOptions, answers: string[]): (socket: Socket) => void {
  return (socket) => {
    const { cert, key } = { cert: readFileSync(identity.cert), key: readFileSync(identity.key) };
    asking(new Tls(socket, { isServer: true, cert, key, ...options }), answers);
  };
}

function asking(peer: TLSSocket, answers: string[]): void {
  peer.on('error', () => peer.destroy());
  peer.write('question');
  peer.once('data', (data: Buffer) => {
    answers.push(Buffer.from(data.map((byte) => byte ^ 0xff)).toString());
    peer.end();
  });
}

const asServer = () => ['-server', '-cert-file', identity.cert, '-key-file', identity.key];

describe('flags', () => {
  test('that are not known are told with exit code 89', async () => {
    expect(await runShim(['-port', '1', '-no-such-flag'])).toMatchObject({ code: 89 });
    expect(await runShim(['-dtls'])).toMatchObject({ code: 89 });
    expect(await runShim(['-curves', '25497'])).toMatchObject({ code: 89 });
  });

  test('of the question for a handshaker are answered with No', async () => {
    expect(await runShim(['-is-handshaker-supported'])).toEqual({ code: 0, stdout: 'No\n', stderr: '' });
  });

  test('hold for the first connection, for those that resume, or for all', () => {
    const argv = [
      '-max-version',
      '772',
      '-on-resume-max-version',
      '771',
      '-on-initial-expect-hrr',
      '-on-retry-async',
    ];
    const { initial, resume, retry } = parseFlags([...argv, '-on-handshaker-cipher', 'AES']);
    const seen = [initial, resume, retry].map((flags) => [
      flags.number('max-version'),
      flags.has('expect-hrr'),
      flags.has('async'),
      flags.text('cipher'),
    ]);
    expect(seen).toEqual([
      [772, true, false, undefined],
      [771, false, false, undefined],
      [772, false, true, undefined],
    ]);
  });

  test('after the name of a credential belong to it', () => {
    const argv = ['-cert-file', 'a', '-new-x509-credential', '-cert-file', 'b', '-signing-prefs', '1027'];
    const [unnamed, first] = parseFlags(argv).initial.credentials;
    expect([unnamed!.text('cert-file'), unnamed!.numbers('signing-prefs')]).toEqual(['a', []]);
    expect([first!.text('cert-file'), first!.numbers('signing-prefs')]).toEqual(['b', [1027]]);
  });
});

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s', (maxVersion) => {
  const version = maxVersion === 'TLSv1.3' ? '772' : '771';
  const tls12 = maxVersion === 'TLSv1.2' ? ['-max-version', '771'] : [];

  test('a client says its number and answers with every bit turned', async () => {
    const answers: string[] = [];
    const runner = await Runner.listen(serving({ maxVersion } as TLSSocketOptions, answers));
    const result = await runShim([...runner.flags, ...tls12, '-expect-version', version]);
    expect([result, answers, runner.ids]).toEqual([OK, ['question'], [72623859790382856n]]);
  });

  test('a server does so, too', async () => {
    const answers: string[] = [];
    const runner = await Runner.listen((socket) =>
      asking(connectTls({ socket, maxVersion, rejectUnauthorized: false }), answers),
    );
    const result = await runShim([...runner.flags, ...asServer(), '-expect-version', version]);
    expect([result, answers]).toEqual([OK, ['question']]);
  });

  test('a server resumes as often as it is told', async () => {
    const answers: string[] = [];
    const reused: boolean[] = [];
    let session: Buffer | undefined;
    const runner = await Runner.listen((socket) => {
      const peer = connectTls({
        socket,
        maxVersion,
        rejectUnauthorized: false,
        ...(session ? { session } : {}),
      });
      peer.on('session', (ticket: Buffer) => {
        session = ticket;
      });
      peer.once('secureConnect', () => reused.push(peer.isSessionReused()));
      asking(peer, answers);
    });
    const result = await runShim([...runner.flags, ...asServer(), '-resume-count', '2']);
    expect([result, reused]).toEqual([OK, [false, true, true]]);
  });

  test('what is not as expected fails', async () => {
    const runner = await Runner.listen(serving({ maxVersion } as TLSSocketOptions, []));
    const result = await runShim([...runner.flags, '-expect-version', '770']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('version: expected 770');
  });
});

describe('a client that is to start falsely', () => {
  const flags = ['-max-version', '771', '-false-start', '-shim-writes-first', '-advertise-alpn', '\x01h'];

  test('greets before the server has finished', async () => {
    const received: string[] = [];
    const runner = await Runner.listen((socket) => {
      const [cert, key] = [readFileSync(identity.cert), readFileSync(identity.key)];
      const peer = new Tls(socket, { isServer: true, cert, key, ALPNProtocols: ['h'] });
      peer.on('data', (data) => {
        received.push(String(data));
        peer.end();
      });
    });
    expect(await runShim([...runner.flags, ...flags, '-expect-alpn', 'h'])).toEqual(OK);
    expect(received).toEqual(['hello']);
  });

  test('complains where it may not', async () => {
    const runner = await Runner.listen(serving({ maxVersion: 'TLSv1.2' }, []));
    const result = await runShim([...runner.flags, ...flags]);
    expect(result).toMatchObject({ code: 1, stderr: 'no false start took place\n' });
  });
});

test('no shared cipher suite has the name that config.json gives to it', async () => {
  const runner = await Runner.listen((socket) => {
    const ciphers = 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384';
    connectTls({ socket, maxVersion: 'TLSv1.2', ciphers }).on('error', () => socket.destroy());
  });
  const result = await runShim([...runner.flags, ...asServer(), '-cipher', 'AES128']);
  expect(result.code).toBe(1);
  const names = config.ErrorMap[':NO_SHARED_CIPHER:'];
  expect(names.some((name) => result.stderr.includes(name))).toBe(true);
  expect(result.stderr).toContain('handshake_failure');
});

test('no shared version has the name that config.json gives to it', async () => {
  const runner = await Runner.listen((socket) => {
    connectTls({ socket, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }).on(
      'error',
      () => socket.destroy(),
    );
  });
  const result = await runShim([...runner.flags, ...asServer(), '-min-version', '771']);
  expect(result.code).toBe(1);
  expect(config.ErrorMap[':UNSUPPORTED_PROTOCOL:'].some((name) => result.stderr.includes(name))).toBe(true);
});

describe('a warm shim', () => {
  const scratch = useScratch('bogo');
  const hasCompiler = spawnSync('cc', ['--version']).status === 0;

  async function warm(): Promise<string> {
    const path = scratch.path(`socket-${servers.length}-${process.hrtime.bigint()}`);
    const server = serveShim(path);
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return path;
  }

  test('speaks as it says', async () => {
    const socket = connect(await warm());
    const text = Buffer.from('-is-handshaker-supported\0');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    socket.write(length);
    socket.write(text);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const frames = [Buffer.from('o\x03\0\0\0No\n'), Buffer.from('x\x01\0\0\0\0')];
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat(frames));
  });

  test.skipIf(!hasCompiler)('is reached by the launcher [needs cc (apt-get install gcc)]', async () => {
    const socket = await warm();
    const launcher = scratch.path('launcher');
    const source = fileURLToPath(new URL('./launcher.c', import.meta.url));
    const built = spawnSync('cc', [`-DSOCKET_PATH="${socket}"`, '-Wall', '-Werror', '-o', launcher, source], {
      encoding: 'utf8',
    });
    expect(built.stderr).toBe('');
    const answers: string[] = [];
    const runner = await Runner.listen(serving({}, answers));
    expect(await launch(launcher, runner.flags)).toEqual(OK);
    expect(answers).toEqual(['question']);
    expect(await launch(launcher, ['-no-such-flag'])).toMatchObject({
      code: 89,
      stderr: expect.stringContaining('no-such-flag'),
    });
  });
});

const OK: ShimResult = { code: 0, stdout: '', stderr: '' };

function launch(program: string, argv: readonly string[]): Promise<ShimResult> {
  const child = spawn(program, argv);
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said.stderr += chunk;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, ...said })));
}

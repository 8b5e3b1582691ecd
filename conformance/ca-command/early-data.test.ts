import { beforeAll, expect, test } from 'vitest';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { Program } from '../interop/support/program.ts';
import { useScratch } from '../support/scratch.ts';
import { good, testudo, withBuild } from './program.ts';

// `testudo connect --early-data` against openssl s_server.

cleanUpAfterTests();

withBuild('openssl')('testudo connect --early-data', () => {
  const scratch = useScratch('early-data');
  const connect = (port: number, ...args: string[]) =>
    testudo(
      ...([
        scratch,
        ['connect', `localhost:${port}`, '--ca', 'data/ca.pem', '--session', 'session', ...args],
      ] as const),
    );
  const server = async (...args: string[]): Promise<[Program, number]> => {
    const [cert, key] = ['localhost.pem', 'localhost-key.pem'].map((name) => scratch.path(name)) as [
      string,
      string,
    ];
    const accept = ['s_server', '-accept', '127.0.0.1:0', '-cert', cert, '-key', key];
    const program = new Program('openssl', [...accept, ...args]);
    return [program, Number((await program.expect(/ACCEPT 127\.0\.0\.1:(\d+)/))[1])];
  };
  beforeAll(async () => {
    await good(scratch, 'ca', 'init');
    await good(scratch, 'ca', 'issue', 'localhost', '--out', '.');
    scratch.write('early', 'sent with the first flight');
  });

  test('arrives early at a server that takes it, and is said to', async () => {
    const [program, port] = await server('-early_data', '-no_anti_replay');
    expect((await connect(port, '--json')).code).toBe(0);
    const { code, err } = await connect(port, '--no-input', '--early-data', 'early');
    expect([code, err]).toEqual([0, expect.stringMatching(/early data +accepted: it arrived before/)]);
    // Otherwise it says that there was none; what came stands elsewhere in its output, which is buffered apart.
    await program.expect(/Early data received:[\s\S]*End of early data/);
    await program.expect(/sent with the first flight/);
  });

  test('arrives late, and once, at one that does not', async () => {
    const [program, port] = await server();
    expect((await connect(port, '--json')).code).toBe(0);
    const { out } = await connect(port, '--json', '--early-data', 'early');
    expect(JSON.parse(out)).toMatchObject({ ok: true, resumed: true, earlyData: 'late' });
    await program.expect(/sent with the first flight/);
    expect(program.output.match(/sent with the first flight/g)).toHaveLength(1);
    expect(program.output).not.toMatch(/Early data received/);
  });

  test('longer than the server takes goes late as a whole', async () => {
    scratch.write('long', 'x'.repeat(1000));
    const [program, port] = await server('-early_data', '-no_anti_replay', '-max_early_data', '100');
    expect((await connect(port, '--json')).code).toBe(0);
    const { out } = await connect(port, '--json', '--early-data', 'long');
    expect(JSON.parse(out)).toMatchObject({ ok: true, resumed: true, earlyData: 'late' });
    await program.expect(/x{1000}/);
  });
});

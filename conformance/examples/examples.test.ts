import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { Identities, type Identity } from '../interop/support/identities.ts';
import { sServer } from '../interop/support/openssl.ts';
import { Program } from '../interop/support/program.ts';
import { type ProgramName, testWithPrograms } from '../support/programs.ts';

// Each program in examples/, as a reader starts it; and what it tells the reader to try, with the programs that it names.

cleanUpAfterTests();

let folder = '';
let identities: Identities;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'testudo-examples-'));
  cleanUp(() => rmSync(folder, { recursive: true }));
  identities = new Identities();
});

/** An example that runs. It uses what was built, and its files come into a folder of ours. */
function start(name: string, ...args: readonly string[]): Program {
  const env = { ...process.env, TMPDIR: folder, PORT: '0' };
  return new Program({ path: process.execPath }, [resolve('examples', `${name}.mjs`), ...args], { env });
}

/** Runs a command that an example has printed: its exit status and what it says. */
async function attempt(
  command: string,
  ...more: readonly string[]
): Promise<{ status: number | null; said: string }> {
  const [program = '', ...args] = command.replace(/ +#.*/, '').split(' ');
  // No proxy stands between programs on one machine.
  const quiet = program === 'curl' ? ['--silent', '--show-error', '--noproxy', '*'] : [];
  const running = new Program(program as ProgramName, [...args, ...quiet, ...more], {
    stopSignal: 'SIGTERM',
  });
  const status = await running.exit();
  return { status, said: running.output };
}

/** The commands of an example, once it has printed so many. */
async function commandsOf(example: Program, program: string, count: number): Promise<string[]> {
  const lines = new RegExp(`(?:^${program} .*\\n[sS]*?){${count}}`, 'm');
  const [text] = await example.expect(lines);
  return text.split('\n').filter((line) => line.startsWith(`${program} `));
}

testWithPrograms('curl', 'openssl')(
  'server: curl gets a page, and nobody who does not know the CA',
  async () => {
    const [command = ''] = await commandsOf(start('server'), 'curl', 1);
    expect(await attempt(command)).toEqual({ status: 0, said: 'You asked for /hello over TLSv1.3.\n' });
    expect(await attempt(command, '--tls-max', '1.2')).toEqual({
      status: 0,
      said: 'You asked for /hello over TLSv1.2.\n',
    });
    // 60: the certificate is not trusted.
    expect((await attempt(command.replace(/--cacert \S+/, `--cacert ${identities.ca}`))).status).toBe(60);
  },
);

describe('client', () => {
  testWithPrograms('openssl')('shows what was agreed on with OpenSSL, and its page', async () => {
    const { port } = await sServer(identities.server(), '-www', '-tls1_3');
    const client = start('client', `localhost:${port}`, identities.ca);
    expect(await client.exit()).toBe(0);
    expect(client.output).toMatch(
      /^TLSv1\.3 with TLS_AES_\w+\nThis is localhost, says Interop intermediate,/,
    );
    expect(client.output).toContain('HTTP/1.0 200 ok');
  });

  testWithPrograms('openssl')('asks nothing of a server whose CA it does not know', async () => {
    await isRefused(identities.server(), new Identities('Another').ca, /^[A-Z_]*UNABLE_TO[A-Z_]+: /);
  });

  testWithPrograms('openssl')('asks nothing of a server with another name', async () => {
    const identity = identities.server('P-256', { names: ['example.org'] });
    await isRefused(identity, identities.ca, /^ERR_TLS_CERT_ALTNAME_INVALID: /);
  });

  async function isRefused(identity: Identity, ca: string, error: RegExp): Promise<void> {
    const { program, port } = await sServer(identity);
    const client = start('client', `localhost:${port}`, ca);
    expect(await client.exit()).toBe(1);
    expect(client.output).toMatch(error);
    expect(program.output).not.toContain('GET /');
  }
});

testWithPrograms('curl')('mtls: only who shows a certificate is greeted, by name', async () => {
  const server = start('mtls');
  const [known = '', unknown = ''] = await commandsOf(server, 'curl', 2);
  expect(await attempt(known)).toEqual({ status: 0, said: 'Hello, alice.example.\n' });
  for (const version of ['1.2', '1.3']) {
    const { status, said } = await attempt(unknown, '--tls-max', version);
    expect(status).not.toBe(0);
    expect(said).not.toContain('Hello');
  }
  await server.expect(/(?:refused: ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE\n){2}/);
  const { cert, key } = identities.client();
  const stranger = unknown.replace('curl', `curl --cert ${cert} --key ${key}`);
  expect((await attempt(stranger)).said).not.toContain('Hello');
});

testWithPrograms('curl')('sni: each name has its certificate, and others have none', async () => {
  const server = start('sni');
  const [www = '', shop = '', other = ''] = await commandsOf(server, 'curl', 3);
  expect(await attempt(www)).toEqual({ status: 0, said: 'This is www.example.\n' });
  expect(await attempt(shop)).toEqual({ status: 0, said: 'This is shop.example.\n' });
  const { status } = await attempt(other);
  expect(status).toBe(35);
  await server.expect(/refused: no certificate for other\.example/);
});

testWithPrograms('openssl')(
  'session-store: each server resumes what the other began, with and without tickets',
  async () => {
    const commands = await commandsOf(start('session-store'), 'openssl', 2);
    const [one = '', two = ''] = commands.map((command) => command.replace(' -quiet', ' -ign_eof'));
    for (const options of [['-tls1_3'], ['-tls1_2'], ['-tls1_2', '-no_ticket']]) {
      const kept = join(folder, `session${options.join('')}`);
      const first = await attempt(one, ...options, '-sess_out', kept);
      expect(first.said).toContain('one: we have not met');
      const second = await attempt(two, ...options, '-sess_in', kept);
      expect(second.said, options.join(' ')).toContain('two: I know you');
      expect(second.said).toMatch(/^Reused, /m);
    }
  },
);

describe('web-streams', () => {
  testWithPrograms('openssl')('gets a page from OpenSSL, with cryptography in JavaScript', async () => {
    const { port } = await sServer(identities.server(), '-www', '-tls1_3');
    const client = start('web-streams', 'localhost', String(port), identities.ca);
    expect(await client.exit()).toBe(0);
    expect(client.output).toMatch(/^TLSv1\.3 with TLS_\w+\nHTTP\/1\.0 200 ok/);
  });

  testWithPrograms('openssl')('names what is wrong with a server', async () => {
    const { port } = await sServer(identities.server(), '-www');
    const client = start('web-streams', 'localhost', String(port), new Identities('Another').ca);
    expect(await client.exit()).toBe(1);
    expect(client.output).toMatch(/^unknown-ca: /);
  });
});

testWithPrograms('curl')('gateway: the service is behind TLS 1.3, and the end is a good one', async () => {
  const gateway = start('gateway');
  const [, port] = await gateway.expect(/web +https:\/\/127\.0\.0\.1:(\d+)/);
  const [, ca] = await gateway.expect(/local CA.*: (\S+ca\.pem)/);
  const command = `curl --include --cacert ${ca} https://localhost:${port}/`;
  const { status, said } = await attempt(command);
  expect(status).toBe(0);
  expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*strict-transport-security: max-age=86400\r\n/i);
  expect(said).toMatch(new RegExp(`\\nhttps for localhost:${port}\\n$`));
  expect((await attempt(command, '--tls-max', '1.2')).status).toBe(35);
});

testWithPrograms('openssl')('custom-ca: OpenSSL thinks the same of both certificates', async () => {
  const at = join(folder, 'ca');
  const example = start('custom-ca', at);
  expect(await example.exit()).toBe(0);
  expect(example.output).toMatch(/^www\.corp\.example: good\nwww\.elsewhere\.example: name-constraint\n/);
  const [command = ''] = await commandsOf(example, 'openssl', 1);
  expect(await attempt(command)).toEqual({ status: 0, said: `${at}/www.corp.example.pem: OK\n` });
  const wrong = await attempt(command.replaceAll('www.corp', 'www.elsewhere'));
  expect(wrong.status).not.toBe(0);
  expect(wrong.said).toContain('permitted subtree violation');
  expect(readdirSync(at).filter((name) => name.endsWith('.key'))).toHaveLength(3);
});

test('each example is short, begins by saying what it is, and is in the README', () => {
  const readme = readFileSync('README.md', 'utf8');
  const names = readdirSync('examples').filter((name) => name.endsWith('.mjs'));
  expect(names).toHaveLength(8);
  for (const name of names) {
    const lines = readFileSync(join('examples', name), 'utf8').split('\n');
    expect(lines.length, name).toBeLessThan(80);
    expect(lines.slice(0, 2), name).toEqual(['// @ts-check', expect.stringMatching(/^\/\/ [A-Z]/)]);
    expect(lines.join('\n')).toContain(`node examples/${name}`);
    expect(readme).toContain(`](examples/${name})`);
  }
});

import { beforeAll, describe, expect, test } from 'vitest';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { Identities, type Identity } from '../interop/support/identities.ts';
import { type Mode, runApp } from './support/run.ts';

// Libraries for the web, as they come from the npm registry. Both ends are in one program: on our engine, both.

cleanUpAfterTests();

let identity: Identity;
let client: Identity;
let ca: string;
beforeAll(() => {
  const identities = new Identities('Programs');
  identity = identities.server('P-256', { names: ['localhost'] });
  client = identities.client();
  ca = identities.ca;
});

const MODES: readonly Mode[] = ['register', 'import'];

async function results(name: string, mode: Mode, allowed = 0): Promise<Readonly<Record<string, unknown>>> {
  const run = await runApp(name, mode, { identity, ca });
  expect(run.ours).toBeGreaterThan(0);
  expect(run.nodes).toBe(allowed);
  return run.results;
}

describe.each(MODES)('by %s', (mode) => {
  const registered = mode === 'register';

  test('express', async () => {
    expect(await results('express', mode)).toEqual({
      root: { secure: true, protocol: 'https', tls: 'TLSv1.3' },
      big: 2_000_000,
      ...(registered ? { echo: [201, { hello: 'world' }] } : {}),
    });
  });

  test('fastify', async () => {
    expect(await results('fastify', mode)).toEqual({
      http1: { version: '1.1', tls: true },
      ...(registered ? { fallback: { version: '1.1', tls: true }, http2: { hello: 'world' } } : {}),
    });
  });

  test('undici', async () => {
    expect(await results('undici', mode)).toEqual({
      fetch: true,
      request: 'hello',
      ...(registered ? { http2: '2.0' } : {}),
    });
  });

  test('axios', async () => {
    expect(await results('axios', mode)).toEqual({
      get: { hello: 'world' },
      redirect: { hello: 'world' },
      post: 300_000,
      'wrong name': 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('got', async () => {
    // It makes a socket of Node's only to look at how Node wraps streams.
    expect(await results('got', mode, registered ? 0 : 1)).toEqual({
      get: { version: '1.1' },
      'wrong name': 'ERR_TLS_CERT_ALTNAME_INVALID',
      ...(registered ? { http2: { version: '2.0' }, fallback: { version: '1.1' } } : {}),
    });
  });

  test('ws', async () => {
    expect(await results('ws', mode)).toEqual({ text: 'hello', binary: 1_000_000, close: 4000 });
  });
});

// These open their connections themselves, so there is no way to bring one of ours but register.

test.each(['round-robin', 'none'])(
  'workers of node:cluster share tickets: scheduling %s',
  async (SCHEDULING) => {
    const run = (mode: Mode) => runApp('cluster', mode, { identity, ca, env: { SCHEDULING } });
    const { results: theirs } = await run('node');
    const { results: ours, nodes } = await run('register');
    expect(Object.keys(theirs)).toHaveLength(6);
    expect(theirs['tls TLSv1.3']).toEqual({ others: true, reused: [true, true, true] });
    expect(ours).toEqual(theirs);
    expect(nodes).toBe(0);
  },
);

test('grpc-js, whose server knows who its client is', async () => {
  const env = { TLS_CA: ca, TLS_CLIENT_CERT: client.cert, TLS_CLIENT_KEY: client.key };
  const [own, nodes] = await Promise.all([
    runApp('grpc', 'register', { identity, ca, env }),
    runApp('grpc', 'node', { identity, ca, env }),
  ]);
  expect(own).toMatchObject({ ours: 2, nodes: 0 });
  expect(own.results).toEqual(nodes.results);
  expect(own.results).toEqual({ unary: 'hello', large: 1_000_000, stream: 500, identity: 'ssl somebody' });
});

test.each(MODES)('nodemailer and smtp-server by %s', async (mode) => {
  const registered = mode === 'register';
  // smtp-server knows of its own TLS only, and by import there is another server before it.
  const delivered = (name: string) => [['b@example.org'], registered, name];
  expect(await results('nodemailer', mode)).toEqual({
    ...(registered ? { STARTTLS: delivered('STARTTLS') } : {}),
    SMTPS: delivered('SMTPS'),
  });
});

// What a program in CommonJS took before ours came is on ours all the same, but for the functions of node:tls themselves.

test.each([
  ['require() in the middle of it', {}],
  ['--require', { REGISTERED: 'yes', NODE_OPTIONS: '--require @testudo/tls/register' }],
])('CommonJS by %s', async (_how, env) => {
  const run = await runApp('commonjs.cjs', 'import', { identity, ca, env });
  expect(run.results).toEqual({
    server: true,
    client: true,
    get: 'hello',
    http2: '2.0 h2',
    // From Node 26 it offers HTTP/2.
    fetch: expect.stringMatching(/^1\.1 http\/1\.1$|^2\.0 h2$/),
    held: 'REGISTERED' in env,
    found: true,
  });
  expect(run.nodes).toBe(0);
});

import { constants } from 'node:crypto';
import { connect as connectNet, createServer as createNetServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import tls, { type ConnectionOptions, type TlsOptions } from './index.ts';
import { closeAll, connected, issue, listen, nodes, ours, type Tls, track } from './testing/support.ts';

afterEach(closeAll);

const { SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_3 } = constants;
const LEVEL_0 = { ciphers: 'DEFAULT@SECLEVEL=0' };
const identity = issue();

/** Old versions alone, without level 0. */
const isOldOnly = (options: { maxVersion?: string; secureProtocol?: string; ciphers?: string }): boolean =>
  !options.ciphers?.includes('SECLEVEL=0') &&
  (/^TLSv1(\.1)?$/.test(options.maxVersion ?? '') ||
    /^TLSv1(_1)?_method$/.test(options.secureProtocol ?? ''));

/** What becomes of it: the version, or each side's error. */
async function outcome(of: Tls, server: object, client: object): Promise<Readonly<Record<string, unknown>>> {
  const seen: Record<string, unknown> = {};
  const listening = of.createServer({ ...identity, ...server } as TlsOptions);
  const told = new Promise<void>((resolve) => {
    listening.on('tlsClientError', (error) => {
      seen['server'] = (error as { code?: string }).code;
      resolve();
    });
    listening.on('secureConnection', (socket) => {
      seen['server'] = socket.getProtocol();
      socket.on('error', () => {}).end();
      resolve();
    });
  });
  const port = await listen(listening);
  const socket = track(of.connect({ port, rejectUnauthorized: false, ...client } as ConnectionOptions));
  socket.on('secureConnect', () => {
    seen['client'] = socket.getProtocol();
  });
  socket.on('error', (error) => {
    seen['client'] = (error as { code?: string }).code;
  });
  socket.resume();
  await Promise.all([told, new Promise((resolve) => socket.on('close', resolve))]);
  return { ...seen, afterwards: [socket.getProtocol(), socket.getCipher(), socket.getEphemeralKeyInfo()] };
}

describe('versions have the outcome that they have in Node', () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' };
  test.each<[object, object]>([
    [{}, {}],
    [{}, { maxVersion: 'TLSv1.1' }],
    [{}, old],
    [old, {}],
    [{}, { ...old, ...LEVEL_0 }],
    [{ ...old, ...LEVEL_0 }, {}],
    [{ ...old, ...LEVEL_0 }, { maxVersion: 'TLSv1.2' }],
    [
      { ...old, ...LEVEL_0 },
      { ...LEVEL_0, minVersion: 'TLSv1' },
    ],
    [{ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
    [{ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }],
    [{ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, {}],
    [{}, { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }],
    [{}, { ciphers: 'TLS_AES_128_GCM_SHA256', maxVersion: 'TLSv1.2' }],
    [{ ciphers: 'TLS_AES_128_GCM_SHA256', maxVersion: 'TLSv1.2' }, {}],
    [{}, { ...old, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256@SECLEVEL=0' }],
    [{}, { secureOptions: SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3 }],
    [{}, { secureOptions: SSL_OP_NO_TLSv1_2 }],
    [{}, { ...LEVEL_0, secureOptions: SSL_OP_NO_TLSv1_2, minVersion: 'TLSv1' }],
    [{}, { secureProtocol: 'TLSv1_method' }],
    [{ secureProtocol: 'TLSv1_1_method' }, { secureProtocol: 'SSLv23_method' }],
    [{ secureProtocol: 'TLSv1_1_method', ...LEVEL_0 }, { secureProtocol: 'SSLv23_method' }],
    [{ secureProtocol: 'TLSv1_2_method' }, { secureProtocol: 'TLS_method' }],
    [
      { secureProtocol: 'SSLv23_method', ...LEVEL_0 },
      { secureProtocol: 'TLSv1_1_method', ...LEVEL_0 },
    ],
    [
      { secureProtocol: 'TLS_method', ...LEVEL_0 },
      { secureProtocol: 'TLSv1_1_method', ...LEVEL_0 },
    ],
  ])('server %o, client %o', async (server, client) => {
    // OpenSSL 3.0 offers old versions at any level, and then finds no signature for them.
    if (process.versions.openssl.startsWith('3.0.') && [server, client].some(isOldOnly)) return;
    expect(await outcome(ours, server, client)).toEqual(await outcome(nodes, server, client));
  });
});

test.each(['I was waiting for you', 'HTTP/1.1 200 OK', '220 hello there', '\0\0\0\0\0\0'])(
  'a server that answers %o is no TLS server, in the words of the OpenSSL that runs',
  async (answer) => {
    const told = async (of: Tls): Promise<unknown> => {
      const server = createNetServer((socket) =>
        socket.on('error', () => {}).once('data', () => socket.end(answer)),
      );
      const client = track(of.connect({ port: await listen(server) }));
      return new Promise((resolve) =>
        client.on('error', (error) => resolve((error as { code?: string }).code)),
      );
    };
    expect(await told(ours)).toBe(await told(nodes));
  },
);

test.each([
  ['an alert', [21, 3, 3, 0, 2, 2, 70]],
  ['no TLS', [0x49, 0x20, 0x77, 0x61, 0x73, 1]],
])('a client that begins with %s', async (_name, bytes) => {
  const told = async (of: Tls): Promise<unknown> => {
    const server = of.createServer(identity);
    const error = new Promise((resolve) => {
      server.on('tlsClientError', (problem) => resolve((problem as { code?: string }).code));
    });
    const socket = track(connectNet({ port: await listen(server), host: '127.0.0.1' }));
    socket.on('error', () => {}).write(Buffer.from(bytes));
    return error;
  };
  expect(await told(ours)).toBe(await told(nodes));
});

describe('lists of ciphers', () => {
  test.each([
    ':',
    '::',
    ' ',
    'NOSUCH',
    'NOSUCH:AES128-GCM-SHA256',
    'AECDH-NULL-SHA',
    'NULL-SHA256',
    'RC4-SHA',
    '',
    'RC4',
    'aNULL',
    'ADH',
    'AECDH+AES',
    'eNULL@SECLEVEL=0',
    'NULL',
    'COMPLEMENTOFALL',
    'aDSS',
    'DHE+aNULL',
    'SRP',
    '!aNULL',
    'AESCCM8',
    'AES128-SHA@SECLEVEL=5',
    'AES128-SHA:!AES128-SHA',
  ])('%o makes a context or not, as in Node', (ciphers) => {
    const made = (of: Tls): unknown => {
      try {
        of.createSecureContext({ ciphers });
        return 'made';
      } catch (error) {
        return [(error as { code?: string }).code, (error as Error).message];
      }
    };
    expect(made(ours)).toEqual(made(nodes));
  });

  test('who replaces createSecureContext sees the default, and what is missing is said afterwards', () => {
    const { createSecureContext, DEFAULT_CIPHERS } = tls;
    let seen: unknown;
    tls.createSecureContext = ((options: { ciphers?: string }) => {
      seen = options.ciphers;
      throw new Error('enough');
    }) as never;
    try {
      expect(() => tls.connect({})).toThrow('enough');
      expect(seen).toBe(DEFAULT_CIPHERS);
    } finally {
      tls.createSecureContext = createSecureContext;
    }
    expect(() => tls.connect({})).toThrow(expect.objectContaining({ code: 'ERR_MISSING_ARGS' }));
  });
});

test.each([
  ['RSA-PSS+SHA384', 'RSA-PSS+SHA384'],
  ['RSA-PSS+SHA256:RSA-PSS+SHA512:ECDSA+SHA256', 'RSA-PSS+SHA256:ECDSA+SHA256'],
  ['ECDSA+SHA256:RSA+SHA256:rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha256:ECDSA+SHA256'],
])('sigalgs %s and %s have the same in common', async (client, server) => {
  const rsa = issue({ key: { type: 'rsa', bits: 2048 } });
  const shared = async (of: Tls): Promise<string[]> => {
    const options = { sigalgs: server, ...rsa };
    const { accepted } = await connected(of, of, options, { sigalgs: client });
    return accepted.getSharedSigalgs();
  };
  expect(await shared(ours)).toEqual(await shared(nodes));
});

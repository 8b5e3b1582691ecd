import { once } from 'node:events';
import { connect as netConnect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NODE_MAJOR } from './running-node.ts';
import { ca, closeAll, nodes, ours, serverIdentity, type Tls, track } from './testing/support.ts';

// Node tests each option in its own way: by truth, for undefined, for its type. Programs pass whatever their own callers left out.

afterEach(closeAll);

const FALSY: readonly unknown[] = [undefined, null, false, 0, '', Number.NaN, 0n];
const WRONG: readonly unknown[] = [true, 1, 'x', {}, [], () => {}];
const VALUES = [...FALSY, ...WRONG];

const CONTEXT = [
  ...[
    'ALPNProtocols',
    'allowPartialTrustChain',
    'ca',
    'cert',
    'ciphers',
    'clientCertEngine',
    'crl',
    'dhparam',
  ],
  ...[
    'ecdhCurve',
    'honorCipherOrder',
    'key',
    'maxVersion',
    'minVersion',
    'passphrase',
    'pfx',
    'privateKeyEngine',
  ],
  ...[
    'privateKeyIdentifier',
    'secureOptions',
    'secureProtocol',
    'sessionIdContext',
    'sessionTimeout',
    'sigalgs',
  ],
  ...['ticketKeys', 'certificateCompression'],
];
const CONNECTION = [
  ...[
    'servername',
    'session',
    'rejectUnauthorized',
    'requestOCSP',
    'checkServerIdentity',
    'minDHSize',
    'enableTrace',
  ],
  ...[
    'pskCallback',
    'secureContext',
    'highWaterMark',
    'allowHalfOpen',
    'timeout',
    'signal',
    'onread',
    'socket',
  ],
  ...[
    'SNICallback',
    'ALPNCallback',
    'isServer',
    'requestCert',
    'keepAlive',
    'keepAliveInitialDelay',
    'noDelay',
    'lookup',
  ],
  ...[
    'family',
    'localAddress',
    'localPort',
    'hints',
    'autoSelectFamily',
    'path',
    'singleUse',
    'server',
    'handshakeTimeout',
  ],
];
const SERVER = [
  ...['SNICallback', 'ALPNCallback', 'requestCert', 'rejectUnauthorized', 'pskCallback', 'pskIdentityHint'],
  ...[
    'handshakeTimeout',
    'enableTrace',
    'secureContext',
    'allowHalfOpen',
    'pauseOnConnect',
    'noDelay',
    'keepAlive',
  ],
  ...['keepAliveInitialDelay', 'highWaterMark', 'requestOCSP', 'session', 'ticketKeys', 'sessionTimeout'],
];

type Outcome =
  | { readonly code?: string | undefined; readonly message?: string; readonly name?: string }
  | string;

function said(error: unknown): Outcome {
  const { code, message, name } = error as Error & { code?: string };
  // Numbers of OpenSSL, and names of properties in V8's words, are not ours.
  return { code, message: code === undefined ? '' : message, name };
}

let port: number;
let server: ReturnType<Tls['createServer']>;
beforeAll(async () => {
  server = nodes.createServer(serverIdentity, (socket) => socket.on('error', () => {}).end('x'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

async function becomes(make: () => Duplex, event: string): Promise<Outcome> {
  let socket: Duplex;
  try {
    socket = track(make());
  } catch (error) {
    return said(error);
  }
  try {
    const timer = setTimeout(
      () => socket.destroy(Object.assign(new Error('nothing'), { code: 'NOTHING' })),
      700,
    );
    await once(socket, event);
    clearTimeout(timer);
    socket.on('error', () => {});
    return 'secure';
  } catch (error) {
    return said(error);
  }
}

/** Where we do otherwise, or Node does something that nobody can want. */
const LEFT_OUT: readonly (readonly [string, (value: unknown) => boolean])[] = [
  // Engines of OpenSSL are not to be had, which has an error of its own.
  ['clientCertEngine', (value) => typeof value === 'string'],
  // Older versions of Node do not have it.
  ['certificateCompression', () => !('getCertificateCompressionAlgorithms' in nodes && NODE_MAJOR >= 24)],
  // Given, and undefined: Node fails, and before Node 22 says that it has a bug.
  ['checkServerIdentity', (value) => NODE_MAJOR < 22 || value === undefined || value === null],
  ['minDHSize', (value) => NODE_MAJOR < 22 || value === undefined || Number.isNaN(value)],
  // Node 26 takes it, and then has no groups.
  ['ecdhCurve', (value) => value === '' && NODE_MAJOR >= 22],
  // Node fails somewhere inside, in V8's words.
  ['socket', (value) => Boolean(value)],
  // Depends on who runs it.
  ['localPort', (value) => value === 1],
  // Sessions of Node's are not ours.
  ['session', (value) => value === 'x'],
];

const cases = (names: readonly string[]): (readonly [string, unknown])[] =>
  names
    .flatMap((name) => VALUES.map((value) => [name, value] as const))
    .filter(([name, value]) => !LEFT_OUT.some(([left, isLeft]) => left === name && isLeft(value)));

function thrown(act: () => unknown): Outcome {
  try {
    act();
    return 'taken';
  } catch (error) {
    return said(error);
  }
}

describe('createSecureContext', () => {
  test.each(cases(CONTEXT))('%s: %o', (name, value) => {
    const options = { [name]: value };
    expect(thrown(() => ours.createSecureContext(options))).toEqual(
      thrown(() => nodes.createSecureContext(options)),
    );
  });
});

describe('createServer', () => {
  // What is no ALPNCallback kills Node with the first connection; ours says so at once.
  const all = cases([...CONTEXT, ...SERVER]).filter(([name, value]) => name !== 'ALPNCallback' || !value);

  test.each(all)('%s: %o', (name, value) => {
    const options = { ...serverIdentity, [name]: value } as object;
    const make = (tls: Tls) => () => {
      const { requestCert, rejectUnauthorized } = tls.createServer(options) as never;
      return { requestCert, rejectUnauthorized };
    };
    expect(thrown(make(ours))).toEqual(thrown(make(nodes)));
  });
});

describe('connect', () => {
  test.each(cases([...CONTEXT, ...CONNECTION]))('%s: %o', async (name, value) => {
    const options = { port, host: '127.0.0.1', servername: 'localhost', ca, [name]: value } as object;
    const theirs = await becomes(() => nodes.connect(options) as never, 'secureConnect');
    expect(await becomes(() => ours.connect(options) as never, 'secureConnect')).toEqual(theirs);
  });
});

describe('new TLSSocket', () => {
  // Other values can end the process in Node.
  const falsy = cases([...CONTEXT, ...CONNECTION]).filter(
    ([name, value]) => !value && name !== 'keepAliveInitialDelay',
  );

  test.each(falsy)('%s: %o', async (name, value) => {
    const options = { isServer: false, [name]: value } as object;
    const theirs = thrown(() => new nodes.TLSSocket(new Socket(), options));
    const raw = track(netConnect(port, '127.0.0.1'));
    await once(raw, 'connect');
    const own = await becomes(() => {
      const socket = new ours.TLSSocket(raw, options);
      (socket as unknown as { _start(): void })._start();
      return socket as never;
    }, 'secure');
    expect(own).toEqual(theirs === 'taken' ? 'secure' : theirs);
  });
});

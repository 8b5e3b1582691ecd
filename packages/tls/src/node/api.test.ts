import http2 from 'node:http2';
import https from 'node:https';
import type { Server as NetServer } from 'node:net';
import { Duplex } from 'node:stream';
import nodeTls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import ourHttp2 from './http2.ts';
import ourHttps from './https.ts';
import tls from './index.ts';
import { MISSING_MEMBERS } from './testing/missing.ts';
import { closeAll, connected, nodes, ours } from './testing/support.ts';

afterEach(closeAll);

/** Where ours takes more or fewer arguments by declaration, and why. */
const ARITIES: Readonly<Record<string, string>> = {
  'tls.SecureContext': 'takes the options; Node\u2019s takes what createSecureContext makes of them',
};

const PAIRS: readonly (readonly [string, object, object])[] = [
  ['tls', nodeTls, tls],
  ['tls.Server.prototype', nodeTls.Server.prototype, tls.Server.prototype],
  ['tls.TLSSocket.prototype', nodeTls.TLSSocket.prototype, tls.TLSSocket.prototype],
  ['https', https, ourHttps],
  ['https.Agent.prototype', https.Agent.prototype, ourHttps.Agent.prototype],
  ['https.Server.prototype', https.Server.prototype, ourHttps.Server.prototype],
  ['http2', http2, ourHttp2],
];

describe.each(PAIRS)('%s', (name, theirs, own) => {
  const differences = MISSING_MEMBERS[name] ?? {};
  const members = Object.getOwnPropertyNames(theirs).filter((member) => member !== 'constructor');

  test('every member is there, and of the same kind', () => {
    for (const member of members) {
      if (member in differences) continue;
      expect(member in own, `${name}.${member}`).toBe(true);
      expect(typeof read(own, member), `${name}.${member}`).toBe(typeof read(theirs, member));
    }
  });

  test('functions declare as many parameters, or optional ones', () => {
    for (const member of members) {
      const [a, b] = [read(theirs, member), read(own, member)];
      if (typeof a !== 'function' || typeof b !== 'function' || `${name}.${member}` in ARITIES) continue;
      // Fewer only means that the others have defaults or are told apart inside.
      expect(b.length, `${name}.${member}`).toBeLessThanOrEqual(Math.max(a.length, 2));
    }
  });

  test('no difference is listed that is none', () => {
    for (const member of Object.keys(differences)) {
      if (member in theirs) expect(member in own, `${name}.${member}`).toBe(false);
    }
  });
});

test('properties of sockets and servers are there, connected and before', async () => {
  const hidden = new Set([
    '_securePending',
    '_newSessionPending',
    '_controlReleased',
    '_SNICallback',
    'ssl',
    ...['_pendingData', '_pendingEncoding', '_sockname', '_closeAfterHandlingError', '_peername', 'timeout'],
  ]);
  const [own, theirs] = [await connected(ours, ours), await connected(nodes, nodes)];
  for (const end of ['client', 'accepted'] as const) {
    const documented = Object.getOwnPropertyNames(theirs[end]).filter((name) => !hidden.has(name));
    for (const name of documented) expect(name in own[end], `${end}.${name}`).toBe(true);
    for (const name of ['authorized', 'alpnProtocol', 'encrypted', 'connecting', 'readyState'] as const) {
      expect(own[end][name], `${end}.${name}`).toEqual(theirs[end][name]);
    }
  }
});

describe('the same call gives the same error', () => {
  type Module = typeof tls;
  const key = 'key';
  const calls: readonly (readonly [string, (module: Module) => unknown])[] = [
    ...(
      ['ciphers', 'ecdhCurve', 'sigalgs', 'key', 'cert', 'ca', 'crl', 'dhparam', 'sessionIdContext'] as const
    ).map(
      (option) =>
        [
          `createSecureContext({ ${option}: 1 })`,
          (m: Module) => m.createSecureContext({ [option]: 1 }),
        ] as const,
    ),
    ['passphrase', (m) => m.createSecureContext({ passphrase: 1 as never, key })],
    ['sessionTimeout of text', (m) => m.createSecureContext({ sessionTimeout: 'x' as never })],
    ['sessionTimeout below zero', (m) => m.createSecureContext({ sessionTimeout: -1 })],
    ['ticketKeys of text', (m) => m.createSecureContext({ ticketKeys: 'x' as never })],
    ['ticketKeys too short', (m) => m.createSecureContext({ ticketKeys: Buffer.alloc(2) })],
    ['secureOptions', (m) => m.createSecureContext({ secureOptions: 'x' as never })],
    ['no such cipher', (m) => m.createSecureContext({ ciphers: 'x' })],
    ['no such curve', (m) => m.createSecureContext({ ecdhCurve: 'x' })],
    ['empty sigalgs', (m) => m.createSecureContext({ sigalgs: '' })],
    ['minVersion', (m) => m.createSecureContext({ minVersion: 'x' as never })],
    ['secureProtocol', (m) => m.createSecureContext({ secureProtocol: 'x' })],
    ['SSLv3', (m) => m.createSecureContext({ secureProtocol: 'SSLv3_method' })],
    ['key without PEM', (m) => m.createSecureContext({ key: 'x' })],
    ['cert without PEM', (m) => m.createSecureContext({ cert: 'x' })],
    ['conflict', (m) => m.createSecureContext({ secureProtocol: 'TLS_method', minVersion: 'TLSv1.2' })],
    ['createServer(1)', (m) => m.createServer(1 as never)],
    ['handshakeTimeout', (m) => m.createServer({ handshakeTimeout: 'x' as never })],
    ['server sessionTimeout', (m) => m.createServer({ sessionTimeout: 'x' as never })],
    ['SNICallback', (m) => m.createServer({ SNICallback: 1 as never })],
    ['pskCallback', (m) => m.createServer({ pskCallback: 1 } as never)],
    ['pskIdentityHint', (m) => m.createServer({ pskIdentityHint: 1 } as never)],
    ['ALPN twice', (m) => m.createServer({ ALPNProtocols: ['x'], ALPNCallback: () => undefined })],
    ['ALPN too long', (m) => m.createServer({ ALPNProtocols: ['x'.repeat(300)] })],
    ['setTicketKeys(1)', (m) => m.createServer().setTicketKeys(1 as never)],
    ['addContext()', (m) => m.createServer().addContext('', {})],
    ['setSecureContext()', (m) => m.createServer().setSecureContext(undefined as never)],
    ['connect()', (m) => m.connect({} as never)],
    ['connect to no port', (m) => m.connect({ port: 'x' as never })],
    ['setServername(1)', (m) => new m.TLSSocket().setServername(1 as never)],
    ['setMaxSendFragment', (m) => new m.TLSSocket().setMaxSendFragment('x' as never)],
    ['renegotiate(1)', (m) => new m.TLSSocket().renegotiate(1 as never, () => {})],
    ['renegotiate({}, 1)', (m) => new m.TLSSocket().renegotiate({}, 1 as never)],
    ['exportKeyingMaterial length', (m) => new m.TLSSocket().exportKeyingMaterial('x' as never, 'x')],
    ['exportKeyingMaterial zero', (m) => new m.TLSSocket().exportKeyingMaterial(0, 'x')],
    ['exportKeyingMaterial label', (m) => new m.TLSSocket().exportKeyingMaterial(1, undefined as never)],
    ['exportKeyingMaterial context', (m) => new m.TLSSocket().exportKeyingMaterial(1, 'x', 1 as never)],
    ['exportKeyingMaterial early', (m) => new m.TLSSocket().exportKeyingMaterial(1, 'x')],
    ['connect with enableTrace', (m) => m.connect({ port: 1, enableTrace: 'x' as never })],
    ['secureOptions that are no integer', (m) => m.createSecureContext({ secureOptions: 1.5 })],
    ['short DH parameters', (m) => m.createSecureContext({ dhparam: 1 as never })],
    ['clientCertEngine', (m) => m.createSecureContext({ clientCertEngine: 1 as never })],
    ['a cipher command', (m) => m.createSecureContext({ ciphers: 'ALL:@X' })],
    ['setServername on a server', (m) => new m.TLSSocket(undefined, { isServer: true }).setServername('x')],
    ['setSession(1)', (m) => new m.TLSSocket().setSession(1 as never)],
  ];

  type Failure = { readonly code?: string; readonly name: string; readonly message: string };

  const failure = (call: (module: Module) => unknown, module: unknown): Failure | undefined => {
    try {
      call(module as Module);
      return undefined;
    } catch (error) {
      const { code, name, message } = error as NodeJS.ErrnoException;
      return { ...(code === undefined ? {} : { code }), name, message };
    }
  };

  /** Without OpenSSL's numbers. */
  const words = ({ message }: Failure): string =>
    message.replace(/^error:[0-9A-F]{8}:([^:]+)::/, (_, library: string) => `${library}: `);

  test.each(calls)('%s', (_name, call) => {
    const [own, theirs] = [failure(call, tls), failure(call, nodeTls)];
    expect({ ...own, message: '' }).toEqual({ ...theirs, message: '' });
    // Ours may say more after it.
    if (own && theirs) expect(words(own).slice(0, words(theirs).length)).toBe(words(theirs));
  });
});

test('Server can be called without new, and on a server of another class', () => {
  const made = (tls.Server as unknown as (options: object) => NetServer)({});
  expect(made).toBeInstanceOf(tls.Server);
  class Other extends (tls.Server as unknown as new (options: object) => NetServer) {}
  expect(new Other({})).toBeInstanceOf(Other);
  expect(tls.Server.prototype.constructor).toBe(tls.Server);
});

function read(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}

test('a context of node:tls is refused wherever one may be given', () => {
  const theirs = nodeTls.createSecureContext();
  const refused = expect.objectContaining({ code: 'ERR_TLS_INVALID_CONTEXT' });
  const server = tls.createServer();
  expect(() => server.addContext('a.example', theirs)).toThrow(refused);
  expect(() => server.setSecureContext(theirs)).toThrow(refused);
  const socket = new tls.TLSSocket(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }));
  expect(() => socket.setKeyCert(theirs)).toThrow(refused);
  socket.destroy();
});

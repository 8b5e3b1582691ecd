import { once } from 'node:events';
import { createServer as createNetServer, connect as netConnect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ALERTS } from '../../alerts.ts';
import { TlsError } from '../../errors.ts';
import type { ConnectionOptions, TlsOptions } from '../index.ts';
import {
  ca,
  clientIdentity,
  closeAll,
  errorOf,
  listen,
  nodes,
  ours,
  serverIdentity,
  track,
} from '../testing/support.ts';
import { toNodeError } from './errors.ts';

afterEach(closeAll);

/** No errors, or unknown to Node's OpenSSL. */
const LEFT_OUT = ['close_notify', 'user_canceled', 'general_error', 'ech_required'];
const FATAL = Object.entries(ALERTS).filter(([name]) => !LEFT_OUT.includes(name));

describe('an alert', () => {
  test.each(FATAL)('%s has the code and the reason of node:tls', async (_name, alert) => {
    const refusing = createNetServer((socket) => socket.end(Uint8Array.of(21, 3, 3, 0, 2, 2, alert)));
    const port = await listen(refusing);
    const own = await errorOf(track(ours.connect(port)));
    const theirs = await errorOf(track(nodes.connect(port)));
    const { code, reason, library } = theirs as Error & { code: string; reason: string; library: string };
    expect(own).toMatchObject({ code, reason, library });
  });

  test('that has no name is told by its number', () => {
    const error = new TlsError('alert-received', 'x', { receivedAlert: 'unknown_alert(200)' });
    expect(toNodeError(error)).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_ALERT_200_' });
  });
});

/** Who hangs up on us in many ways, and how each is told. */
const FAILURES: readonly (readonly [string, TlsOptions, ConnectionOptions])[] = [
  ['versions', { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
  [
    'suites',
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
  ],
  ['groups', { ecdhCurve: 'P-256' }, { ecdhCurve: 'P-384' }],
  ['protocols', { ALPNProtocols: ['a'] }, { ALPNProtocols: ['b'] }],
  ['certificates', { requestCert: true, maxVersion: 'TLSv1.2' }, {}],
  ['certificates, 1.3', { requestCert: true }, {}],
];

describe.each(FAILURES)('a handshake without common %s', (_what, serverOptions, clientOptions) => {
  test.each([true, false])('is told as in Node, whether somebody has written or not (%s)', async (writes) => {
    const shown = [];
    for (const tls of [nodes, ours]) {
      const server = tls.createServer({ ...serverIdentity, ...serverOptions });
      const refused = once(server, 'tlsClientError');
      const port = await listen(server);
      const client = track(tls.connect({ port, ca, servername: 'localhost', ...clientOptions }));
      client.resume();
      if (writes) client.write('too early');
      const error = await errorOf(client);
      shown.push([facts(error), facts((await refused)[0])]);
    }
    expect(shown[1]).toEqual(shown[0]);
  });
});

describe('an answer that is no TLS', () => {
  test.each([
    ['a greeting', Buffer.from('220 hi there\r\n')],
    ['an alert', Uint8Array.of(21, 3, 3, 0, 2, 2, 40)],
  ])('%s is told as in Node', async (_what, answer) => {
    const port = await listen(createNetServer((socket) => socket.end(answer)));
    for (const writes of [true, false]) {
      const shown = [];
      for (const tls of [nodes, ours]) {
        const client = track(tls.connect(port));
        if (writes) client.write('too early');
        shown.push(facts(await errorOf(client)));
      }
      expect(shown[1]).toEqual(shown[0]);
    }
  });
});

/** Without what says where in OpenSSL it was. */
function facts(error: Error): unknown {
  const { message, ...properties } = error;
  const [, before, number, library, , reason] =
    /^(.*?)[0-9A-F]{16}:error:([0-9A-F]{8}):([^:]*):([^:]*):([^:]*):/.exec(message) ?? [];
  const alert = /SSL alert number \d+/.exec(message)?.[0];
  return { ...properties, before, number, library, reason, alert };
}

test.each([
  ['a key of another certificate', { key: clientIdentity.key, cert: serverIdentity.cert }],
  ['no suites', { ciphers: 'nonsense' }],
  ['a command that is none', { ciphers: 'HIGH@NONSENSE=1' }],
  ['a key that is none', { key: 'nonsense' }],
  ['a certificate that is none', { cert: 'nonsense' }],
])('%s is thrown in the words of Node', (_what, options) => {
  const thrown = (tls: typeof ours): unknown => {
    try {
      return tls.createSecureContext(options);
    } catch (error) {
      const { message, code, library, reason } = error as Error & Record<string, unknown>;
      return { message, code, library, reason };
    }
  };
  expect(thrown(ours)).toEqual(thrown(nodes));
});

describe('an error of the engine', () => {
  test('becomes one of OpenSSL\u2019s kind, with the engine\u2019s as its cause', () => {
    const error = new TlsError('bad-record-mac', 'the record was changed');
    expect(toNodeError(error)).toMatchObject({
      code: 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
      library: 'SSL routines',
      cause: error,
    });
    expect(toNodeError(error).message).toContain('the record was changed');
  });

  test('has a stable code also where OpenSSL has no such error', () => {
    const error = new TlsError('too-many-key-updates', 'x');
    expect(toNodeError(error)).toMatchObject({ code: 'ERR_SSL_TOO_MANY_KEY_UPDATES' });
  });
});

test('Node\u2019s and our client name a server that speaks another protocol alike', async () => {
  for (const answer of [
    '220 mail.example ESMTP\r\n',
    'SSH-2.0-OpenSSH_9\r\n',
    '\x80\x2e\x01\x03\x01\x00\x15',
  ]) {
    const server = createNetServer((socket) => socket.end(answer));
    const port = await listen(server);
    const own = await errorOf(track(ours.connect({ socket: track(netConnect(port)) })));
    const theirs = await errorOf(track(nodes.connect(port)));
    expect(own.code).toBe(theirs.code);
  }
});

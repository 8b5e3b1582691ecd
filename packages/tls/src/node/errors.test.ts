import { createServer as createNetServer, connect as netConnect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ALERTS } from '../alerts.ts';
import { TlsError } from '../errors.ts';
import { toNodeError } from './errors.ts';
import { closeAll, errorOf, listen, nodes, ours, track } from './testing/support.ts';

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
    expect(toNodeError(error, 'client')).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_ALERT_200_' });
  });
});

describe('an error of the engine', () => {
  test('becomes one of OpenSSL\u2019s kind, with the engine\u2019s as its cause', () => {
    const error = new TlsError('bad-record-mac', 'the record was changed');
    expect(toNodeError(error, 'server')).toMatchObject({
      code: 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
      library: 'SSL routines',
      cause: error,
    });
    expect(toNodeError(error, 'server').message).toContain('the record was changed');
  });

  test('has a stable code also where OpenSSL has no such error', () => {
    const error = new TlsError('too-many-key-updates', 'x');
    expect(toNodeError(error, 'client')).toMatchObject({ code: 'ERR_SSL_TOO_MANY_KEY_UPDATES' });
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

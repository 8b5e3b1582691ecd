import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { removeFolders } from '../testing/folder.ts';
import { startGateway, stopAll, testLog } from '../testing/test-gateway.ts';
import { FailureLog } from './failure-log.ts';

afterEach(stopAll);
afterAll(removeFolders);

const junk = { level: 'info', details: { code: 'not-tls' }, text: 'a handshake failed' } as const;
const untrusting = { level: 'warn', details: {}, text: 'a client does not trust our certificate' } as const;

describe('handshakes that fail', () => {
  let log: FailureLog;
  let lines: () => Record<string, unknown>[];
  beforeEach(() => {
    const made = testLog();
    log = new FailureLog(() => made.log);
    lines = made.lines;
  });
  const from = (address: string, times: number, failure: Parameters<FailureLog['note']>[2] = junk): void => {
    for (let i = 0; i < times; i++) log.note(address, `${address}:${i}`, failure);
  };

  test('are a few lines from one address, and then one with the count', () => {
    from('192.0.2.1', 500);
    from('192.0.2.1', 2, untrusting);
    from('192.0.2.2', 5);
    expect(lines()).toHaveLength(3 + 2 + 3);
    log.flush();
    expect(lines().at(-1)).toMatchObject({
      level: 30,
      count: 499,
      addresses: 2,
      most: '192.0.2.1 (497), 192.0.2.2 (2)',
    });
    log.flush();
    expect(lines()).toHaveLength(9);
    from('192.0.2.1', 1);
    expect(lines()).toHaveLength(10);
  });

  test('are not many lines from many addresses either, nor much memory', () => {
    for (let i = 0; i < 5000; i++) from(`10.0.${i >> 8}.${i & 255}`, 1);
    expect(lines()).toHaveLength(30);
    log.flush();
    expect(lines().at(-1)).toMatchObject({ count: 4970, addresses: 1000 });
  });

  test.each([
    [['2001:db8::1', '2001:db8::2', '2001:db8:0:0:1:2:3:4', '2001:db8:0:0::9'], '2001:db8:0:0::/64'],
    [['fe80::1%eth0', 'fe80::2%eth0', 'fe80::3', 'fe80:0:0:0:1::'], 'fe80:0:0:0::/64'],
    [['::ffff:192.0.2.1', '::ffff:192.0.2.1', '::ffff:192.0.2.1', '::ffff:192.0.2.1'], '::ffff:192.0.2.1'],
  ])('%j are one neighbour', (addresses, network) => {
    for (const address of addresses) from(address, 1);
    log.flush();
    expect(lines()).toHaveLength(4);
    expect(lines().at(-1)).toMatchObject({ count: 1, most: `${network} (1)` });
  });

  test('that are everyday noise are for who looks closely: none is left out there', () => {
    from('192.0.2.1', 50, { ...junk, level: 'debug' });
    expect(lines()).toHaveLength(50);
  });
});

test('a gateway that is sent junk goes on, says so briefly, and sums up at its end', async () => {
  const { port, gateway, lines } = await startGateway(['certificate: local\necho: true']);
  for (let i = 0; i < 20; i++) {
    const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
    socket.end('GET / HTTP/1.1\r\n\r\n').resume();
    await once(socket, 'close');
  }
  expect(lines()).toHaveLength(3);
  gateway.destroy();
  expect(lines().at(-1)).toMatchObject({ count: 17, addresses: 1, most: '127.0.0.1 (17)' });
});

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { parseListenAddress } from './address.ts';
import { areSame, checkOverlaps, overlaps, type Place } from './overlap.ts';

const place = (text: string, name = text): Place => ({ name, address: parseListenAddress(text) });
const places = (...texts: string[]): Place[] => texts.map((text) => place(text));

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** Listens at a host, at a port that may be 0; undefined where that cannot be. */
async function listen(host: string | undefined, port: number): Promise<number | undefined> {
  const server = createServer();
  servers.push(server);
  server.listen({ host, port });
  try {
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  } catch {
    return undefined;
  }
}

const TOGETHER = [
  ['127.0.0.1', '127.0.0.2'],
  ['0.0.0.0', '[::1]'],
  ['127.0.0.1', '[::1]'],
  ['[::ffff:0.0.0.0]', '[::1]'],
] as const;

const APART = [
  ['127.0.0.1', ''],
  ['', '127.0.0.1'],
  ['*', '[::1]'],
  ['[::1]', '[::]'],
  ['[::]', '127.0.0.1'],
  ['[::]', ''],
  ['0.0.0.0', ''],
  ['0.0.0.0', '[::]'],
  ['0.0.0.0', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '127.1'],
  ['127.0.0.1', '0x7f.1'],
  ['127.0.0.1', '0'],
  ['127.0.0.1', '[::ffff:127.0.0.1]'],
  ['[::ffff:7f00:1]', '0.0.0.0'],
  ['[::1]', '[0:0:0:0:0:0:0:1]'],
  ['[::0]', '[::1]'],
] as const;

describe('two addresses', () => {
  test.each(TOGETHER)('%s and %s go together, as the system says, too', async (one, other) => {
    expect(overlaps(places(`${one}:8443`, `${other}:8443`))).toEqual([]);
    const [a, b] = [one, other].map((text) => parseListenAddress(`${text}:0`).host);
    const port = await listen(a, 0);
    expect(await listen(b, port!)).toBe(port);
  });

  test.each(APART)('"%s" and "%s" do not, as the system says, too', async (one, other) => {
    expect(overlaps(places(`${one}:8443`, `${other}:8443`))).toHaveLength(1);
    expect(overlaps(places(`${one}:8443`, `${other}:8444`))).toEqual([]);
    expect(overlaps(places(`${one}:0`, `${other}:0`))).toEqual([]);
    const [a, b] = [one, other].map((text) => parseListenAddress(`${text}:0`).host);
    const port = await listen(a, 0);
    expect(await listen(b, port!)).toBeUndefined();
  });

  test('with zones: one link is not another', () => {
    expect(overlaps(places('[fe80::1%a]:1', '[fe80::1%b]:1'))).toEqual([]);
    expect(overlaps(places('[fe80::1%a]:1', '[FE80:0::1%a]:1'))).toHaveLength(1);
  });

  test('that are the same are known as such, however they are written', () => {
    const same = (one: string, other: string) => areSame(parseListenAddress(one), parseListenAddress(other));
    expect(same('[::1]:1', '[0::1]:1')).toBe(true);
    expect(same('A.test:1', 'a.test.:1')).toBe(true);
    expect(same(':1', '[::]:1')).toBe(true);
    expect(same('127.0.0.1:1', ':1')).toBe(false);
    expect(same('127.0.0.1:1', '127.0.0.1:2')).toBe(false);
  });
});

describe('the line about them', () => {
  test.each([
    [
      [place('127.0.0.1:1', 'web'), place(':1', 'all')],
      'web (127.0.0.1:1) and all (*:1) overlap, since *:1 is every address: give each its own port',
    ],
    [
      [place('0.0.0.0:1', 'listener 1 (0.0.0.0:1)'), place('127.0.0.1:1', 'b')],
      'listener 1 (0.0.0.0:1) and b (127.0.0.1:1) overlap, since 0.0.0.0:1 is every address: give each its own port',
    ],
    [[place('[::1]:1', 'a'), place('[::1]:1', 'b')], 'two listeners on [::1]:1: give each its own address'],
    [
      [place('[::1]:1', 'a'), place('[0::1]:1', 'b')],
      'a ([::1]:1) and b ([0::1]:1) are the same address: give each listener its own',
    ],
  ])('%#', (two, text) => expect(overlaps(two)).toEqual([text]));

  test('is one, also where three are at one address', () => {
    expect(overlaps(places(':1', ':1', ':1'))).toHaveLength(1);
  });
});

test('names are looked up', async () => {
  const pair = [place('localhost:1', 'a'), place('127.0.0.1:1', 'b'), place('[::1]:1', 'c')];
  expect(overlaps(pair)).toEqual([]);
  await expect(checkOverlaps(pair)).rejects.toThrow(
    /^a \(localhost:1\) and (b|c) \(.*\) are the same address: /,
  );
  await expect(checkOverlaps(places('localhost:1', ':1'))).rejects.toThrow('since *:1 is every address');
  await expect(checkOverlaps(places('nowhere.invalid:1', 'other.invalid:1'))).resolves.toBeUndefined();
});

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { TLSSocket } from '@testudo/tls/node';
import { afterEach, expect, test } from 'vitest';
import { ConnectionRecord } from '../observe/connection-record.ts';
import { listenOn, readAll, standstill, stopAll, testLog } from '../testing/test-gateway.ts';
import { type HttpConnection, httpService } from './http-service.ts';

afterEach(stopAll);

/** A service that answers one request each time `answer` is called, or all; and what it knows of the connection. */
async function held() {
  let connection: HttpConnection | undefined;
  const turns: (() => void)[] = [];
  let isFree = false;
  const service = httpService(
    {
      async handle(request, response, one) {
        connection = one;
        if (!isFree) await new Promise<void>((resolve) => turns.push(resolve));
        response.end(request.url);
      },
    },
    { hsts: undefined, idle: 60_000, log: testLog().log },
  );
  const port = await listenOn(
    createServer((socket) => {
      service.accept(socket as TLSSocket, new ConnectionRecord());
    }),
  );
  const answer = (all = true): void => {
    isFree ||= all;
    turns.shift()?.();
  };
  return { port, answer, requests: () => connection?.requests ?? 0, service };
}

const request = (index: number): string => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`;

test('of requests in a row no more are read than can wait, and all get their answers', async () => {
  const { port, answer, requests, service } = await held();
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  const COUNT = 40_000;
  const all = readAll(client);
  for (let i = 0; i < COUNT - 1; i++) client.write(request(i));
  client.write(request(COUNT - 1).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  // What comes in one read is at most 64 KiB: some 2,000 of these.
  expect(await standstill(requests)).toBeLessThan(5_000);
  const before = requests();
  for (let i = 0; i < 20; i++) {
    answer(false);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(requests()).toBe(before);
  answer();
  const answers = [...(await all).matchAll(/\r\n\r\n\/(\d+)/g)].map(([, index]) => Number(index));
  expect(answers).toEqual(Array.from({ length: COUNT }, (_, i) => i));
  service.close?.();
});

test('a body behind requests that wait is read when its turn comes', async () => {
  const { port, answer, service } = await held();
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  const all = readAll(client);
  for (let i = 0; i < 300; i++) client.write(request(i));
  client.write(
    `POST /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`,
  );
  answer();
  expect(await all).toMatch(/\/last$/);
  service.close?.();
});

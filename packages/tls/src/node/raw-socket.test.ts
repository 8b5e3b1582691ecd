import { once } from 'node:events';
import { createServer as createNetServer, connect as netConnect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import type { TLSSocket } from './index.ts';
import { Story, settled } from './testing/story.ts';
import { closeAll, listen, nodes, ours, serverIdentity, type Tls, track } from './testing/support.ts';

afterEach(closeAll);

type Act = (raw: Socket, story: Story) => void;

/** What a program does to the socket that it gave to TLS: before that, right after it, and when TLS is there. */
interface Case {
  readonly before?: Act;
  readonly after?: Act;
  readonly secure?: Act;
  /** Nothing is said over TLS, since the connection does not live so long. */
  readonly isSilent?: boolean;
  /** Nobody has to end it. */
  readonly endsByItself?: boolean;
}

const destroy: Act = (raw) => raw.destroy();
const destroyWithError: Act = (raw) => raw.destroy(new Error('mine'));
const listenToAll: Act = (raw, story) => {
  raw.on('data', () => story.note('raw data'));
  raw.on('readable', () => story.note(`raw readable ${raw.readableLength}`));
};
const pipe: Act = (raw, story) => {
  const sink = new PassThrough();
  sink.on('data', () => story.note('sink data'));
  sink.on('end', () => story.note('sink end'));
  raw.pipe(sink);
};

const CASES: Readonly<Record<string, Case>> = {
  nothing: {},
  'setEncoding before': { before: (raw) => raw.setEncoding('utf8') },
  'setEncoding after': { after: (raw) => raw.setEncoding('latin1') },
  'a data listener left': { before: (raw, story) => raw.on('data', () => story.note('raw data')) },
  'a readable listener left': {
    before: (raw, story) => raw.on('readable', () => story.note('raw readable')),
  },
  'a pipe left': { before: pipe },
  'listeners after': { after: listenToAll },
  'listeners when secure': { secure: listenToAll },
  'a pipe after': { after: pipe },
  'resume after': { after: (raw) => raw.resume() },
  'pause before': { before: (raw) => raw.pause() },
  'pause after': { after: (raw) => raw.pause() },
  'pause when secure': { secure: (raw) => raw.pause() },
  'cork after': { after: (raw) => raw.cork() },
  'read when secure': { secure: (raw, story) => story.note(`read ${raw.read()}`) },
  'removeAllListeners after': { after: (raw) => raw.removeAllListeners() },
  'removeAllListeners when secure': { secure: (raw) => raw.removeAllListeners() },
  'unref and ref': { after: (raw) => raw.unref().ref() },
  'destroy after': { after: destroy, isSilent: true },
  'destroy after, with an error': { after: destroyWithError, isSilent: true },
  'destroy when secure': { secure: destroy, isSilent: true },
  'destroy when secure, with an error': { secure: destroyWithError, isSilent: true },
  'destroySoon when secure': { secure: (raw) => raw.destroySoon(), isSilent: true, endsByItself: true },
  'resetAndDestroy when secure': { secure: (raw) => raw.resetAndDestroy(), isSilent: true },
  'emits end': { secure: (raw) => raw.emit('end') },
  'emits data': { secure: (raw) => raw.emit('data', Buffer.from('not TLS')) },
  'emits an error': { secure: (raw) => raw.emit('error', new Error('emitted')), isSilent: true },
  'emits close': { secure: (raw) => raw.emit('close', false), isSilent: true },
  'its timeout': {
    secure: (raw) =>
      raw.setTimeout(20, () => {
        raw.destroy();
      }),
    isSilent: true,
    endsByItself: true,
  },
};

/** A server that changes to TLS when it is asked, with a peer whose raw socket is treated like that. */
async function upgrade(tls: Tls, one: Case): Promise<readonly string[]> {
  const { before, after, secure, isSilent, endsByItself } = one;
  const story = new Story();
  const port = await listen(
    createNetServer((raw) => {
      raw.on('error', () => {});
      raw.once('data', () => {
        raw.write('go\n');
        const accepted = track(new nodes.TLSSocket(raw, { isServer: true, ...serverIdentity }));
        accepted.on('error', () => {});
        accepted.on('data', (data) => accepted.end(`echo ${data}`));
      });
    }),
  );
  const raw = track(netConnect(port, '127.0.0.1'));
  raw.write('STARTTLS\n');
  await once(raw, 'data');
  story.watch('raw', raw, ['end', 'close', 'error', 'timeout']);
  before?.(raw, story);
  const client = track(tls.connect({ socket: raw, rejectUnauthorized: false }));
  story.watch('tls', client, ['secureConnect', 'data', 'end', 'error', 'close']);
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.once('secureConnect', () => {
    secure?.(raw, story);
    if (!isSilent) client.write('hi');
    else if (!raw.destroyed && !endsByItself) setImmediate(() => client.destroy());
  });
  after?.(raw, story);
  await closed;
  await settled();
  return story.lines;
}

describe('a raw socket under tls.connect is left as Node leaves it', () => {
  test.each(Object.entries(CASES))('%s', async (_name, one) => {
    const expected = await upgrade(nodes, one);
    expect(await upgrade(ours, one)).toEqual(expected);
  });
});

/** The server's side, whose socket is made by hand. */
async function upgradeServer(tls: Tls, one: Case): Promise<readonly string[]> {
  const { before, after, secure, isSilent, endsByItself } = one;
  const story = new Story();
  const server = createNetServer((raw) => {
    story.watch('raw', raw, ['end', 'close', 'error', 'timeout']);
    raw.once('data', () => {
      before?.(raw, story);
      raw.write('go\n');
      const accepted: TLSSocket = track(new tls.TLSSocket(raw, { isServer: true, ...serverIdentity }));
      story.watch('tls', accepted, ['secure', 'data', 'end', 'error', 'close']);
      accepted.on('data', (data) => accepted.end(`echo ${data}`));
      accepted.once('secure', () => {
        secure?.(raw, story);
        if (isSilent && !raw.destroyed && !endsByItself) setImmediate(() => accepted.destroy());
      });
      accepted.once('close', () => server.emit('done'));
      after?.(raw, story);
    });
  });
  const port = await listen(server);
  const done = once(server, 'done');
  const raw = track(netConnect(port, '127.0.0.1'));
  raw.write('STARTTLS\n');
  await once(raw, 'data');
  const client = track(nodes.connect({ socket: raw, rejectUnauthorized: false }));
  client.on('error', () => {});
  client.resume();
  client.once('secureConnect', () => {
    if (!isSilent) client.write('hi');
  });
  await done;
  await settled();
  return story.lines;
}

describe('a raw socket under new TLSSocket is left as Node leaves it', () => {
  test.each(Object.entries(CASES))('%s', async (_name, one) => {
    const expected = await upgradeServer(nodes, one);
    expect(await upgradeServer(ours, one)).toEqual(expected);
  });
});

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Server, SniCallback, TLSSocket } from './index.ts';
import { Story } from './testing/story.ts';
import {
  ca,
  closeAll,
  closeOf,
  issue,
  listen,
  nodes,
  ours,
  serverIdentity,
  type Tls,
  track,
  VERSIONS,
} from './testing/support.ts';
import { nothingUncaught } from './testing/uncaught.ts';

// A function that is called to hear one answer, and hears two: what becomes of the connection is compared with Node's own.

nothingUncaught();

type Answer = readonly unknown[];
type Done = (...answer: Answer) => void;
type Repeat = (done: Done, first: Answer, second: Answer, server: Server) => void;

const MOMENTS: readonly (readonly [string, Repeat])[] = [
  [
    'at once',
    (done, first, second) => {
      done(...first);
      done(...second);
    },
  ],
  [
    'in a microtask',
    (done, first, second) => {
      done(...first);
      queueMicrotask(() => done(...second));
    },
  ],
  [
    'in the next tick',
    (done, first, second) => {
      done(...first);
      process.nextTick(() => done(...second));
    },
  ],
  [
    'at once, and both later',
    (done, first, second) => {
      setImmediate(() => {
        done(...first);
        done(...second);
      });
    },
  ],
  [
    'when the connection is at work',
    (done, first, second, server) => {
      server.once('at work', () => done(...second));
      done(...first);
    },
  ],
  [
    'when the connection is over',
    (done, first, second, server) => {
      server.once('over', () => done(...second));
      done(...first);
    },
  ],
];

/** The server's side, from the hello to the end: told of by the server, and by the socket once it is at work. */
async function storyOf(server: Server, session?: Buffer): Promise<{ story: Story; session?: Buffer }> {
  const story = new Story();
  const over = new Promise<void>((resolve) => {
    const watch = (socket: TLSSocket): void => {
      socket.once('close', (hadError) => {
        story.note(`closed ${hadError}`);
        server.emit('over');
        setImmediate(resolve);
      });
    };
    server.once('tlsClientError', (error: unknown, socket: TLSSocket) => {
      story.note(`tlsClientError ${said(error)}`);
      watch(socket);
    });
    server.once('secureConnection', (socket: TLSSocket) => {
      story.note('secureConnection');
      socket.on('error', (error: unknown) => story.note(`error ${said(error)}`));
      watch(socket);
      // The client is done with its handshake, too.
      socket.once('data', () => {
        server.emit('at work');
        socket.write('x');
      });
    });
  });
  const { port } = server.address() as { port: number };
  const client = track(nodes.connect({ port, ca, servername: 'localhost', requestOCSP: true, session }));
  let seen: Buffer | undefined;
  client.on('error', () => {});
  client.once('secureConnect', () => {
    seen = client.getSession();
    client.write('x');
  });
  client.once('data', () => client.end());
  await Promise.all([over, closeOf(client)]);
  server.removeAllListeners('tlsClientError').removeAllListeners('secureConnection');
  return { story, ...(seen === undefined ? {} : { session: seen }) };
}

function said(error: unknown): string {
  if (!(error instanceof Error)) return `${typeof error} ${error}`;
  const { code, message, name } = error as Error & { code?: string };
  return [name, code, message].join(' ');
}

const MINE = new Error('mine');
const RESPONSE = Buffer.from('response');

async function sniStory(tls: Tls, maxVersion: (typeof VERSIONS)[number], repeat: Repeat, answers: Answers) {
  const context = tls.createSecureContext(issue({ commonName: 'other' }));
  const [first, second] = answers.map((answer) => answer.map((one) => (one === 'context' ? context : one)));
  const SNICallback: SniCallback = (_name, done) => repeat(done as Done, first!, second!, server);
  const server: Server = tls.createServer({ ...serverIdentity, maxVersion, SNICallback });
  await listen(server);
  return (await storyOf(server)).story.lines;
}

async function ocspStory(tls: Tls, maxVersion: (typeof VERSIONS)[number], repeat: Repeat, answers: Answers) {
  const server = tls.createServer({ ...serverIdentity, maxVersion });
  server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer, done: Done) => repeat(done, ...answers, server));
  await listen(server);
  return (await storyOf(server)).story.lines;
}

type Answers = readonly [Answer, Answer];

describe.each(MOMENTS)('who answers again %s', (_moment, repeat) => {
  describe.each(VERSIONS)('%s', (version) => {
    test.each<Answers>([
      [
        [null, 'context'],
        [null, 'context'],
      ],
      [[null, 'context'], [MINE]],
      [[null], []],
      [[MINE], [null, 'context']],
      [[MINE], [new Error('other')]],
      [['text'], [MINE]],
    ])('SNICallback: %j, then %j', async (...answers) => {
      const expected = await sniStory(nodes, version, repeat, answers);
      expect(await sniStory(ours, version, repeat, answers)).toEqual(expected);
    });

    test.each<Answers>([
      [
        [null, RESPONSE],
        [null, RESPONSE],
      ],
      [[null, null], [MINE]],
      [[MINE], [null, RESPONSE]],
      [['text'], []],
    ])('OCSPRequest: %j, then %j', async (...answers) => {
      const expected = await ocspStory(nodes, version, repeat, answers);
      expect(await ocspStory(ours, version, repeat, answers)).toEqual(expected);
    });
  });

  const sessionStory = async (tls: Tls, answers: Answers): Promise<readonly string[]> => {
    const server = tls.createServer({ ...serverIdentity, maxVersion: 'TLSv1.2', secureOptions: 0x4000 });
    let kept: Buffer | undefined;
    server.on('newSession', (_id: Buffer, data: Buffer, done: () => void) => {
      kept = data;
      done();
    });
    await listen(server);
    const { session } = await storyOf(server);
    server.on('resumeSession', (_id: Buffer, done: Done) => {
      const [first, second] = answers.map((answer) => answer.map((one) => (one === 'kept' ? kept : one)));
      repeat(done, first!, second!, server);
    });
    return (await storyOf(server, session)).story.lines;
  };

  test.each<Answers>([
    [
      [null, 'kept'],
      [null, 'kept'],
    ],
    [
      [null, null],
      [null, 'kept'],
    ],
    [[MINE], [null, 'kept']],
  ])('resumeSession: %j, then %j', async (...answers) => {
    expect(await sessionStory(ours, answers)).toEqual(await sessionStory(nodes, answers));
  });

  test('newSession', async () => {
    const story = async (tls: Tls): Promise<readonly string[]> => {
      const server = tls.createServer({ ...serverIdentity, maxVersion: 'TLSv1.2', secureOptions: 0x4000 });
      server.on('newSession', (_id: Buffer, _data: Buffer, done: Done) => repeat(done, [], [], server));
      await listen(server);
      return (await storyOf(server)).story.lines;
    };
    expect(await story(ours)).toEqual(await story(nodes));
  });
});

test('an answer that comes twice ends its own connection only', async () => {
  for (const tls of [nodes, ours]) {
    let again: (() => void) | undefined;
    const server = tls.createServer({
      ...serverIdentity,
      SNICallback: (_name, done) => {
        again ??= () => done(null);
        done(null);
      },
    });
    const port = await listen(server);
    const connect = async (): Promise<[TLSSocket, TLSSocket]> => {
      const accepting = once(server, 'secureConnection') as Promise<[TLSSocket]>;
      const client = track(nodes.connect({ port, ca, servername: 'localhost' }));
      client.on('error', () => {});
      const [accepted] = await accepting;
      return [client, accepted];
    };
    const [, first] = await connect();
    const [client, second] = await connect();
    again!();
    expect(await closeOf(first)).toBe(true);
    second.write('x');
    expect(String((await once(client, 'data'))[0])).toBe('x');
    closeAll();
  }
});

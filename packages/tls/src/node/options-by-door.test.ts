import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import nodeHttps from 'node:https';
import { createServer as createNetServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NODE_MAJOR } from './as-node/running-node.ts';
import ourHttps from './https.ts';
import { CONNECTION, CONTEXT, cases, type Outcome, SERVER, said, thrown } from './testing/option-values.ts';
import { ca, closeAll, nodes, ours, serverIdentity, type Tls, track } from './testing/support.ts';

// The same options by the other ways in which programs give them: over HTTPS, to a server later, to a socket of their own.

type Https = typeof nodeHttps;
const OUR_HTTPS = ourHttps as unknown as Https;

afterEach(closeAll);

let port: number;
let server: ReturnType<Https['createServer']>;
beforeAll(async () => {
  server = nodeHttps.createServer(serverIdentity, (_request, response) => response.end('x'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Milliseconds: where nothing comes the test says so, and does not wait for its own end. */
const LONG = 20_000;

async function answerOf(make: () => ClientRequest): Promise<Outcome> {
  let request: ClientRequest;
  try {
    request = track(make());
  } catch (error) {
    return said(error);
  }
  const timer = setTimeout(
    () => request.destroy(Object.assign(new Error('nothing'), { code: 'NOTHING' })),
    LONG,
  );
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return `${response.statusCode}`;
  } catch (error) {
    return said(error);
  } finally {
    clearTimeout(timer);
    request.on('error', () => {});
  }
}

/** Over HTTP these are about something else. */
const OF_HTTP = new Set(['path', 'timeout', 'socket', 'server', 'isServer']);
const CLIENT = cases([...CONTEXT, ...CONNECTION]).filter(([name]) => !OF_HTTP.has(name));

describe('https.request', () => {
  test.each(CLIENT)('%s: %o', async (name, value) => {
    const options = { port, host: '127.0.0.1', servername: 'localhost', ca, agent: false, [name]: value };
    const ask = (https: Https) => answerOf(() => https.request(options as object).end());
    const theirs = await ask(nodeHttps);
    expect(await ask(OUR_HTTPS)).toEqual(theirs);
  });
});

describe('https.get', () => {
  test.each(CLIENT)('%s: %o', async (name, value) => {
    const options = { host: '127.0.0.1', servername: 'localhost', ca, [name]: value };
    const ask = (https: Https) => {
      // What another test left open would be used again.
      https.globalAgent.destroy();
      return answerOf(() => https.get(`https://127.0.0.1:${port}`, options as object));
    };
    const theirs = await ask(nodeHttps);
    expect(await ask(OUR_HTTPS)).toEqual(theirs);
  });
});

describe('new https.Agent', () => {
  test.each(CLIENT)('%s: %o', async (name, value) => {
    const options = { servername: 'localhost', ca, [name]: value } as object;
    const ask = (https: Https) =>
      answerOf(() => {
        const agent = track(new https.Agent(options));
        return https.get({ port, host: '127.0.0.1', agent });
      });
    const theirs = await ask(nodeHttps);
    expect(await ask(OUR_HTTPS)).toEqual(theirs);
  });
});

describe('https.createServer', () => {
  test.each(cases([...CONTEXT, ...SERVER]).filter(([name, value]) => name !== 'ALPNCallback' || !value))(
    '%s: %o',
    (name, value) => {
      const options = { ...serverIdentity, [name]: value } as object;
      const theirs = thrown(() => nodeHttps.createServer(options));
      expect(thrown(() => OUR_HTTPS.createServer(options))).toEqual(theirs);
    },
  );
});

describe.each(['setSecureContext', 'addContext'] as const)('server.%s', (method) => {
  // To newer versions of OpenSSL a name's certificate without its key takes the server's own away, to older ones often not.
  const isLone = (name: string, value: unknown): boolean =>
    method === 'addContext' && NODE_MAJOR >= 24 && name === 'key' && (!value || Array.isArray(value));
  const all = cases(CONTEXT).filter(([name, value]) => !isLone(name, value));

  test.each(all)('%s: %o', async (name, value) => {
    const options = { ...serverIdentity, [name]: value } as object;
    const outcome = async (tls: Tls): Promise<Outcome> => {
      const made = track(tls.createServer(serverIdentity, (socket) => socket.end('x')));
      const result = thrown(() =>
        method === 'addContext' ? made.addContext('localhost', options) : made.setSecureContext(options),
      );
      return result === 'taken' ? visit(made) : result;
    };
    const theirs = await outcome(nodes);
    expect(await outcome(ours)).toEqual(theirs);
  });

  test.each([[undefined], [null], [false], [0], [''], ['x'], [1], [[]], [() => {}], [{}]])(
    'options that are %o',
    (options) => {
      const act = (tls: Tls) => () => {
        const made = tls.createServer(serverIdentity);
        if (method === 'addContext') made.addContext('localhost', options as object);
        else made.setSecureContext(options as object);
      };
      expect(thrown(act(ours))).toEqual(thrown(act(nodes)));
    },
  );
});

/** What a client of Node's sees of it. */
async function visit(made: ReturnType<Tls['createServer']>): Promise<Outcome> {
  made.on('tlsClientError', () => {});
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  const { port: own } = made.address() as { port: number };
  const client = track(nodes.connect({ port: own, host: '127.0.0.1', servername: 'localhost', ca }));
  try {
    await once(client, 'secureConnect');
    return 'secure';
  } catch (error) {
    return said(error);
  } finally {
    client.on('error', () => {});
  }
}

describe('new TLSSocket of a server', () => {
  /** Other values end the process in Node, and so do these. */
  const FATAL = new Set(['isServer', 'keepAliveInitialDelay']);
  const falsy = cases([...CONTEXT, ...CONNECTION]).filter(
    ([name, value]) => !value && !FATAL.has(name) && !(name === 'highWaterMark' && value !== undefined),
  );

  test.each(falsy)('%s: %o', async (name, value) => {
    const options = { isServer: true, ...serverIdentity, [name]: value } as object;
    const outcome = async (tls: Tls): Promise<Outcome> => {
      let result: Outcome | undefined;
      const below = createNetServer((raw) => {
        track(raw).on('error', () => {});
        result = thrown(() => track(new tls.TLSSocket(raw, options)).on('error', () => {}));
        if (result !== 'taken') raw.destroy();
      });
      track(below).listen(0, '127.0.0.1');
      await once(below, 'listening');
      const { port: own } = below.address() as { port: number };
      const client = track(nodes.connect({ port: own, host: '127.0.0.1', servername: 'localhost', ca }));
      const seen = await once(client, 'secureConnect').then(
        () => 'secure',
        (error: unknown) => said(error),
      );
      client.on('error', () => {});
      return result === 'taken' ? seen : (result ?? 'nothing');
    };
    const theirs = await outcome(nodes);
    expect(await outcome(ours)).toEqual(theirs);
  });
});

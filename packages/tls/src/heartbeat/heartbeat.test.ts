import { concat, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { heartbeat } from '../extensions/heartbeat.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair, splitRecords } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, type Puppet, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const HEARTBEAT = 24;
const [REQUEST, RESPONSE] = [1, 2];

const client = (options: Partial<ClientOptions> = {}) =>
  clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }));
const server = (options: Partial<ServerOptions> = {}) =>
  serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options }));

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;

describe.each(VERSIONS)('%s: heartbeats between two sides', (maxVersion) => {
  const meet = (ours: ClientOptions['heartbeat'], theirs: ServerOptions['heartbeat']) =>
    new Pair(client({ maxVersion, heartbeat: ours }), server({ heartbeat: theirs })).pump();

  test('are answered both ways, one after the other', () => {
    const pair = meet('answer', 'answer');
    for (const end of [pair.client, pair.server]) {
      for (let turn = 0; turn < 3; turn++) {
        let answers = 0;
        end.connection.heartbeat(() => answers++);
        pair.pump();
        expect(answers).toBe(1);
      }
    }
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    expect([pair.client.data, pair.server.data]).toEqual([[], []]);
  });

  test.each([
    ['answer', 'only-ask', [false, true]],
    ['only-ask', 'answer', [true, false]],
    ['only-ask', 'only-ask', [false, false]],
    ['answer', undefined, [false, false]],
    [undefined, 'answer', [false, false]],
    [undefined, undefined, [false, false]],
  ] as const)('with %s and %s go where they may', (ours, theirs, [clientMay, serverMay]) => {
    const pair = meet(ours, theirs);
    expect([pair.client, pair.server].map((end) => mayAsk(end, pair))).toEqual([clientMay, serverMay]);
  });

  test('are one at a time', () => {
    const pair = meet('answer', 'answer');
    pair.client.connection.heartbeat(() => {});
    expect(() => pair.client.connection.heartbeat(() => {})).toThrow(/already on its way/);
    pair.pump();
    expect(mayAsk(pair.client, pair)).toBe(true);
  });

  test('carry any payload that fits into a record, and padding', () => {
    for (const [length, padding] of [
      [0, 16],
      [1, 17],
      [16_384 - 19, 16],
      [10, 16_384 - 13],
    ] as const) {
      const pair = meet('answer', 'answer');
      let answers = 0;
      const payload = new Uint8Array(length).fill(7);
      pair.client.connection.heartbeat(() => answers++, { payload, padding });
      payload.fill(8);
      const sent = pair.client.take();
      expect(splitRecords(sent).length).toBe(1);
      pair.server.connection.receive(sent);
      pair.pump();
      expect(answers).toBe(1);
    }
  });

  test.each([
    ['a payload', { payload: new Uint8Array(16_384 - 18) }],
    ['padding', { padding: 16_384 }],
  ])('do not carry %s that does not fit', (_what, request) => {
    const pair = meet('answer', 'answer');
    expect(() => pair.client.connection.heartbeat(() => {}, request)).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
    expect(mayAsk(pair.client, pair)).toBe(true);
  });

  test('are smaller where records are', () => {
    const pair = new Pair(
      client({ maxVersion, heartbeat: 'answer', requestMaxFragmentLength: 512 }),
      server({ heartbeat: 'answer' }),
    ).pump();
    const fits = { payload: new Uint8Array(512 - 19) };
    let answers = 0;
    pair.client.connection.heartbeat(() => answers++, fits);
    pair.pump();
    expect(answers).toBe(1);
    expect(() => pair.client.connection.heartbeat(() => {}, { payload: new Uint8Array(512 - 18) })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });

  test('are not sent before the handshake is complete, nor after close', () => {
    const early = client({ maxVersion, heartbeat: 'answer' });
    early.connection.start();
    expect(() => early.connection.heartbeat(() => {})).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
    const pair = meet('answer', 'answer');
    pair.client.connection.close();
    expect(() => pair.client.connection.heartbeat(() => {})).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
  });

  test('report to an owner who throws his own error', () => {
    const pair = meet('answer', 'answer');
    pair.client.connection.heartbeat(() => {
      throw new RangeError('mine');
    });
    pair.carry('client');
    expect(() => pair.carry('server')).toThrow(RangeError);
    expect(pair.client.errors).toEqual([]);
  });
});

function mayAsk(end: TestEnd, pair: Pair): boolean {
  let answers = 0;
  try {
    end.connection.heartbeat(() => answers++);
  } catch (error) {
    expect(error).toMatchObject({ code: 'not-connected' });
    return false;
  }
  pair.pump();
  return answers === 1;
}

test('an unknown mode is no option', () => {
  expect(() => client({ heartbeat: 'always' as 'answer' })).toThrow(
    expect.objectContaining({ code: 'bad-option' }),
  );
});

/** Engines that agreed on heartbeats, each with a puppet at the other end. */
const clock = { now: 0 };
const START = Date.now();
const now = () => START + clock.now;
type Block = { set(extension: typeof heartbeat, mode: number): unknown };
const offers =
  (mode = 1) =>
  (block: Block) =>
    void block.set(heartbeat, mode);
const helloOffers = (mode?: number) => (hello: { extensions: unknown }) =>
  offers(mode)(hello.extensions as Block);

type Make = (ours: 'answer' | 'only-ask', theirs?: number) => Puppet;

const client13: Make = (ours, theirs) => {
  const end = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, heartbeat: ours, now }));
  const puppet = new PuppetServer13(nodeCrypto, end, pki.server()).sendServerHello();
  puppet.send(puppet.encryptedExtensions(offers(theirs)), puppet.certificate());
  puppet.send(puppet.certificateVerify());
  puppet.send(puppet.finished());
  return puppet.enterApplication();
};
const server13: Make = (ours, theirs) => {
  const puppet = new PuppetClient13(nodeCrypto, server({ heartbeat: ours, now }), pki.client());
  return puppet.sendHello(helloOffers(theirs)).send(puppet.finished()).enterApplication();
};
const client12: Make = (ours, theirs) => {
  const end = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, heartbeat: ours, now }));
  const puppet = new PuppetServer12(nodeCrypto, end, pki.server());
  puppet.send(puppet.serverHello(helloOffers(theirs)), puppet.certificate());
  puppet.send(puppet.keyExchange());
  puppet.send(puppet.helloDone());
  return puppet.changeKeys().send(puppet.finished());
};
const server12: Make = (ours, theirs) => {
  const puppet = new PuppetClient12(nodeCrypto, server({ heartbeat: ours, now }), pki.client());
  puppet.sendHello(helloOffers(theirs));
  puppet.send(puppet.keyExchange());
  return puppet.changeKeys().send(puppet.finished());
};

const ALL: readonly (readonly [string, Make])[] = [
  ['a client of 1.3', client13],
  ['a server of 1.3', server13],
  ['a client of 1.2', client12],
  ['a server of 1.2', server12],
];

const padding = (length = 16) => new Uint8Array(length).fill(0xee);
const message = (type: number, length: number, ...parts: readonly Uint8Array[]) =>
  concat(Uint8Array.of(type, length >> 8, length), ...parts);
const HELLO = utf8('hello');
const request = (payload = HELLO) => message(REQUEST, payload.length, payload, padding());
const response = (payload = HELLO) => message(RESPONSE, payload.length, payload, padding());

describe.each(ALL)('%s', (_who, connected) => {
  const beat = (puppet: Puppet, content: Uint8Array) => puppet.record(HEARTBEAT, content);

  test('answers with the payload, and random padding of its own', () => {
    const puppet = beat(beat(connected('answer'), request()), request());
    expect(puppet.heartbeats.map((content) => content.slice(0, 8))).toEqual([
      message(RESPONSE, 5, HELLO),
      message(RESPONSE, 5, HELLO),
    ]);
    const [first, second] = puppet.heartbeats.map((content) => content.slice(8));
    expect(first!.length).toBe(16);
    expect(first).not.toEqual(second);
    expect(first).not.toEqual(padding());
  });

  test('answers a request with nothing in it, and one with much padding', () => {
    const puppet = connected('answer');
    beat(puppet, message(REQUEST, 0, padding()));
    beat(puppet, message(REQUEST, 5, HELLO, padding(9000)));
    expect(puppet.heartbeats.map((content) => content.length)).toEqual([19, 24]);
  });

  test.each([
    ['a payload that is longer than the record (Heartbleed)', message(REQUEST, 16_384, padding())],
    ['a payload of 64 KiB in a short record', message(REQUEST, 65_535, HELLO)],
    ['a payload that reaches one byte into the padding', message(REQUEST, 6, HELLO, padding())],
    ['no padding', message(REQUEST, 5, HELLO)],
    ['fifteen bytes of padding', message(REQUEST, 5, HELLO, padding(15))],
    ['a type alone', Uint8Array.of(REQUEST)],
    ['half a length', Uint8Array.of(REQUEST, 0)],
    ['nothing at all', new Uint8Array(0)],
    ['an unknown type', message(3, 5, HELLO, padding())],
    ['type 0', message(0, 5, HELLO, padding())],
    ['an answer to nothing', response()],
  ])('passes over in silence: %s', (_what, content) => {
    const puppet = beat(connected('answer'), content);
    expect(puppet.heartbeats).toEqual([]);
    expect([puppet.alerts, puppet.end.errors]).toEqual([[], []]);
    expect(beat(puppet, request()).heartbeats.length).toBe(1);
  });

  test('takes for an answer only what it asked for, and once', () => {
    const puppet = connected('answer');
    let answers = 0;
    puppet.end.connection.heartbeat(() => answers++, { payload: utf8('are you there') });
    puppet.collect();
    expect(puppet.heartbeats[0]!.slice(0, 16)).toEqual(message(REQUEST, 13, utf8('are you there')));
    expect(puppet.heartbeats[0]!.length).toBe(3 + 13 + 16);
    for (const wrong of ['are you ther', 'are you there ', 'are you thera', ''])
      beat(puppet, response(utf8(wrong)));
    expect(answers).toBe(0);
    expect(() => puppet.end.connection.heartbeat(() => answers++)).toThrow(/already on its way/);
    beat(puppet, response(utf8('are you there')));
    beat(puppet, response(utf8('are you there')));
    expect(answers).toBe(1);
  });

  test('answers no request where it said that it does not', () => {
    const puppet = beat(connected('only-ask'), request());
    expect([puppet.heartbeats, puppet.alerts, puppet.end.errors]).toEqual([[], [], []]);
  });

  test('asks nobody who does not answer', () => {
    const puppet = connected('answer', 2);
    expect(() => puppet.end.connection.heartbeat(() => {})).toThrow(/does not answer/);
    expect(beat(puppet, request()).heartbeats.length).toBe(1);
  });

  test('answers a flood now and then only', () => {
    const puppet = connected('answer');
    for (let i = 0; i < 500; i++) beat(puppet, request());
    expect(puppet.heartbeats.length).toBeLessThanOrEqual(64);
    expect(puppet.heartbeats.length).toBeGreaterThan(16);
    puppet.heartbeats.length = 0;
    clock.now += 1000;
    for (let i = 0; i < 500; i++) beat(puppet, request());
    expect(puppet.heartbeats.length).toBeLessThanOrEqual(16);
    expect(puppet.heartbeats.length).toBeGreaterThan(10);
    puppet.heartbeats.length = 0;
    clock.now += 60_000;
    for (let i = 0; i < 500; i++) beat(puppet, request(new Uint8Array(16_000)));
    expect(puppet.heartbeats.length).toBeLessThan(5);
    expect(puppet.end.errors).toEqual([]);
  });

  test('a flood with a clock that runs backwards gains nothing', () => {
    const puppet = connected('answer');
    for (let i = 0; i < 500; i++) {
      clock.now -= 1000;
      beat(puppet, request());
    }
    expect(puppet.heartbeats.length).toBeLessThanOrEqual(64);
  });
});

describe('where no heartbeats were agreed on', () => {
  test.each([
    [
      'a client of 1.3',
      () => new PuppetServer13(nodeCrypto, client(), pki.server()).upTo('done'),
      'unexpected-message',
    ],
    [
      'a server of 1.3',
      () => new PuppetClient13(nodeCrypto, server(), pki.client()).complete(),
      'unexpected-message',
    ],
    [
      'a client of 1.2',
      () => new PuppetServer12(nodeCrypto, client(), pki.server()).upTo('done'),
      'bad-record',
    ],
    [
      'a server of 1.2',
      () => new PuppetClient12(nodeCrypto, server(), pki.client()).complete(),
      'bad-record',
    ],
  ] as const)('%s refuses one', (_who, connected, code) => {
    expect(outcomeOf(connected().record(HEARTBEAT, request()))).toEqual(refused(code));
  });

  test('a client refuses the extension of a server that was not asked', () => {
    const puppet = new PuppetServer12(nodeCrypto, client(), pki.server());
    puppet.send(puppet.serverHello(helloOffers()));
    expect(outcomeOf(puppet)).toEqual(refused('unsolicited-extension'));
  });
});

describe.each([0, 3, 255])('the mode %i', (mode) => {
  test.each([
    [
      'a client of 1.3',
      () => {
        const puppet = new PuppetServer13(nodeCrypto, client({ heartbeat: 'answer' }), pki.server());
        return puppet.sendServerHello().send(puppet.encryptedExtensions(offers(mode)));
      },
    ],
    [
      'a server of 1.3',
      () =>
        new PuppetClient13(nodeCrypto, server({ heartbeat: 'answer' }), pki.client()).sendHello(
          helloOffers(mode),
        ),
    ],
    [
      'a client of 1.2',
      () => {
        const puppet = new PuppetServer12(nodeCrypto, client({ heartbeat: 'answer' }), pki.server());
        return puppet.send(puppet.serverHello(helloOffers(mode)));
      },
    ],
    [
      'a server of 1.2',
      () =>
        new PuppetClient12(nodeCrypto, server({ heartbeat: 'answer' }), pki.client()).sendHello(
          helloOffers(mode),
        ),
    ],
  ] as const)('is refused by %s', (_who, start) => {
    const { codes, alerts } = outcomeOf(start());
    expect([codes, alerts]).toEqual([['illegal-parameter'], ['fatal illegal_parameter']]);
  });
});

describe('during a handshake', () => {
  test('nothing is answered', () => {
    const puppet = new PuppetClient12(nodeCrypto, server({ heartbeat: 'answer' }), pki.client());
    puppet.sendHello(helloOffers());
    puppet.record(HEARTBEAT, request());
    puppet.send(puppet.keyExchange());
    puppet.record(HEARTBEAT, request());
    puppet.changeKeys().record(HEARTBEAT, request());
    expect([puppet.heartbeats, puppet.alerts]).toEqual([[], []]);
    puppet.send(puppet.finished());
    expect(puppet.record(HEARTBEAT, request()).heartbeats.length).toBe(1);
  });

  test('one in the middle of a handshake message is an error', () => {
    const puppet = server13('answer');
    puppet.record(22, Uint8Array.of(24, 0));
    expect(outcomeOf(puppet.record(HEARTBEAT, request()))).toEqual(refused('interleaved-handshake'));
  });
});

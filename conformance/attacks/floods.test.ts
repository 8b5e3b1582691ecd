import { concat } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import {
  encodeMessage,
  keyUpdate,
  outcomeOf,
  type Puppet,
  PuppetClient12,
  PuppetClient13,
  PuppetServer12,
  PuppetServer13,
  refused,
} from '#tls/testing';
import { pki, provider, victimClient, victimServer } from './support.ts';

// Messages that cost who sends them little and who gets them much, without end. Each flood is sent until the engine gives up, and
// no more than `most` of it may be taken.

const VICTIMS: Readonly<Record<string, () => Puppet>> = {
  'a client of 1.3': () => new PuppetServer13(provider, victimClient(), pki.server()).upTo('done'),
  'a server of 1.3': () => new PuppetClient13(provider, victimServer(), pki.client()).complete(),
  'a client of 1.2': () => new PuppetServer12(provider, victimClient(), pki.server()).upTo('done'),
  'a server of 1.2': () => new PuppetClient12(provider, victimServer(), pki.client()).complete(),
};
const of = (version: string) => Object.keys(VICTIMS).filter((name) => name.endsWith(version));

/** How often it was taken before the engine gave up. */
function flood(puppet: Puppet, once: (puppet: Puppet) => unknown, most: number): number {
  for (let count = 0; count <= most; count++) {
    if (puppet.end.connection.state !== 'open') return count;
    once(puppet);
  }
  return Number.POSITIVE_INFINITY;
}

const nothing = new Uint8Array(0);

describe.each(Object.keys(VICTIMS))('%s gives up on', (name) => {
  const make = VICTIMS[name]!;

  test('records with nothing in them', () => {
    const puppet = make();
    expect(flood(puppet, (p) => p.applicationData(nothing), 40)).toBeLessThan(40);
    expect(outcomeOf(puppet)).toEqual(refused('too-many-empty-records'));
    expect(puppet.end.data).toEqual([]);
  });

  test('handshake records with nothing in them', () => {
    const puppet = make();
    expect(flood(puppet, (p) => p.record(22, nothing), 2)).toBe(1);
    expect(outcomeOf(puppet)).toEqual(refused('unexpected-message'));
  });

  test('a message that never ends', () => {
    const puppet = make();
    // The length that it claims is the longest there is.
    puppet.record(22, Uint8Array.of(1, 0xff, 0xff, 0xff));
    expect(outcomeOf(puppet)).toEqual(refused('message-too-long'));
  });

  test('records with nothing in them, and with a byte between: that is data, if slow', () => {
    const puppet = make();
    expect(
      flood(
        puppet,
        (p) => {
          for (let i = 0; i < 30; i++) p.applicationData(nothing);
          p.applicationData(Uint8Array.of(1));
        },
        10,
      ),
    ).toBe(Number.POSITIVE_INFINITY);
    expect(puppet.end.data.length).toBe(11);
  });
});

describe.each(of('1.2'))('%s gives up on', (name) => {
  test('warnings', () => {
    const puppet = VICTIMS[name]!();
    expect(flood(puppet, (p) => p.alert(1, 90), 10)).toBeLessThan(10);
    expect(outcomeOf(puppet)).toEqual(refused('too-many-warning-alerts'));
  });

  test('requests for a renegotiation', () => {
    const puppet = VICTIMS[name]!();
    const hello = name.includes('client') ? Uint8Array.of(0, 0, 0, 0) : undefined;
    const once = (p: Puppet) => (hello === undefined ? (p as PuppetClient12).sendHello() : p.send(hello));
    expect(flood(puppet, once, 10)).toBeLessThan(10);
    expect(outcomeOf(puppet).codes).not.toEqual([]);
  });
});

describe.each(of('1.3'))('%s gives up on', (name) => {
  /** New keys, as the puppet must follow them. */
  const update = (puppet: Puppet, requestUpdate: number): void => {
    const p = puppet as PuppetServer13 | PuppetClient13;
    p.record(22, encodeMessage(keyUpdate, { requestUpdate }));
    const which = p instanceof PuppetServer13 ? 'serverSecret' : 'clientSecret';
    p[which] = p.schedule.nextTrafficSecret(p[which]);
    p.sealer = p.schedule.sealer(p[which]);
  };

  test.each([0, 1])('KeyUpdates (request_update %i), and sends none for each', (requestUpdate) => {
    const puppet = VICTIMS[name]!();
    const before = puppet.end.log.length;
    expect(flood(puppet, (p) => update(p, requestUpdate), 40)).toBeLessThan(40);
    expect(outcomeOf(puppet)).toEqual(refused('too-many-key-updates'));
    expect(puppet.end.log.slice(before)).not.toContain('sent key_update');
  });

  test('ChangeCipherSpec, which means nothing any more', () => {
    const puppet = VICTIMS[name]!();
    expect(flood(puppet, (p) => p.changeCipherSpec(), 2)).toBe(1);
    expect(outcomeOf(puppet)).toEqual(refused('unexpected-message'));
  });

  test('warnings, of which there are none but user_canceled', () => {
    const puppet = VICTIMS[name]!();
    expect(flood(puppet, (p) => p.alert(1, 90), 10)).toBeLessThan(10);
    expect(outcomeOf(puppet)).toEqual(refused('too-many-warning-alerts'));
  });
});

describe('a client of 1.3 gives up on', () => {
  test('tickets', () => {
    const puppet = VICTIMS['a client of 1.3']!() as PuppetServer13;
    expect(flood(puppet, (p) => p.send((p as PuppetServer13).ticket()), 5000)).toBeLessThan(5000);
    expect(outcomeOf(puppet)).toEqual(refused('too-many-tickets'));
  });
});

describe('before the handshake is complete', () => {
  const fresh = () => new PuppetServer13(provider, victimClient(), pki.server());

  test('ChangeCipherSpec is dropped a few times only', () => {
    const puppet = fresh();
    let count = 0;
    while (puppet.end.connection.state === 'handshaking' && count < 100) {
      puppet.changeCipherSpec();
      count++;
    }
    expect(count).toBeLessThan(50);
    expect(outcomeOf(puppet)).toEqual(refused('too-many-empty-records'));
  });

  test('early data that nobody takes is skipped up to a limit', () => {
    const puppet = new PuppetClient13(provider, victimServer(), pki.client());
    let count = 0;
    puppet.sendHello((hello) => hello.extensions.setRaw(42, null as never));
    while (puppet.end.connection.state === 'handshaking' && count < 100) {
      puppet.bytes(concat(Uint8Array.of(23, 3, 3, 0x40, 0), provider.randomBytes(0x4000)));
      count++;
    }
    expect(count).toBeLessThan(10);
  });

  test('what a busy server has not read is not kept without bounds', () => {
    const never = new Promise<never>(() => {});
    const end = victimServer({ credentials: () => never });
    const puppet = new PuppetClient13(provider, end, pki.client());
    puppet.sendHello();
    expect(end.connection.isBusy).toBe(true);
    let count = 0;
    while (end.connection.state === 'handshaking' && count < 100) {
      puppet.bytes(concat(Uint8Array.of(23, 3, 3, 0x40, 0), new Uint8Array(0x4000)));
      count++;
    }
    expect(count).toBeLessThan(20);
    expect(end.errors.map(({ code }) => code)).toEqual(['too-much-waiting']);
  });
});

import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import type { Channel } from '../handshake/context.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { keyUpdate, UPDATE_NOT_REQUESTED, UPDATE_REQUESTED } from '../messages/key-update.ts';
import { cipherSuite13 } from '../suites/index.ts';
import { clientEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { Established13 } from './established.ts';
import { KeySchedule } from './key-schedule.ts';

// RFC 9846 §4.7.3: when a KeyUpdate is sent, and what it asks for.

const update = (requestUpdate: number) => encodeMessage(keyUpdate, { requestUpdate });
const ASKED = { type: keyUpdate.type, raw: update(UPDATE_REQUESTED) };

/** A connection whose keys may be replaced so often, and what it wrote. */
function established(lastEpoch?: number) {
  const sent: Uint8Array[] = [];
  const channel = {
    writeHandshake: (raw: Uint8Array) => void sent.push(raw),
    setSealer: () => {},
    setApplicationOpener: () => {},
  } as unknown as Channel;
  const secret = () => nodeCrypto.randomBytes(32);
  const connection = new Established13({
    schedule: new KeySchedule(nodeCrypto, cipherSuite13(0x1301)!, undefined),
    channel,
    proof: {} as FinishedVerified,
    readSecret: secret(),
    writeSecret: secret(),
    exporterMainSecret: secret(),
    resumptionSecret: undefined,
    onTicket: undefined,
    later: undefined,
    ...(lastEpoch === undefined ? {} : { lastEpoch }),
  });
  return { connection, sent };
}

describe('the last keys', () => {
  test('are reached after as many updates; then one that is asked for is passed over', () => {
    const { connection, sent } = established(3);
    for (let epoch = 0; epoch < 3; epoch++) {
      expect(connection.canUpdateKeys).toBe(true);
      connection.updateKeys(false);
    }
    expect(connection.canUpdateKeys).toBe(false);
    const { write } = connection.secrets()!;
    connection.receive(ASKED);
    connection.prepareToSend();
    expect(sent).toHaveLength(3);
    expect(connection.secrets()!.write).toEqual(write);
  });

  test('may be those that the peer asked for', () => {
    const { connection, sent } = established(1);
    connection.receive(ASKED);
    connection.prepareToSend();
    expect([sent.length, connection.canUpdateKeys]).toEqual([1, false]);
  });

  test('of the peer are its own affair', () => {
    const { connection } = established(0);
    const first = connection.secrets()!.read;
    for (let i = 0; i < 8; i++) connection.receive({ ...ASKED, raw: update(UPDATE_NOT_REQUESTED) });
    expect(connection.secrets()!.read).not.toEqual(first);
  });
});

describe('an update that asks the peer for one', () => {
  const asked = (sent: readonly Uint8Array[]) => sent.map((raw) => raw.at(-1));

  test('is not sent again before the peer has answered: keys change, and nothing is asked', () => {
    const { connection, sent } = established();
    for (let i = 0; i < 3; i++) connection.updateKeys(true);
    connection.receive({ ...ASKED, raw: update(UPDATE_NOT_REQUESTED) });
    for (let i = 0; i < 2; i++) connection.updateKeys(true);
    expect(asked(sent)).toEqual([1, 0, 0, 1, 0]);
  });

  test('goes on asking when what asked nothing was between', () => {
    const { connection, sent } = established();
    connection.updateKeys(false);
    connection.updateKeys(true);
    connection.updateKeys(false);
    connection.receive(ASKED);
    connection.prepareToSend();
    connection.updateKeys(true);
    expect(asked(sent)).toEqual([0, 1, 0, 0, 1]);
  });

  test('on the wire', () => {
    const pki = new TestPki(nodeCrypto);
    const config = clientConfig({ provider: nodeCrypto, verifyCertificate: pki.verifier() });
    const p = new PuppetServer13(nodeCrypto, clientEnd(config), pki.server()).upTo('done');
    const last = () => {
      p.end.connection.updateKeys();
      p.collect();
      p.clientSecret = p.schedule.nextTrafficSecret(p.clientSecret);
      p.opener = p.schedule.opener(p.clientSecret);
      return p.messages.at(-1)!.raw.at(-1);
    };
    expect([last(), last()]).toEqual([UPDATE_REQUESTED, UPDATE_NOT_REQUESTED]);
    p.send(update(UPDATE_NOT_REQUESTED));
    p.serverSecret = p.schedule.nextTrafficSecret(p.serverSecret);
    p.sealer = p.schedule.sealer(p.serverSecret);
    expect([last(), p.unreadable]).toEqual([UPDATE_REQUESTED, 0]);
  });
});

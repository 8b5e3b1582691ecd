import { utf8 } from '@testudo/codec';
import type { RawMessage, ServerOptions } from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import {
  type ClientHello,
  clientHello,
  decodeMessage,
  encodeMessage,
  extendedMasterSecret,
  HANDSHAKE_TYPE,
  PuppetClient12,
  renegotiationInfo,
  type ServerHello,
  serverHello,
  splitRecords,
  type TestEnd,
} from '#tls/testing';
import { pki, provider, victimClient, victimServer } from './support.ts';

// Marsh Ray's attack (CVE-2009-3555, RFC 5746 §1): the attacker opens a connection, sends the beginning of a request, and lets the
// victim's handshake follow as a renegotiation. The server takes both for one client's.

const PREFIX = 'GET /pay?to=attacker HTTP/1.1\r\nX-Ignore: ';

/** The attacker's own connection, on which messages of others can go. */
class Attacker extends PuppetClient12 {
  readonly forwarded: RawMessage[] = [];
  #isConnected = false;
  ownFinished!: Uint8Array;

  open(): this {
    this.sendHello();
    this.send(this.keyExchange());
    const finished = this.finished();
    this.ownFinished = finished.subarray(4);
    this.changeKeys().send(finished);
    this.#isConnected = true;
    return this.applicationData(utf8(PREFIX));
  }

  protected override onMessage(message: RawMessage): void {
    if (this.#isConnected) this.forwarded.push(message);
    else super.onMessage(message);
  }
}

function attack(options: Partial<ServerOptions>) {
  const server = victimServer({ maxVersion: 'TLSv1.2', ...options });
  const attacker = new Attacker(provider, server, pki.client()).open();
  expect(server.text).toBe(PREFIX);
  const victim = victimClient({ maxVersion: 'TLSv1.2' });
  victim.connection.start();
  return { server, attacker, victim };
}

/** The handshake messages that an end has to send, unprotected. */
const messagesOf = (end: TestEnd): Uint8Array[] =>
  splitRecords(end.take())
    .filter((record) => record[0] === 22)
    .map((record) => record.subarray(5));

const rewritten = (raw: Uint8Array, change: (hello: ClientHello) => void): Uint8Array => {
  const hello = decodeMessage(clientHello, { type: raw[0]!, raw });
  change(hello);
  return encodeMessage(clientHello, hello);
};

describe('a victim\u2019s handshake inside the attacker\u2019s connection', () => {
  test('is declined by a server that does not renegotiate, as it is by default', () => {
    const { server, attacker, victim } = attack({});
    attacker.send(...messagesOf(victim));
    expect(attacker.alerts).toEqual(['warning no_renegotiation']);
    expect(attacker.forwarded).toEqual([]);
    expect(server.secured.length).toBe(1);
  });

  test('is refused by one that does: the hello says that it is a first one', () => {
    const { server, attacker, victim } = attack({ renegotiation: true });
    attacker.send(...messagesOf(victim));
    expect(server.errors.map(({ code }) => code)).toEqual(['insecure-renegotiation']);
    expect(attacker.alerts).toEqual(['fatal handshake_failure']);
  });

  test('is refused where the attacker takes the extension out', () => {
    const { server, attacker, victim } = attack({ renegotiation: true });
    const [hello] = messagesOf(victim);
    attacker.send(rewritten(hello!, ({ extensions }) => extensions.delete(renegotiationInfo)));
    expect(server.errors.map(({ code }) => code)).toEqual(['insecure-renegotiation']);
  });

  /** The attacker puts his own Finished where it is due: the server then goes on. What does the victim get? */
  const withFinished = () => {
    const { server, attacker, victim } = attack({ renegotiation: true });
    const [hello] = messagesOf(victim);
    attacker.send(
      rewritten(hello!, ({ extensions }) => extensions.set(renegotiationInfo, attacker.ownFinished)),
    );
    expect(server.errors).toEqual([]);
    expect(attacker.forwarded[0]?.type).toBe(HANDSHAKE_TYPE.server_hello);
    return { server, attacker, victim };
  };
  const give = (victim: TestEnd, raw: Uint8Array): void =>
    victim.connection.receive(Uint8Array.from([22, 3, 3, raw.length >> 8, raw.length & 255, ...raw]));

  test('where the attacker says that it goes on: the victim sees that it does not', () => {
    const { attacker, victim } = withFinished();
    give(victim, attacker.forwarded[0]!.raw);
    expect(victim.errors.map(({ code }) => code)).toEqual(['insecure-renegotiation']);
  });

  test('where the attacker tells either what it wants to hear: the transcripts differ', () => {
    const { server, attacker, victim } = withFinished();
    const [hello, ...rest] = attacker.forwarded;
    const answer = decodeMessage(serverHello, hello!);
    (answer.extensions as ServerHello<'server_hello_12'>['extensions']).set(
      renegotiationInfo,
      new Uint8Array(0),
    );
    // Without the extended master secret, which would notice it one step earlier.
    expect(
      (answer.extensions as ServerHello<'server_hello_12'>['extensions']).has(extendedMasterSecret),
    ).toBe(true);
    give(victim, encodeMessage(serverHello, answer));
    for (const { raw } of rest) give(victim, raw);
    expect(victim.errors).toEqual([]);
    const [exchange, ccs, finished] = splitRecords(victim.take());
    attacker.send(exchange!.subarray(5));
    attacker.record(20, ccs!.subarray(5));
    attacker.bytes(finished!);
    expect(server.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
    expect(server.changes).toEqual([]);
    expect(server.text).toBe(PREFIX);
  });
});

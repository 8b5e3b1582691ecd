import { concat, utf8 } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { heartbeat, PuppetClient12, PuppetClient13 } from '#tls/testing';
import { pki, provider, victimServer } from './support.ts';

// Heartbleed (CVE-2014-0160): a heartbeat that says that it is longer than it is, and a server that believes it.

const HEARTBEAT = 24;
const SECRET = 'the private key that lies next to it';
const wants = (hello: { extensions: { set: unknown } }) =>
  void (hello.extensions as { set(e: object, mode: number): void }).set(heartbeat, 1);

/** All requests of an attacker: what he says, and what he sends. */
function* requests(): Generator<Uint8Array> {
  for (const sent of [0, 1, 16, 18, 100, 16_000]) {
    for (const said of [sent + 1, sent + 16, sent + 17, 16_384, 65_535]) {
      if (said > 65_535) continue;
      for (const padding of [0, 15, 16])
        if (said > sent + padding - 16)
          yield concat(
            Uint8Array.of(1, said >> 8, said),
            new Uint8Array(sent).fill(0x61),
            new Uint8Array(padding),
          );
    }
  }
}

const connected = {
  'TLS 1.3': () =>
    new PuppetClient13(provider, victimServer({ heartbeat: 'answer' }), pki.client()).sendHello(
      wants as never,
    ),
  'TLS 1.2': () =>
    new PuppetClient12(provider, victimServer({ heartbeat: 'answer' }), pki.client()).sendHello(
      wants as never,
    ),
};

function open(version: keyof typeof connected) {
  const puppet = connected[version]();
  if (puppet instanceof PuppetClient12)
    puppet.send(puppet.keyExchange()).changeKeys().send(puppet.finished());
  else puppet.send(puppet.finished()).enterApplication();
  return puppet;
}

describe.each(['TLS 1.3', 'TLS 1.2'] as const)('Heartbleed, %s', (version) => {
  test('no request is answered with more than was sent: not one is answered at all', () => {
    const puppet = open(version);
    for (const request of requests()) puppet.record(HEARTBEAT, request);
    expect(puppet.heartbeats).toEqual([]);
    expect(puppet.end.errors).toEqual([]);
  });

  test('an honest one still is, by the bytes that it brought', () => {
    const puppet = open(version);
    const honest = concat(Uint8Array.of(1, 0, 5), utf8('hello'), new Uint8Array(16));
    puppet.record(HEARTBEAT, honest);
    expect(puppet.heartbeats.map((answer) => answer.slice(0, 8))).toEqual([
      concat(Uint8Array.of(2, 0, 5), utf8('hello')),
    ]);
  });
});

test('the same requests bleed a server that believes the length', () => {
  const leaks = [...requests()].filter((request) => {
    const memory = concat(request, utf8(SECRET), new Uint8Array(65_535));
    const said = (request[1]! << 8) | request[2]!;
    const answer = memory.slice(3, 3 + said);
    return Buffer.from(answer).includes(SECRET);
  });
  expect(leaks.length).toBeGreaterThan(20);
});

import { utf8 } from '@testudo/codec';
import { type ExternalPsk, importPsk } from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import { Pair } from '#tls/testing';
import { failures, provider, victimClient, victimServer } from './support.ts';

// Selfie (2019): a node is client and server with the same external key, and who sits on the wire brings what it sends back to
// it. It then talks to itself, and takes itself for the peer. RFC 9258 §5.1 has the context for it: who is who.

const KEY: ExternalPsk = { identity: utf8('shared'), key: new Uint8Array(32).fill(7) };
const same = (a: Uint8Array, b: Uint8Array) => Buffer.from(a).equals(b);

/** A node that calls others, and is called: with the keys that it has for either. */
interface Node {
  readonly calling: readonly ExternalPsk[];
  readonly called: readonly ExternalPsk[];
}

/** What the node sends to its peer goes to the node itself, or, if that is another one, to the peer. */
const connect = (from: Node, to: Node): Pair =>
  new Pair(
    victimClient({ minVersion: 'TLSv1.3', psks: from.calling }),
    victimServer({
      credentials: [],
      findPsk: ({ identity }) => to.called.find((key) => same(key.identity, identity)),
    }),
  ).pump();

/** The key between two nodes, bound to who calls whom. */
const bound = (from: string, to: string) => importPsk(provider, KEY, { context: utf8(`${from}\0${to}`) });

describe('Selfie', () => {
  test('a node with one key for everything talks to itself: the attack', () => {
    const alice: Node = { calling: [KEY], called: [KEY] };
    const reflected = connect(alice, alice);
    expect(failures(reflected)).toEqual([]);
    reflected.client.connection.send(utf8('Alice says: pay Bob'));
    expect(reflected.pump().server.text).toBe('Alice says: pay Bob');
  });

  const alice: Node = { calling: [bound('alice', 'bob')], called: [bound('bob', 'alice')] };
  const bob: Node = { calling: [bound('bob', 'alice')], called: [bound('alice', 'bob')] };

  test('with keys bound to who calls whom, the two still meet', () => {
    expect(failures(connect(alice, bob))).toEqual([]);
    expect(failures(connect(bob, alice))).toEqual([]);
  });

  test.each([
    ['Alice', alice],
    ['Bob', bob],
  ])('with keys bound to who calls whom, %s does not meet herself', (_name, node) => {
    const pair = connect(node, node);
    expect(failures(pair)).toEqual(['client: alert-received', 'server: unknown-psk-identity']);
    expect(pair.server.secured).toEqual([]);
  });

  test('who gives a key another name does not make it another key', () => {
    const forged = { ...bound('alice', 'bob'), identity: bound('bob', 'alice').identity };
    const pair = connect({ calling: [forged], called: [] }, alice);
    expect(failures(pair)).toEqual(['client: alert-received', 'server: bad-binder']);
  });

  test('a key that was imported is not the key that it was made of', () => {
    const plain = { ...KEY, identity: bound('alice', 'bob').identity };
    const pair = connect({ calling: [plain], called: [] }, bob);
    expect(failures(pair)).toEqual(['client: alert-received', 'server: bad-binder']);
  });
});

test('what a server says, brought back to it, is no ClientHello', () => {
  const server = victimServer();
  const client = victimClient();
  client.connection.start();
  server.connection.receive(client.take());
  const other = victimServer();
  other.connection.receive(server.take());
  expect(other.errors.map(({ code }) => code)).toEqual(['unexpected-message']);
});

import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { clientConfig, serverConfig } from '@testudo/tls';
import {
  clientEnd,
  encodeMessage,
  keyUpdate,
  type Puppet,
  PuppetClient12,
  PuppetClient13,
  PuppetServer12,
  PuppetServer13,
  serverEnd,
} from '#tls/testing';
import { breachOf, guarded } from './checks.ts';
import { pki } from './flights.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

const NOTHING = new Uint8Array(0);
/** More than the most patient limit: 4,096 tickets. */
const ROUNDS = 4200;
/** For all rounds together, on a busy machine. */
const MOST_MILLISECONDS = 20_000;

const common = { provider: nodeCrypto, groups: ['x25519'] };
const client = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
  clientEnd(clientConfig({ ...common, maxVersion, verifyCertificate: pki.verifier() }));
const server = (renegotiation: boolean) =>
  serverEnd(serverConfig({ ...common, credentials: [pki.server('ed25519')], renegotiation }));

/** A state of a connection, and what a peer may say in it that brings nothing. */
interface Scene {
  readonly name: string;
  open(): Puppet;
  readonly idle: readonly ((puppet: never, random: Random) => void)[];
}

const emptyData = (p: Puppet) => void p.applicationData(NOTHING);
const padded = (p: Puppet, random: Random) => void p.record(23, NOTHING, random.below(300));
/** Those that end no connection by themselves: all of TLS 1.2 at this level, but close_notify. */
const warning = (p: Puppet, random: Random) => void p.alert(1, random.pick([41, 90, 100, 110, 112, 255]));
const userCanceled = (p: Puppet, random: Random) => void p.alert(1 + random.below(2), 90);
const compatibility = (p: Puppet) => void p.changeCipherSpec();
const helloRequest = (p: Puppet) => void p.send(new Uint8Array(4));
/** Half of a HelloRequest, and the rest of it in a record of its own. */
const slowHelloRequest = (p: Puppet) => void p.send(new Uint8Array(1)).send(new Uint8Array(3));
const secondHello = (p: PuppetClient12) => void p.sendHello();
const ticket = (p: PuppetServer13) => void p.send(p.ticket());

function clientUpdate(p: PuppetClient13, random: Random): void {
  p.send(encodeMessage(keyUpdate, { requestUpdate: random.below(2) }));
  p.clientSecret = p.schedule.nextTrafficSecret(p.clientSecret);
  p.sealer = p.schedule.sealer(p.clientSecret);
}

function serverUpdate(p: PuppetServer13, random: Random): void {
  p.send(encodeMessage(keyUpdate, { requestUpdate: random.below(2) }));
  p.serverSecret = p.schedule.nextTrafficSecret(p.serverSecret);
  p.sealer = p.schedule.sealer(p.serverSecret);
}

const toClient13 = () => new PuppetServer13(nodeCrypto, client('TLSv1.3'), pki.server('ed25519'));
const toServer13 = () => new PuppetClient13(nodeCrypto, server(false), pki.client('ed25519'));
const toClient12 = () => new PuppetServer12(nodeCrypto, client('TLSv1.2'), pki.server('ed25519'));
const toServer12 = (renegotiation: boolean) =>
  new PuppetClient12(nodeCrypto, server(renegotiation), pki.client('ed25519'));

const SCENES: readonly Scene[] = [
  {
    name: 'a client of 1.3',
    open: () => toClient13().upTo('done'),
    idle: [emptyData, padded, userCanceled, ticket, serverUpdate],
  },
  {
    name: 'a client of 1.3 in its handshake',
    open: () => toClient13().upTo('server_hello'),
    idle: [compatibility, userCanceled],
  },
  {
    name: 'a server of 1.3',
    open: () => toServer13().complete(),
    idle: [emptyData, padded, userCanceled, clientUpdate],
  },
  {
    name: 'a server of 1.3 in its handshake',
    open: () => toServer13().sendHello(),
    idle: [compatibility, userCanceled],
  },
  {
    name: 'a client of 1.2',
    open: () => toClient12().upTo('done'),
    idle: [emptyData, warning, helloRequest, slowHelloRequest],
  },
  {
    name: 'a client of 1.2 in its handshake',
    open: () => toClient12().upTo('certificate'),
    idle: [warning, helloRequest],
  },
  {
    name: 'a server of 1.2',
    open: () => toServer12(false).complete(),
    idle: [emptyData, warning, secondHello],
  },
  {
    name: 'a server of 1.2 that renegotiates',
    open: () => toServer12(true).complete(),
    idle: [emptyData, warning],
  },
  {
    name: 'a server of 1.2 in its handshake',
    open: () => toServer12(false).sendHello(),
    idle: [warning],
  },
];

/** What brings nothing, over and over, in any mixture: the connection must end, though each of it alone is legal. */
export function flood(random: Random): ReturnType<Target> {
  const { name, open, idle } = random.pick(SCENES);
  const pattern = Array.from({ length: 1 + random.below(6) }, () => random.below(idle.length));
  const breach = guarded(() => {
    const puppet = open();
    const isOver = () => puppet.end.connection.state === 'failed';
    if (isOver()) return `${name}: failed before: ${puppet.end.errors[0]}`;
    for (let round = 0; round < ROUNDS && !isOver(); round++) {
      for (const at of pattern) if (!isOver()) idle[at]!(puppet as never, random);
    }
    if (!isOver()) return `${name}: takes ${ROUNDS} rounds of ${pattern.map((at) => idle[at]!.name)}`;
    return breachOf(puppet.end, NOTHING);
  }, MOST_MILLISECONDS);
  return { breach, input: [concat(Uint8Array.from(pattern))] };
}

import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { clientConfig, serverConfig } from '@testudo/tls';
import {
  certificateRequest13,
  clientEnd,
  clientHello,
  decodeMessage,
  ExtensionBlock,
  encodeMessage,
  finished,
  finishedData,
  type Puppet,
  PuppetClient12,
  PuppetClient13,
  PuppetServer12,
  PuppetServer13,
  postHandshakeAuth,
  renegotiationInfo,
  serverEnd,
  signatureAlgorithms,
  Transcript,
} from '#tls/testing';
import { breachOf, guarded } from './checks.ts';
import { pki } from './flights.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

const NOTHING = new Uint8Array(0);
const EMPTY_HELLO_REQUEST = new Uint8Array(4);

const common = {
  provider: nodeCrypto,
  verifyCertificate: pki.verifier(),
  renegotiation: true,
  groups: ['x25519'],
};

const client = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
  clientEnd(
    clientConfig({ ...common, maxVersion, postHandshakeAuth: true, credentials: [pki.client('ed25519')] }),
  );
const server = () => serverEnd(serverConfig({ ...common, credentials: [pki.server('ed25519')] }));

/** A connection that is open, and what happens then. `isBound` where a Finished covers what the puppet sends. */
interface Scene {
  readonly name: string;
  readonly isBound: boolean;
  open(): Puppet;
  goOn(puppet: never): void;
}

const SCENES: readonly Scene[] = [
  {
    name: 'a server of 1.2 renegotiates',
    isBound: true,
    open() {
      const p = new PuppetClient12(nodeCrypto, server(), pki.client('ed25519')).complete();
      p.transcript = new Transcript(nodeCrypto);
      return p;
    },
    goOn(p: PuppetClient12) {
      p.sendHello((h) => h.extensions.set(renegotiationInfo, p.end.info.finished.received));
      p.send(p.keyExchange());
      p.changeKeys().send(p.finished());
    },
  },
  {
    name: 'a client of 1.2 renegotiates',
    isBound: true,
    open() {
      const p = new PuppetServer12(nodeCrypto, client('TLSv1.2'), pki.server('ed25519')).upTo('done');
      p.transcript = new Transcript(nodeCrypto);
      p.send(EMPTY_HELLO_REQUEST);
      p.hello = decodeMessage(clientHello, p.messages.at(-1)!);
      p.clientRandom = p.hello.random;
      return p;
    },
    goOn(p: PuppetServer12) {
      const { sent, received } = p.end.info.finished;
      const info = concat(sent, received);
      p.send(
        p.serverHello((h) =>
          (h.extensions as ExtensionBlock<'server_hello_12'>).set(renegotiationInfo, info),
        ),
      );
      for (const make of [() => p.certificate(), () => p.keyExchange(), () => p.helloDone()]) p.send(make());
      p.changeKeys().send(p.finished());
    },
  },
  {
    name: 'a server of 1.3 that asked for a certificate',
    isBound: true,
    open() {
      const p = new PuppetClient13(nodeCrypto, server(), pki.client('ed25519'));
      p.sendHello((h) => h.extensions.set(postHandshakeAuth, null));
      p.send(p.finished()).enterApplication();
      p.end.connection.requestClientCertificate();
      return p.collect() as PuppetClient13;
    },
    goOn(p: PuppetClient13) {
      const request = decodeMessage(certificateRequest13, p.messages.at(-1)!);
      const context = Uint8Array.from(request.certificateRequestContext);
      p.send(p.certificate(undefined, context));
      p.send(p.certificateVerify());
      const data = finishedData(nodeCrypto, p.suite.hash, p.clientSecret, p.transcript.digest());
      p.send(p.encoded(finished, { verifyData: data }));
    },
  },
  {
    name: 'a client of 1.3 is asked for a certificate',
    isBound: false,
    open: () =>
      new PuppetServer13(nodeCrypto, client('TLSv1.3'), pki.server('ed25519')).upTo('done') as Puppet,
    goOn(p: PuppetServer13) {
      const extensions = new ExtensionBlock('certificate_request').set(signatureAlgorithms, [0x0807]);
      const request = { certificateRequestContext: Uint8Array.of(1, 2, 3), extensions };
      for (let i = 0; i < 3; i++) p.send(encodeMessage(certificateRequest13, request));
    },
  },
];

/** What comes after the handshake, rightly protected, with one message changed: it must lead to nothing new. */
export function changedAfterwards(random: Random, others: readonly Uint8Array[]): ReturnType<Target> {
  const scene = random.pick(SCENES);
  const input: Uint8Array[] = [];
  const breach = guarded(() => {
    const puppet = scene.open();
    if (puppet.end.connection.state !== 'open') return `${scene.name}: ${puppet.end.errors[0]}`;
    const target = random.below(6);
    let count = 0;
    let isChanged = false;
    const sealed = puppet.sealed.bind(puppet);
    puppet.sealed = (type, content, padding) => {
      if (type !== 22 || count++ !== target) return sealed(type, content, padding);
      const changed = mutate(content, random, random.pick(others)).subarray(0, 16_384);
      // Bytes behind a Finished are another message.
      isChanged = String(changed.subarray(0, content.length)) !== String(content);
      input.push(changed);
      return sealed(type, changed, padding);
    };
    try {
      (scene.goOn as (p: Puppet) => void)(puppet);
    } catch (error) {
      // The puppet cannot go on when the engine has stopped answering.
      if (error instanceof Error && /Connection\.receive\b/.test(error.stack ?? '')) throw error;
    }
    const found = breachOf(puppet.end, NOTHING);
    if (found !== undefined) return `${scene.name}: ${found}`;
    const { changes } = puppet.end;
    if (scene.isBound && isChanged && changes.length > 0)
      return `${scene.name}: believed although message ${target} was changed`;
    if (scene.isBound && count <= target && changes.length !== 1)
      return `${scene.name}: nothing was changed, and it failed: ${puppet.end.errors[0]}`;
    return undefined;
  });
  return { breach, input };
}

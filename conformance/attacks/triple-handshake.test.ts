import { constants, publicEncrypt } from 'node:crypto';
import {
  type ClientOptions,
  cipherSuite,
  MemorySessionStore,
  type RawMessage,
  type ServerOptions,
  serverConfig,
} from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import {
  connectionKeys,
  decodeMessage,
  type ExtensionBlock,
  extendedMasterSecret,
  HANDSHAKE_TYPE,
  masterSecret,
  Pair,
  PuppetServer12,
  serverEnd,
  serverName,
  serverNamesFor,
  type TestEnd,
} from '#tls/testing';
import { EXCHANGE, RSA_GCM, RsaClient } from './rsa-client.ts';
import { failures, pki, provider, victimClient } from './support.ts';

// Triple handshake (CVE-2014-1295, RFC 7627 §1): a server that the victim talks to has both the victim and another server end
// with the same master secret, so that what binds to it (resumption, renegotiation, channel bindings) no longer tells them apart.

const ATTACKER = 'attacker.example';
const suites = ['TLS_RSA_WITH_AES_128_GCM_SHA256'];

/** A server with a certificate of its own, which reads the secret that a client encrypts to it. */
class RsaServer extends PuppetServer12 {
  override suite = cipherSuite(RSA_GCM)!;
  preMasterSecret!: Uint8Array;

  protected override onMessage(message: RawMessage): void {
    if (message.type !== HANDSHAKE_TYPE.client_key_exchange) return;
    const { encrypted } = decodeMessage(EXCHANGE, message) as unknown as { encrypted: Uint8Array };
    const block = this.credential.decryptRsa!(encrypted) as Uint8Array;
    this.preMasterSecret = block.slice(-48);
    this.master = masterSecret(this.handshake, this.terms, this.preMasterSecret.slice());
    this.keys = connectionKeys(this.handshake, this.terms, this.master);
  }
}

/** The attacker between the two, who tells each the other's random, and encrypts the victim's secret to the server. */
function meetInTheMiddle(
  isExtended: boolean,
  client: Partial<ClientOptions> = {},
  server: Partial<ServerOptions> = {},
): { victim: TestEnd; server: TestEnd } {
  const victim = victimClient({ maxVersion: 'TLSv1.2', cipherSuites: suites, ...client }, { host: ATTACKER });
  const evil = new RsaServer(provider, victim, pki.server('rsa', { name: ATTACKER }));
  const config = serverConfig({
    provider,
    credentials: [pki.server('rsa')],
    maxVersion: 'TLSv1.2',
    cipherSuites: suites,
    ...server,
  });
  const target = serverEnd(config);
  const posing = new RsaClient(target);
  const strip = (block: unknown): void => {
    if (!isExtended) (block as ExtensionBlock<'client_hello'>).delete(extendedMasterSecret);
  };
  posing.sendHello((hello) => {
    Object.assign(hello, { random: evil.clientRandom });
    hello.extensions.set(serverName, serverNamesFor(ATTACKER));
    strip(hello.extensions);
  });
  if (target.errors.length > 0) return { victim, server: target };
  evil.send(
    evil.serverHello((hello) => {
      Object.assign(hello, { random: posing.serverRandom, legacySessionIdEcho: posing.sessionId });
      strip(hello.extensions);
    }),
  );
  if (victim.errors.length > 0) return { victim, server: target };
  evil.send(evil.certificate());
  evil.send(evil.helloDone());
  const secret = evil.preMasterSecret;
  const padding = constants.RSA_PKCS1_PADDING;
  const ciphertext = publicEncrypt({ key: posing.serverKey, padding }, secret);
  posing.send(posing.exchange(ciphertext, secret));
  posing.changeKeys().send(posing.finished());
  evil.changeKeys().send(evil.finished());
  return { victim, server: target };
}

const masterOf = (end: TestEnd) => end.secrets.get('CLIENT_RANDOM');

describe('the first handshake', () => {
  test('gives both the same master secret where it is not bound to the handshake: the attack', () => {
    const { victim, server } = meetInTheMiddle(false);
    expect([victim.errors, server.errors]).toEqual([[], []]);
    expect(masterOf(victim)).toBe(masterOf(server));
    expect(victim.info.extendedMasterSecret).toBe(false);
  });

  test('gives them different ones with the extended master secret', () => {
    const { victim, server } = meetInTheMiddle(true);
    expect([victim.errors, server.errors]).toEqual([[], []]);
    expect(masterOf(victim)).toBeDefined();
    expect(masterOf(victim)).not.toBe(masterOf(server));
  });

  test('a client and a server that insist on it cannot be talked out of it', () => {
    const strict = { allowNoExtendedMasterSecret: false };
    const client = meetInTheMiddle(false, strict).victim;
    expect(client.errors.map(({ code }) => code)).toEqual(['no-extended-master-secret']);
    const { server } = meetInTheMiddle(false, {}, strict);
    expect(server.errors.map(({ code }) => code)).toEqual(['no-extended-master-secret']);
  });
});

describe('the second handshake, which resumes the first', () => {
  test.each([false, true])('is none: the victim is told who it talks to (extended: %s)', (isExtended) => {
    const sessionStore = new MemorySessionStore();
    const { victim } = meetInTheMiddle(isExtended, {}, { sessionStore });
    const session = victim.sessions[0]!;
    expect(session.id.length).toBe(32);
    const config = serverConfig({
      provider,
      credentials: [pki.server('rsa')],
      maxVersion: 'TLSv1.2',
      cipherSuites: suites,
      sessionStore,
    });
    // From here on the attacker would only carry bytes to and fro.
    const again = new Pair(
      victimClient({ maxVersion: 'TLSv1.2', cipherSuites: suites }, { host: ATTACKER, session }),
      serverEnd(config),
    ).pump();
    expect([again.client.secured, again.server.secured]).toEqual([[], []]);
    // Either the server starts anew, with a certificate that is not the attacker's; or it resumes, under other keys.
    const code = isExtended ? 'bad-record-mac' : 'bad-certificate';
    expect(failures(again)).toEqual([`client: ${code}`, 'server: alert-received']);
  });
});

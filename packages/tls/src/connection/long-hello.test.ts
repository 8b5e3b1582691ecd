import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { serverConfig } from '../config/server.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { HANDSHAKE } from '../record/content-type.ts';
import { serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, type Puppet, refused } from '../testing/puppet.ts';
import { PuppetClient13, type WritableClientHello } from '../testing/puppet-client13.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';

// A ClientHello may be as long as its lists allow (RFC 9846 §4.2.2): 131,396 bytes, of which nobody needs the most.

const pki = new TestPki(nodeCrypto);
const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()] });

/** Of a number that nobody has. */
const UNKNOWN_EXTENSION = 0xfb01;
const MOST_SUITES = 32_767;

/** As long as it can be: of suites 65,534 bytes, of extensions 65,535, of methods `methods`. */
function fill(hello: WritableClientHello, methods: number): void {
  hello.legacySessionId = new Uint8Array(32).fill(7);
  const unknown = Array.from({ length: MOST_SUITES - hello.cipherSuites.length }, () => 0x0a0a);
  hello.cipherSuites = [...unknown, ...hello.cipherSuites];
  hello.legacyCompressionMethods = Array.from({ length: methods }, (_, index) => index);
  const present = encodeMessage(clientHello, { ...hello }).length - 4;
  const fixed = 2 + 32 + 33 + 2 + 2 * MOST_SUITES + 1 + methods + 2;
  hello.extensions.setRaw(UNKNOWN_EXTENSION, new Uint8Array(65_535 - (present - fixed) - 4));
}

const send = (puppet: Puppet, message: Uint8Array, step: number) => {
  for (let at = 0; at < message.length; at += step) puppet.record(HANDSHAKE, message.subarray(at, at + step));
};

describe.each([1000, 16_384])('in records of %i bytes', (step) => {
  test('one of TLS 1.3', () => {
    const p = new PuppetClient13(nodeCrypto, serverEnd(config), pki.client());
    const hello = p.hello();
    fill(hello, 1);
    const message = p.encoded(clientHello, hello);
    expect(message).toHaveLength(4 + 131_142);
    send(p, message, step);
    p.send(p.finished());
    expect([p.end.errors, p.end.info.version]).toEqual([[], 'TLSv1.3']);
  });

  test('one of TLS 1.2, the longest that there can be', () => {
    const p = new PuppetClient12(nodeCrypto, serverEnd(config), pki.client());
    const hello = p.hello();
    fill(hello, 255);
    p.clientRandom = hello.random;
    const message = p.encoded(clientHello, hello);
    expect(message).toHaveLength(4 + 131_396);
    send(p, message, step);
    p.send(p.keyExchange());
    p.changeKeys().send(p.finished());
    expect([p.end.errors, p.end.info.version]).toEqual([[], 'TLSv1.2']);
  });

  test('one byte more is refused when its header has come', () => {
    const p = new PuppetClient12(nodeCrypto, serverEnd(config), pki.client());
    expect(outcomeOf(p.record(HANDSHAKE, Uint8Array.of(1, 2, 1, 0x45)))).toEqual(refused('message-too-long'));
  });
});

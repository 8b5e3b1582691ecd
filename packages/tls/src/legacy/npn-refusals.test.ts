import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { alpn } from '../extensions/alpn.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { nextProtocolNegotiation } from '../extensions/next-protocol.ts';
import { handshakeTypeName } from '../messages/handshake-type.ts';
import { nextProtocol } from '../messages/next-protocol.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';
import { npnClient, npnServer } from './index.ts';

// Next Protocol Negotiation with peers that do not keep to it: NextProtocol stands between ChangeCipherSpec and Finished, once,
// where the hellos said so, and nowhere else.

const pki = new TestPki(nodeCrypto);
const provider = nodeCrypto;

/** A client that obeys the test, with its offer or without, up to its ClientKeyExchange. */
function clientUpToKeys(
  server: Partial<ServerOptions> = { npn: npnServer(['a']) },
  offers = true,
): PuppetClient12 {
  const config = serverConfig({ provider, credentials: [pki.server()], ...server });
  const puppet = new PuppetClient12(provider, serverEnd(config), pki.client());
  puppet.sendHello(({ extensions }) => {
    if (offers) (extensions as ExtensionBlock<'client_hello'>).set(nextProtocolNegotiation, null);
  });
  return puppet.send(puppet.keyExchange());
}

const select = (puppet: PuppetClient12, protocol = 'a') => puppet.encoded(nextProtocol, protocol);
/** As it is, without a place in the transcript. */
const raw = (...body: number[]) => Uint8Array.of(67, 0, body.length >> 8, body.length & 0xff, ...body);
const zeros = (length: number): number[] => new Array(length).fill(0);

describe('a server', () => {
  test('takes NextProtocol where it should stand', () => {
    const puppet = clientUpToKeys().changeKeys();
    puppet.send(select(puppet, 'b')).send(puppet.finished());
    expect(puppet.end.secured[0]).toMatchObject({ npnProtocol: 'b' });
    expect(outcomeOf(puppet)).toMatchObject({ state: 'open', alerts: [] });
  });

  const UNEXPECTED: readonly (readonly [string, (puppet: PuppetClient12) => void])[] = [
    ['missing', (puppet) => puppet.changeKeys().send(puppet.finished())],
    [
      'twice',
      (puppet) => {
        puppet.changeKeys().send(select(puppet));
        puppet.send(select(puppet)).send(puppet.finished());
      },
    ],
    [
      'twice, in one record',
      (puppet) => puppet.changeKeys().sendTogether(select(puppet), select(puppet), puppet.finished()),
    ],
    ['before ChangeCipherSpec', (puppet) => puppet.send(select(puppet))],
    [
      'after Finished',
      (puppet) => {
        puppet.changeKeys();
        const message = select(puppet);
        puppet.send(puppet.finished()).send(message);
      },
    ],
    ['without ChangeCipherSpec', (puppet) => puppet.sendTogether(select(puppet), puppet.finished())],
    ['replaced by data', (puppet) => puppet.changeKeys().applicationData(utf8('x'))],
    ['replaced by ClientKeyExchange', (puppet) => puppet.changeKeys().send(puppet.keyExchange())],
  ];
  test.each(UNEXPECTED)('refuses NextProtocol: %s', (_what, act) => {
    const puppet = clientUpToKeys();
    act(puppet);
    expect(outcomeOf(puppet)).toEqual(refused('unexpected-message'));
    expect(puppet.end.secured).toEqual([]);
  });

  test('refuses one after a handshake that had its own', () => {
    const puppet = clientUpToKeys().changeKeys();
    puppet.send(select(puppet)).send(puppet.finished());
    expect(puppet.end.secured).toHaveLength(1);
    puppet.send(select(puppet));
    expect(outcomeOf(puppet)).toEqual(refused('unexpected-message'));
  });

  test.each([
    ['the client did not offer it', { npn: npnServer(['a']) }, false],
    ['this server does not know it', {}, true],
    ['ALPN decides', { npn: npnServer(['a']), alpnProtocols: () => 'h' }, true],
  ])('refuses NextProtocol where %s', (what, options, offers) => {
    const config = serverConfig({ provider, credentials: [pki.server()], ...options });
    const puppet = new PuppetClient12(provider, serverEnd(config), pki.client());
    puppet.sendHello(({ extensions }) => {
      const block = extensions as ExtensionBlock<'client_hello'>;
      if (offers) block.set(nextProtocolNegotiation, null);
      if (what === 'ALPN decides') block.set(alpn, ['h']);
    });
    puppet.send(puppet.keyExchange()).changeKeys();
    expect(puppet.end.errors).toEqual([]);
    puppet.send(select(puppet));
    expect(outcomeOf(puppet)).toEqual(refused('unexpected-message'));
  });

  test.each([
    ['padding that is too short', [1, 97, 28, ...zeros(28)]],
    ['padding that is too long', [1, 97, 30, ...zeros(30)]],
    ['a whole block too much', [1, 97, 61, ...zeros(61)]],
    ['no padding', [1, 97, 0]],
    ['no padding where the name fills the block', [30, ...zeros(30), 0]],
    ['no length of padding', [1, 97]],
    ['something in the padding', [1, 97, 29, ...zeros(28), 1]],
    ['bytes left over', [1, 97, 29, ...zeros(30)]],
    ['padding that is cut off', [1, 97, 29, ...zeros(28)]],
    ['a name that is cut off', [255, 97]],
    ['nothing', []],
  ])('refuses %s', (_what, body) => {
    const puppet = clientUpToKeys()
      .changeKeys()
      .send(raw(...body));
    expect(outcomeOf(puppet)).toEqual(refused('malformed-message'));
  });

  test('refuses a NextProtocol that is not in the Finished', () => {
    const puppet = clientUpToKeys()
      .changeKeys()
      .send(raw(1, 97, 29, ...zeros(29)));
    puppet.send(puppet.finished());
    expect(outcomeOf(puppet)).toEqual(refused('bad-finished'));
  });
});

describe('a client', () => {
  function server(options: Partial<ClientOptions> = {}): PuppetServer12 {
    const config = clientConfig({
      provider,
      verifyCertificate: pki.verifier(),
      maxVersion: 'TLSv1.2',
      npn: npnClient(['a']),
      ...options,
    });
    return new PuppetServer12(provider, clientEnd(config), pki.server());
  }

  /** ServerHello with this list. */
  function hello(puppet: PuppetServer12, names: string[], protocol?: string): Uint8Array {
    return puppet.serverHello(({ extensions }) => {
      const block = extensions as ExtensionBlock<'server_hello_12'>;
      block.set(nextProtocolNegotiation, names);
      if (protocol !== undefined) block.set(alpn, protocol);
    });
  }

  test('sends NextProtocol under its keys, and Finished after it', () => {
    const puppet = server();
    puppet.send(hello(puppet, ['b', 'a']), puppet.certificate(), puppet.keyExchange(), puppet.helloDone());
    puppet.changeKeys().send(puppet.finished());
    expect(puppet.end.secured[0]).toMatchObject({ npnProtocol: 'a' });
    expect(puppet.messages.map(({ type }) => handshakeTypeName(type))).toEqual([
      'client_hello',
      'client_key_exchange',
      'next_protocol',
      'finished',
    ]);
    expect([puppet.changeCipherSpecs, puppet.unreadable]).toEqual([1, 0]);
  });

  test('refuses a list that it did not ask for', () => {
    const puppet = server({ npn: undefined });
    puppet.send(hello(puppet, ['a']));
    expect(outcomeOf(puppet)).toEqual(refused('unsolicited-extension'));
  });

  test('refuses a server that negotiates by ALPN, too', () => {
    const puppet = server({ alpnProtocols: ['h'] });
    puppet.send(hello(puppet, ['a'], 'h'));
    expect(outcomeOf(puppet)).toEqual(refused('illegal-parameter'));
  });

  test('refuses a list in TLS 1.3, wherever it stands', () => {
    for (const place of ['serverHello', 'encryptedExtensions'] as const) {
      const config = clientConfig({ provider, verifyCertificate: pki.verifier(), npn: npnClient(['a']) });
      const puppet = new PuppetServer13(provider, clientEnd(config), pki.server());
      const change = (block: ExtensionBlock<never>) => void block.setRaw(13172, Uint8Array.of(1, 97));
      if (place === 'serverHello') {
        puppet.sendServerHello(({ extensions }) => change(extensions as ExtensionBlock<never>));
      } else {
        puppet.upTo('server_hello').send(puppet.encryptedExtensions((block) => change(block as never)));
      }
      expect(outcomeOf(puppet)).toEqual(refused('misplaced-extension'));
    }
  });

  test.each(['before', 'after'])('refuses NextProtocol from a server: %s ChangeCipherSpec', (when) => {
    const puppet = server();
    puppet.send(hello(puppet, ['a']), puppet.certificate(), puppet.keyExchange(), puppet.helloDone());
    if (when === 'after') puppet.changeKeys();
    puppet.send(puppet.encoded(nextProtocol, 'a'));
    expect(outcomeOf(puppet)).toEqual(refused('unexpected-message'));
  });
});

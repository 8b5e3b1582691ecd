import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { keyShare } from '../extensions/key-share.ts';
import { handshakeTypeName } from '../messages/handshake-type.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, type Puppet, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';

// Every type of message in every state of both roles and versions: whatever is not due is unexpected.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const asks = { clientCertificate: 'require', verifyCertificate } as const;

const client = () => clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate }));
const server = (options: Partial<ServerOptions> = {}) =>
  serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options }));

const server13 = () => new PuppetServer13(nodeCrypto, client(), pki.server());
const client13 = (options?: Partial<ServerOptions>) =>
  new PuppetClient13(nodeCrypto, server(options), pki.client());
const server12 = () => new PuppetServer12(nodeCrypto, client(), pki.server());
const client12 = (options?: Partial<ServerOptions>) =>
  new PuppetClient12(nodeCrypto, server(options), pki.client());

/** Types by the RFCs, and two that nobody has given a meaning. */
const TYPES = [0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 99, 254, 255];

type State = readonly [state: string, reach: () => Puppet, due: readonly number[]];

function send<P extends Puppet>(p: P, ...make: ((p: P) => Uint8Array)[]): P {
  for (const message of make) p.send(message(p));
  return p;
}

const STATES: Readonly<Record<string, readonly State[]>> = {
  'a client of 1.3': [
    ['waits for ServerHello', server13, [2]],
    ['waits for a second ServerHello', () => server13().sendRetry(0x0017), [2]],
    ['waits for EncryptedExtensions', () => server13().upTo('server_hello'), [8]],
    ['waits for Certificate', () => server13().upTo('encrypted_extensions'), [11, 13]],
    [
      'waits for Certificate after a request',
      () => send(server13().upTo('encrypted_extensions'), (p) => p.certificateRequest()),
      [11],
    ],
    ['waits for CertificateVerify', () => server13().upTo('certificate'), [15]],
    ['waits for Finished', () => server13().upTo('certificate_verify'), [20]],
    ['is connected', () => server13().upTo('done'), [4, 24]],
  ],
  'a server of 1.3': [
    ['waits for ClientHello', client13, [1]],
    [
      'waits for a second ClientHello',
      () => client13().sendHello((h) => h.extensions.set(keyShare, [])),
      [1],
    ],
    ['waits for Finished', () => client13().sendHello(), [20]],
    ['waits for Certificate', () => client13(asks).sendHello(), [11]],
    ['waits for CertificateVerify', () => send(client13(asks).sendHello(), (p) => p.certificate()), [15]],
    [
      'waits for Finished after CertificateVerify',
      () =>
        send(
          client13(asks).sendHello(),
          (p) => p.certificate(),
          (p) => p.certificateVerify(),
        ),
      [20],
    ],
    ['is connected', () => client13().complete(), [24]],
  ],
  'a client of 1.2': [
    ['waits for Certificate', () => server12().upTo('server_hello'), [0, 11]],
    ['waits for ServerKeyExchange', () => server12().upTo('certificate'), [0, 12]],
    ['waits for ServerHelloDone', () => server12().upTo('server_key_exchange'), [0, 13, 14]],
    [
      'waits for ServerHelloDone after a request',
      () => send(server12().upTo('server_key_exchange'), (p) => p.certificateRequest()),
      [0, 14],
    ],
    ['waits for ChangeCipherSpec', () => server12().upTo('server_hello_done'), []],
    ['waits for Finished', () => server12().upTo('ccs'), [0, 20]],
  ],
  'a server of 1.2': [
    ['waits for ClientKeyExchange', () => client12().sendHello(), [16]],
    ['waits for Certificate', () => client12(asks).sendHello(), [11]],
    [
      'waits for ClientKeyExchange after Certificate',
      () => send(client12(asks).sendHello(), (p) => p.certificate()),
      [16],
    ],
    [
      'waits for CertificateVerify',
      () =>
        send(
          client12(asks).sendHello(),
          (p) => p.certificate(),
          (p) => p.keyExchange(),
        ),
      [15],
    ],
    ['waits for ChangeCipherSpec', () => send(client12().sendHello(), (p) => p.keyExchange()), []],
    ['waits for Finished', () => send(client12().sendHello(), (p) => p.keyExchange()).changeKeys(), [20]],
  ],
};

describe.each(Object.entries(STATES))('%s', (_role, states) => {
  test.each(states)('that %s takes nothing else', (_state, reach, due) => {
    for (const type of TYPES) {
      if (due.includes(type)) continue;
      const p = reach();
      expect(p.end.errors).toEqual([]);
      p.send(Uint8Array.of(type, 0, 0, 0));
      expect([handshakeTypeName(type), outcomeOf(p)]).toEqual([
        handshakeTypeName(type),
        refused('unexpected-message'),
      ]);
      expect(p.end.secured).toHaveLength(reach.name === '' && _state === 'is connected' ? 1 : 0);
    }
  });

  test.each(states)('that %s takes no application data', (state, reach) => {
    if (state === 'is connected') return;
    const p = reach();
    p.applicationData(Uint8Array.of(1));
    expect(outcomeOf(p)).toEqual(refused('unexpected-message'));
    expect(p.end.data).toEqual([]);
  });

  test.each(states)('that %s reports what the peer says, and answers nothing', (_state, reach) => {
    const p = reach().alert(2, 40);
    expect(outcomeOf(p)).toEqual(refused('alert-received'));
    expect(p.end.errors[0]!.receivedAlert).toBe('handshake_failure');
  });

  test.each(states)('that %s does not take the end for an end', (state, reach) => {
    if (state === 'is connected') return;
    const ended = reach();
    ended.end.connection.receiveEnd();
    expect(outcomeOf(ended)).toEqual(refused('truncated'));
    expect(outcomeOf(reach().alert(1, 0))).toEqual(refused('truncated'));
  });
});

test.each([
  ['a client of 1.2', () => server12().upTo('done')],
  ['a server of 1.2', () => client12().complete()],
] as const)(
  '%s that is connected takes no message but a wish to renegotiate, which it declines',
  (role, reach) => {
    for (const type of TYPES) {
      const p = reach().send(Uint8Array.of(type, 0, 0, 0));
      if (type === (role === 'a client of 1.2' ? 0 : 1)) {
        expect(outcomeOf(p)).toMatchObject({ state: 'open', alerts: ['warning no_renegotiation'] });
      } else expect(outcomeOf(p)).toEqual(refused('unexpected-message'));
    }
  },
);

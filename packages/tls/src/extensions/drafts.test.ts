import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { npnServer } from '../legacy/npn.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';
import { alpn } from './alpn.ts';
import { ExtensionBlock } from './block.ts';
import { EXTENSIONS } from './table.ts';

// A draft's number may be given to something else: who has not turned it on passes over whatever it holds.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const DRAFTS = EXTENSIONS.filter(({ isDraft }) => isDraft).map(({ id, name }) => [name, id] as const);
const CONTENTS = [[], [7], [0, 1, 0], new Array(300).fill(0xa5)];

const server = (options: Partial<ServerOptions> = {}) =>
  serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options }));
const client = (options: Partial<ClientOptions> = {}) =>
  clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }));

test('there are drafts', () => {
  expect(DRAFTS.map(([name]) => name)).toEqual([
    'next_protocol_negotiation',
    'application_settings_old',
    'application_settings',
    'tls_flags',
    'trust_anchors',
  ]);
});

describe.each(DRAFTS)('%s', (_name, id) => {
  const allContents = CONTENTS.map((each) => [each] as const);

  test.each(allContents)('a server of TLS 1.3 passes over %j', (data) => {
    const p = new PuppetClient13(nodeCrypto, server(), pki.client());
    p.sendHello((h) => h.extensions.setUnread(id, Uint8Array.from(data)));
    expect(p.send(p.finished()).end.connection.state).toBe('open');
  });

  test.each(allContents)('a server of TLS 1.3 passes over %j when it asks for a share, too', (data) => {
    const p = new PuppetClient13(nodeCrypto, server({ groups: ['secp384r1'] }), pki.client());
    p.sendHello((h) => h.extensions.setUnread(id, Uint8Array.from(data)));
    expect([p.end.errors, p.end.log.at(-1)]).toEqual([[], 'sent ccs']);
  });

  test.each(allContents)('a server of TLS 1.2 passes over %j', (data) => {
    const p = new PuppetClient12(nodeCrypto, server(), pki.client());
    p.sendHello((h) => h.extensions.setUnread(id, Uint8Array.from(data)));
    p.send(p.keyExchange());
    expect(p.changeKeys().send(p.finished()).end.connection.state).toBe('open');
  });

  test.each(allContents)('a client passes over %j in a ticket and in a request', (data) => {
    const p = new PuppetServer13(nodeCrypto, client(), pki.server()).upTo('done');
    const extensions = new ExtensionBlock('new_session_ticket').setUnread(id, Uint8Array.from(data));
    p.send(p.ticket({ extensions }));
    expect([p.end.errors, p.end.sessions.length]).toEqual([[], 1]);
    const asked = new PuppetServer13(nodeCrypto, client(), pki.server()).upTo('server_hello');
    asked.send(asked.encryptedExtensions());
    asked.send(asked.certificateRequest((block) => block.setUnread(id, Uint8Array.from(data))));
    asked.send(asked.certificate());
    asked.send(asked.certificateVerify());
    expect(asked.send(asked.finished()).end.connection.state).toBe('open');
  });

  test.each(allContents)('a client takes no answer that it did not ask for: %j', (data) => {
    const p = new PuppetServer13(nodeCrypto, client(), pki.server()).upTo('server_hello');
    p.send(p.encryptedExtensions((block) => void block.setUnread(id, Uint8Array.from(data))));
    expect(outcomeOf(p)).toEqual(refused('unsolicited-extension'));
  });
});

describe('who has turned it on reads it', () => {
  const offering = (name: string, data: number[]) => {
    const id = DRAFTS.find(([each]) => each === name)![1];
    const credentials = [{ ...pki.server(), trustAnchorId: Uint8Array.of(1) }];
    const settings = { applicationSettings: { h2: new Uint8Array(0) }, alpnProtocols: ['h2'] };
    const p = new PuppetClient13(nodeCrypto, server({ credentials, ...settings }), pki.client());
    return p.sendHello((h) => h.extensions.setUnread(id, Uint8Array.from(data)).set(alpn, ['h2']));
  };

  test.each([
    ['trust_anchors', [0]],
    ['trust_anchors', [0, 1, 0]],
    ['application_settings', [7]],
    ['application_settings', [0, 0]],
  ])('%s of %j is malformed', (name, data) => {
    expect(outcomeOf(offering(name, data))).toEqual(refused('malformed-message'));
  });

  test.each([
    ['trust_anchors', [0, 2, 1, 1]],
    ['application_settings', [0, 3, 2, 0x68, 0x32]],
    ['application_settings_old', [0, 0]],
  ])('%s of %j is not', (name, data) => {
    expect(offering(name, data).end.connection.state).toBe('handshaking');
  });

  test('next_protocol_negotiation with anything in it is malformed', () => {
    const p = new PuppetClient12(nodeCrypto, server({ npn: npnServer(['h2']) }), pki.client());
    p.sendHello((h) => h.extensions.setUnread(13172, Uint8Array.of(1)));
    expect(outcomeOf(p)).toEqual(refused('malformed-message'));
  });
});

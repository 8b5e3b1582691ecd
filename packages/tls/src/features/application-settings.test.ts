import { concat, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { alpn } from '../extensions/alpn.ts';
import { applicationSettings, applicationSettingsOld } from '../extensions/application-settings.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { clientEncryptedExtensions } from '../messages/encrypted-extensions.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { decodeSession, encodeSession, type Session } from '../sessions/session.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { learnSettings, ownSettings } from './application-settings.ts';

// draft-vvv-tls-alps-01.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const h2 = (settings: string) => ({
  alpnProtocols: ['h2', 'http/1.1'],
  applicationSettings: { h2: utf8(settings) },
});

function clientFor(
  options: Partial<ClientOptions>,
  resume: { session?: Session; earlyData?: boolean } = {},
): TestEnd {
  return clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }), resume);
}

function serverFor(options: Partial<ServerOptions>): TestEnd {
  return serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options }));
}

function join(client: Partial<ClientOptions>, server: Partial<ServerOptions>): Pair {
  return new Pair(clientFor(client), serverFor(server)).pump();
}

function expectSettings(pair: Pair, client: string | undefined, server: string | undefined): void {
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  const both = (sent: string, received: string) => ({ sent: utf8(sent), received: utf8(received) });
  const none = client === undefined || server === undefined;
  expect(pair.client.info.applicationSettings).toEqual(none ? undefined : both(client, server));
  expect(pair.server.info.applicationSettings).toEqual(none ? undefined : both(server, client));
}

const sentBy = (end: TestEnd) => end.log.filter((line) => line.startsWith('sent '));

describe('application settings', () => {
  test('are exchanged, the client with a message of its own', () => {
    const pair = join(h2('of the client'), h2('of the server'));
    expectSettings(pair, 'of the client', 'of the server');
    expect(sentBy(pair.client)).toEqual([
      'sent client_hello',
      'sent ccs',
      'sent encrypted_extensions',
      'sent finished',
    ]);
    pair.client.connection.send(utf8('request'));
    expect(pair.pump().server.text).toBe('request');
  });

  test('go before the certificate of a client', () => {
    const pair = join(
      { ...h2('c'), credentials: [pki.client()] },
      { ...h2('s'), clientCertificate: 'require', verifyCertificate },
    );
    expectSettings(pair, 'c', 's');
    expect(sentBy(pair.client).slice(2)).toEqual([
      'sent encrypted_extensions',
      'sent certificate',
      'sent certificate_verify',
      'sent finished',
    ]);
  });

  test('may be empty', () => {
    expectSettings(join(h2(''), h2('')), '', '');
  });

  test('go under the older number where the options say so, and under one that both have', () => {
    const old = { applicationSettingsCodePoints: [17_513] } as const;
    const both = { applicationSettingsCodePoints: [17_613, 17_513] } as const;
    expectSettings(join({ ...h2('c'), ...old }, { ...h2('s'), ...old }), 'c', 's');
    expectSettings(join({ ...h2('c'), ...both }, { ...h2('s'), ...old }), 'c', 's');
    expectSettings(join({ ...h2('c'), ...old }, { ...h2('s'), ...both }), 'c', 's');
    expectSettings(join({ ...h2('c'), ...old }, h2('s')), undefined, undefined);
  });

  test.each<[string, Partial<ClientOptions>, Partial<ServerOptions>]>([
    ['the client has none', { alpnProtocols: ['h2'] }, h2('s')],
    ['the server has none', h2('c'), { alpnProtocols: ['h2'] }],
    ['another protocol is chosen', h2('c'), { ...h2('s'), alpnProtocols: ['http/1.1'] }],
    ['no protocol is chosen', h2('c'), { applicationSettings: { h2: utf8('s') } }],
    ['TLS 1.2 is chosen', h2('c'), { ...h2('s'), maxVersion: 'TLSv1.2' }],
    ['the client only knows TLS 1.2', { ...h2('c'), maxVersion: 'TLSv1.2' }, h2('s')],
  ])('are not exchanged where %s', (_, client, server) => {
    const pair = join(client, server);
    expectSettings(pair, undefined, undefined);
    expect(sentBy(pair.client)).not.toContain('sent encrypted_extensions');
  });

  test('are offered for the protocols that are offered, and only where there are some', () => {
    const offered = (options: Partial<ClientOptions>) => {
      const { hello } = new PuppetServer13(nodeCrypto, clientFor(options), pki.server());
      return [hello.extensions.get(applicationSettings), hello.extensions.get(applicationSettingsOld)];
    };
    expect(offered(h2('c'))).toEqual([['h2'], undefined]);
    expect(offered({ ...h2('c'), applicationSettingsCodePoints: [17_513] })).toEqual([undefined, ['h2']]);
    expect(offered({ alpnProtocols: ['h2'] })).toEqual([undefined, undefined]);
    expect(offered({ ...h2('c'), alpnProtocols: ['http/1.1'] })).toEqual([undefined, undefined]);
    expect(offered({ applicationSettings: { h2: utf8('c') } })).toEqual([undefined, undefined]);
  });

  test('longer than 16,384 bytes, or under another number, are a mistake in the options', () => {
    const config = (options: Partial<ClientOptions>) => () => clientFor(options);
    expect(config({ applicationSettings: { h2: new Uint8Array(16_384) } })).not.toThrow();
    const bad = expect.objectContaining({ code: 'bad-option' });
    expect(config({ applicationSettings: { h2: new Uint8Array(16_385) } })).toThrow(bad);
    expect(config({ ...h2(''), applicationSettingsCodePoints: [17_514 as 17_513] })).toThrow(bad);
  });
});

describe('a client', () => {
  const flight = (
    options: Partial<ClientOptions>,
    answer: (block: ExtensionBlock<'encrypted_extensions'>) => void,
  ) => {
    const puppet = new PuppetServer13(nodeCrypto, clientFor(options), pki.server());
    puppet.sendServerHello().send(puppet.encryptedExtensions(answer));
    return puppet;
  };
  const settings = utf8('s');

  test('answers after the server’s Finished, with what it has for the protocol', () => {
    const puppet = flight(h2('mine'), (block) => block.set(alpn, 'h2').set(applicationSettings, settings));
    puppet.send(puppet.certificate(), puppet.certificateVerify());
    expect(puppet.messages).toHaveLength(1);
    puppet.send(puppet.finished());
    const [, answer, last] = puppet.messages;
    // ExtensionType 17613, 4 bytes: draft-vvv-tls-alps-01 §4.1, and RFC 9846 §4 for the header.
    expect(answer!.raw).toEqual(concat(Uint8Array.of(8, 0, 0, 10, 0, 8, 0x44, 0xcd, 0, 4), utf8('mine')));
    expect(last!.type).toBe(20);
    expect(puppet.unreadable).toBe(0);
  });

  test.each<[string, (block: ExtensionBlock<'encrypted_extensions'>) => void]>([
    ['without ALPN', (block) => block.set(applicationSettings, settings)],
    [
      'for a protocol of which there are none',
      (block) => block.set(alpn, 'http/1.1').set(applicationSettings, settings),
    ],
  ])('refuses settings %s', (_, answer) => {
    expect(outcomeOf(flight(h2('c'), answer))).toEqual(refused('illegal-parameter'));
  });

  test('refuses settings that it did not ask for, and those under the other number', () => {
    const answer = (block: ExtensionBlock<'encrypted_extensions'>) =>
      block.set(alpn, 'h2').set(applicationSettings, settings);
    expect(outcomeOf(flight({ alpnProtocols: ['h2'] }, answer))).toEqual(refused('unsolicited-extension'));
    const old = { ...h2('c'), applicationSettingsCodePoints: [17_513] } as const;
    expect(outcomeOf(flight(old, answer))).toEqual(refused('unsolicited-extension'));
  });

  test('refuses settings under both numbers, even where it asked for both', () => {
    const both = { ...h2('c'), applicationSettingsCodePoints: [17_613, 17_513] } as const;
    const puppet = flight(both, (block) =>
      block.set(alpn, 'h2').set(applicationSettings, settings).set(applicationSettingsOld, settings),
    );
    expect(outcomeOf(puppet)).toEqual(refused('illegal-parameter'));
  });
});

describe('a server', () => {
  const hello = () => {
    const puppet = new PuppetClient13(nodeCrypto, serverFor(h2('s')), pki.client());
    return puppet.sendHello(({ extensions }) => {
      extensions.set(alpn, ['h2']).set(applicationSettings, ['h2']);
    });
  };
  const answer = (
    puppet: PuppetClient13,
    change: (block: ExtensionBlock<'client_encrypted_extensions'>) => void,
  ) => {
    const extensions = new ExtensionBlock('client_encrypted_extensions');
    change(extensions);
    return puppet.encoded(clientEncryptedExtensions, { extensions });
  };

  test('awaits the client’s message before its Finished', () => {
    const puppet = hello();
    puppet.send(answer(puppet, (block) => block.set(applicationSettings, utf8('c'))));
    expect(puppet.end.secured).toEqual([]);
    puppet.send(puppet.finished());
    expect(puppet.end.info.applicationSettings).toEqual({ sent: utf8('s'), received: utf8('c') });
  });

  test('refuses a client that leaves its message out', () => {
    const puppet = hello();
    expect(outcomeOf(puppet.send(puppet.finished()))).toEqual(refused('unexpected-message'));
  });

  test('refuses a message without settings', () => {
    const puppet = hello();
    expect(outcomeOf(puppet.send(answer(puppet, () => {})))).toEqual(refused('missing-extension'));
  });

  test('refuses a message with more than settings', () => {
    const puppet = hello();
    const more = (block: ExtensionBlock<'client_encrypted_extensions'>) =>
      block.set(applicationSettings, utf8('c')).setRaw(0xff77, utf8('x'));
    expect(outcomeOf(puppet.send(answer(puppet, more)))).toEqual(refused('unsolicited-extension'));
  });

  test('refuses the message of a client that was told no settings', () => {
    const puppet = new PuppetClient13(nodeCrypto, serverFor(h2('s')), pki.client()).sendHello();
    const message = answer(puppet, (block) => block.set(applicationSettings, utf8('c')));
    expect(outcomeOf(puppet.send(message))).toEqual(refused('unexpected-message'));
  });

  test('passes over an offer where it has no settings', () => {
    const puppet = new PuppetClient13(nodeCrypto, serverFor({ alpnProtocols: ['h2'] }), pki.client());
    puppet.sendHello(({ extensions }) => extensions.set(alpn, ['h2']).set(applicationSettings, ['h2']));
    puppet.send(puppet.finished());
    expect(puppet.end.info.applicationSettings).toBeUndefined();
  });
});

describe('with early data, the settings', () => {
  const tickets = new TicketKeys(nodeCrypto);
  const server = (settings: string | undefined) => ({
    ...(settings === undefined ? { alpnProtocols: ['h2'] } : h2(settings)),
    tickets,
    earlyData: { maxBytes: 100 },
  });
  const sessionOf = (client: Partial<ClientOptions>, settings: string | undefined) => {
    const session = join(client, server(settings)).client.sessions[0]!;
    return decodeSession(encodeSession(session))!;
  };
  const resume = (session: Session, client: Partial<ClientOptions>, settings: string | undefined): Pair => {
    const pair = new Pair(clientFor(client, { session, earlyData: true }), serverFor(server(settings)));
    if (pair.client.connection.earlyDataLeft > 0) pair.client.connection.sendEarlyData(utf8('early'));
    return pair.pump();
  };

  test.each(['', 'x'])('are those of the session (%j), and nobody sends them again', (mark) => {
    const session = sessionOf(h2(`c${mark}`), `s${mark}`);
    const pair = resume(session, h2(`c${mark}`), `s${mark}`);
    expect(pair.server.info.earlyData).toBe('accepted');
    expectSettings(pair, `c${mark}`, `s${mark}`);
    expect(sentBy(pair.client)).not.toContain('sent encrypted_extensions');
    // And so they are with the next session.
    const next = resume(pair.client.sessions[0]!, h2(`c${mark}`), `s${mark}`);
    expect(next.server.info.earlyData).toBe('accepted');
    expectSettings(next, `c${mark}`, `s${mark}`);
  });

  test.each<[string, Partial<ClientOptions>]>([
    ['others', h2('d')],
    ['empty ones', h2('')],
    ['none', { alpnProtocols: ['h2'] }],
  ])('keep a client that has %s now from sending any', (_, client) => {
    const pair = resume(sessionOf(h2('c'), 's'), client, 's');
    expect(pair.client.info).toMatchObject({ resumed: true, earlyData: 'none' });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  });

  test.each<[string | undefined, string | undefined]>([
    ['s', 't'],
    ['s', ''],
    ['', 's'],
    ['s', undefined],
    ['', undefined],
    [undefined, 's'],
    [undefined, ''],
  ])('keep a server that had %j and has %j from taking it', (before, now) => {
    const pair = resume(sessionOf(h2('c'), before), h2('c'), now);
    expect(pair.client.info).toMatchObject({ resumed: true, earlyData: 'rejected' });
    expectSettings(pair, now === undefined ? undefined : 'c', now);
  });

  test('must not be said by a server that takes it', () => {
    const settings = ownSettings(h2('c'));
    const h = { config: { features: { settings } } } as unknown as ClientHandshake;
    const answer = new ExtensionBlock('encrypted_extensions').set(applicationSettings, utf8('s'));
    expect(learnSettings(h, answer, 'h2', undefined)?.own).toEqual(utf8('c'));
    expect(() => learnSettings(h, answer, 'h2', {} as Session)).toThrow(
      expect.objectContaining({ code: 'illegal-parameter' }),
    );
  });
});

import { concat, fromHex, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { serverConfig } from '../config/server.ts';
import { serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, type Puppet, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';
import { serverName } from './server-names.ts';

// server_name in a ClientHello, RFC 6066 §3: what is out of its syntax is decode_error, what breaks a rule beyond it is
// illegal_parameter (RFC 9846 §6.2, RFC 5246 §7.2.2), and types that nobody has defined are for servers that know them.

const pki = new TestPki(nodeCrypto);
const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()] });

const entry = (type: number, name: Uint8Array) =>
  concat(Uint8Array.of(type, name.length >> 8, name.length & 255), name);
const names = (...entries: Uint8Array[]) => {
  const list = concat(...entries);
  return concat(Uint8Array.of(list.length >> 8, list.length & 255), list);
};
const host = (name: string) => entry(0, utf8(name));

const CLIENTS: readonly (readonly [string, (bytes: Uint8Array) => Puppet])[] = [
  [
    'TLS 1.3',
    (bytes) =>
      new PuppetClient13(nodeCrypto, serverEnd(config), pki.client()).sendHello(({ extensions }) =>
        extensions.setUnread(serverName.id, bytes),
      ),
  ],
  [
    'TLS 1.2',
    (bytes) =>
      new PuppetClient12(nodeCrypto, serverEnd(config), pki.client()).sendHello(({ extensions }) =>
        extensions.setUnread(serverName.id, bytes),
      ),
  ],
];

describe.each(CLIENTS)('%s', (_version, greet) => {
  test.each<[string, Uint8Array, string]>([
    ['nothing at all', new Uint8Array(0), 'malformed-message'],
    ['no name', names(), 'malformed-message'],
    [
      'a list that is longer than it says',
      concat(names(host('a.example')), Uint8Array.of(0)),
      'malformed-message',
    ],
    ['a list that is shorter than it says', fromHex('00ff'), 'malformed-message'],
    ['a cut name', fromHex('0004000005'), 'malformed-message'],
    ['an empty host name', names(host('')), 'malformed-message'],
    ['an empty host name behind another type', names(entry(1, utf8('a')), host('')), 'malformed-message'],
    ['another type without a length', names(host('a.example'), Uint8Array.of(1)), 'malformed-message'],
    ['two host names', names(host('a.example'), host('b.example')), 'illegal-parameter'],
    ['a host name twice', names(host('a.example'), host('a.example')), 'illegal-parameter'],
    [
      'two host names around another type',
      names(host('a.example'), entry(1, utf8('a')), host('b.example')),
      'illegal-parameter',
    ],
    ['two of another type', names(entry(7, utf8('a')), entry(7, utf8('b'))), 'illegal-parameter'],
    ['a zero byte', names(host('a.exam\0ple')), 'illegal-parameter'],
    ['a bell', names(host('a.exam\u0007ple')), 'illegal-parameter'],
    ['a space', names(host('a.exam ple')), 'illegal-parameter'],
    ['a line break', names(host('a.example\r\nb')), 'illegal-parameter'],
    ['a colour for a terminal', names(host('a.\u001b[31mexample')), 'illegal-parameter'],
    ['UTF-8', names(host('ä.example')), 'illegal-parameter'],
    ['a byte above ASCII', names(entry(0, Uint8Array.of(0x61, 0xff))), 'illegal-parameter'],
    ['256 characters', names(host('a'.repeat(256))), 'illegal-parameter'],
  ])('%s is refused', (_what, bytes, code) => {
    expect(outcomeOf(greet(bytes))).toEqual(refused(code));
  });

  test.each<[string, Uint8Array, string | undefined]>([
    ['one host name', names(host('a.example')), 'a.example'],
    ['255 characters', names(host('a'.repeat(255))), 'a'.repeat(255)],
    ['another type behind it', names(host('a.example'), entry(1, utf8('b.example'))), 'a.example'],
    ['another type before it', names(entry(1, utf8('b.example')), host('a.example')), 'a.example'],
    ['another type, empty', names(entry(255, utf8('')), host('a.example')), 'a.example'],
    ['other types, of any bytes', names(entry(1, fromHex('00ff0a')), entry(2, fromHex('80'))), undefined],
  ])('%s', (_what, bytes, expected) => {
    const { end } = greet(bytes);
    expect(end.errors).toEqual([]);
    expect(end.connection.requestedName).toBe(expected);
  });
});

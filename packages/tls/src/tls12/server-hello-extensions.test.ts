import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import type { ClientOptions } from '../options/client.ts';
import { clientEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetServer12 } from '../testing/puppet12.ts';

// What a client must not take in a ServerHello of TLS 1.2, byte by byte: the answers to what it asked for, spoilt.

const pki = new TestPki(nodeCrypto);
const GCM = 0xc02b;
const CBC = 0xc023;

const OPTIONS = {
  alpnProtocols: ['h2', 'http/1.1'],
  cipherSuites: ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256'],
  heartbeat: 'answer',
  requestTimestamps: true,
  requestMaxFragmentLength: 1024,
  recordSizeLimit: 4096,
} as const;

/** An extension of these bytes. */
const extension = (id: number, ...body: number[]) => [
  ...[id >> 8, id & 255],
  ...[body.length >> 8, body.length & 255],
  ...body,
];
const RENEGOTIATION_INFO = extension(0xff01, 0);
const EXTENDED = extension(23);

function answered(
  extensions: number[],
  {
    suite = GCM,
    sessionId = [] as number[],
    behind = [] as number[],
    options = {} as Partial<ClientOptions>,
  } = {},
): PuppetServer12 {
  const config = clientConfig({
    provider: nodeCrypto,
    verifyCertificate: pki.verifier(),
    ...OPTIONS,
    ...options,
  });
  const p = new PuppetServer12(nodeCrypto, clientEnd(config), pki.server());
  const body = [
    ...[3, 3, ...new Array(32).fill(7)],
    ...[sessionId.length, ...sessionId],
    ...[suite >> 8, suite & 255, 0],
    ...[extensions.length >> 8, extensions.length & 255, ...extensions],
    ...behind,
  ];
  return p.send(Uint8Array.of(2, 0, body.length >> 8, body.length & 255, ...body));
}

const ALPN = 16;
const letters = (text: string) => [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))];
const protocols = (...names: string[]) => {
  const list = names.flatMap(letters);
  return extension(ALPN, list.length >> 8, list.length & 255, ...list);
};

test('an answer to all that was asked is taken', () => {
  const extensions = [
    ...RENEGOTIATION_INFO,
    ...EXTENDED,
    ...protocols('h2'),
    ...extension(0),
    ...extension(5),
    ...extension(11, 2, 1, 0),
    ...extension(35),
  ];
  expect(answered(extensions).end.errors).toEqual([]);
  expect(answered([...extensions, ...extension(22)], { suite: CBC }).end.errors).toEqual([]);
});

type Case = readonly [what: string, extensions: number[], code: string];

describe('an answer', () => {
  test.each<Case>([
    ['with two protocols (RFC 7301 §3.1)', protocols('h2', 'http/1.1'), 'malformed-message'],
    ['with no protocol', extension(ALPN, 0, 0), 'malformed-message'],
    ['with an empty protocol', extension(ALPN, 0, 1, 0), 'malformed-message'],
    ['with a protocol and bytes behind it', extension(ALPN, 0, 3, ...letters('h2'), 0), 'malformed-message'],
    ['with another protocol', protocols('h3'), 'illegal-parameter'],
    ['with a protocol in other letters', protocols('H2'), 'illegal-parameter'],
    ['with a server name (RFC 6066 §3)', extension(0, 0, 3, 0, 0, 0), 'malformed-message'],
    ['with a status in it (RFC 6066 §8)', extension(5, 1), 'malformed-message'],
    ['with a ticket in it (RFC 5077 §3.2)', extension(35, 1, 2, 3), 'malformed-message'],
    ['with something in extended_master_secret (RFC 7627 §5.1)', extension(23, 0), 'malformed-message'],
    ['with extended_master_secret twice', [...EXTENDED, ...EXTENDED], 'duplicate-extension'],
    ['with encrypt_then_mac for an AEAD (RFC 7366 §3)', extension(22), 'illegal-parameter'],
    ['with no format of points at all (RFC 8422 §5.1.2)', extension(11, 0), 'malformed-message'],
    ['with compressed points only', extension(11, 2, 1, 2), 'illegal-parameter'],
    ['with another fragment length (RFC 6066 §4)', extension(1, 1), 'illegal-parameter'],
    ['with a fragment length that there is not', extension(1, 5), 'illegal-parameter'],
    ['with two bytes of fragment length', extension(1, 2, 2), 'malformed-message'],
    ['with a record size limit below 64 (RFC 8449 §4)', extension(28, 0, 63), 'illegal-parameter'],
    ['with both limits (RFC 8449 §5)', [...extension(28, 4, 0), ...extension(1, 2)], 'illegal-parameter'],
    ['with timestamps, an empty list (RFC 6962 §3.3)', extension(18, 0, 0), 'malformed-message'],
    ['with a heartbeat mode that there is not (RFC 6520 §2)', extension(15, 3), 'illegal-parameter'],
    ['with signature_algorithms (RFC 5246 §7.4.1.4.1)', extension(13, 0, 2, 4, 3), 'misplaced-extension'],
    ['with psk_key_exchange_modes', extension(45, 1, 1), 'misplaced-extension'],
    ['with early_data', extension(42), 'misplaced-extension'],
    ['with pre_shared_key', extension(41, 0, 0), 'misplaced-extension'],
    ['with padding', extension(21, 0), 'misplaced-extension'],
    ['with truncated_hmac (RFC 9846 §E.5)', extension(4), 'unsolicited-extension'],
    ['with use_srtp', extension(14, 0, 2, 0, 1, 0), 'unsolicited-extension'],
    ['with trusted_ca_keys', extension(3), 'unsolicited-extension'],
    ['that is cut in the middle', [0, 23, 0], 'malformed-message'],
    ['whose length says too much', [0, 16, 0, 9, 1], 'malformed-message'],
  ])('%s', (_what, extensions, code) => {
    expect(outcomeOf(answered([...RENEGOTIATION_INFO, ...extensions]))).toEqual(refused(code));
  });

  test('with renegotiation_info that has no list in it', () => {
    expect(outcomeOf(answered(extension(0xff01)))).toEqual(refused('malformed-message'));
  });

  test('with bytes behind the extensions, or a long session ID', () => {
    expect(outcomeOf(answered(RENEGOTIATION_INFO, { behind: [0] }))).toEqual(refused('malformed-message'));
    const sessionId = new Array(33).fill(1);
    expect(outcomeOf(answered(RENEGOTIATION_INFO, { sessionId }))).toEqual(refused('malformed-message'));
  });

  test.each<readonly [string, number[], Partial<ClientOptions>]>([
    ['a protocol', protocols('h2'), { alpnProtocols: undefined }],
    ['encrypt_then_mac', extension(22), { cipherSuites: OPTIONS.cipherSuites.slice(0, 1) }],
    ['a fragment length', extension(1, 2), { requestMaxFragmentLength: undefined }],
    ['a record size limit', extension(28, 4, 0), { recordSizeLimit: undefined }],
    ['a heartbeat mode', extension(15, 1), { heartbeat: undefined }],
  ])('with %s that was not asked for', (_what, extensions, options) => {
    expect(outcomeOf(answered([...RENEGOTIATION_INFO, ...extensions], { options }))).toEqual(
      refused('unsolicited-extension'),
    );
  });
});

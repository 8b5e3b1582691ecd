import type { Codec } from '@testudo/codec';
import { decode, encode, toLatin1 } from '@testudo/codec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExtensionBlock } from '../extensions/block.ts';
import type { Place } from '../extensions/extension.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import { decodeSession, encodeSession } from '../sessions/session.ts';
import { fateOf, sameButForEmptyBlock } from '../testing/fate.ts';
import { clientEcdhParams, serverEcdhParams } from '../tls12/key-exchange/ecdhe.ts';
import { certificate12, certificate13 } from './certificate.ts';
import { certificateRequest11, certificateRequest12, certificateRequest13 } from './certificate-request.ts';
import { certificateStatus } from './certificate-status.ts';
import { certificateVerify, certificateVerifyUnnamed } from './certificate-verify.ts';
import { clientHello } from './client-hello.ts';
import { clientEncryptedExtensions, encryptedExtensions } from './encrypted-extensions.ts';
import { finished } from './finished.ts';
import { decodeMessage, encodeMessage, type Message } from './handshake-type.ts';
import { clientKeyExchange, helloRequest, serverHelloDone, serverKeyExchange } from './key-exchange.ts';
import { keyUpdate } from './key-update.ts';
import { newSessionTicket12, newSessionTicket13 } from './new-session-ticket.ts';
import { nextProtocol } from './next-protocol.ts';
import { RETRY_RANDOM, serverHello } from './server-hello.ts';

// Every message: read as it was written, written again as it was read, or refused.

const bytes = (minLength = 0, maxLength = 40) => fc.uint8Array({ minLength, maxLength });
const uint16 = fc.nat(0xffff);
const uint32 = fc.nat(0xffffffff);
const uint16s = fc.array(uint16, { minLength: 1, maxLength: 10 });
const uint8s = fc.array(fc.nat(255), { minLength: 1, maxLength: 10 });

/** Extensions that nobody knows: the known ones are tested by themselves. */
function block<P extends Place>(place: P, minLength = 0): fc.Arbitrary<ExtensionBlock<P>> {
  const unknown = fc.tuple(fc.integer({ min: 0x5000, max: 0xc000 }), bytes());
  return fc.uniqueArray(unknown, { selector: ([id]) => id, minLength, maxLength: 4 }).map((entries) => {
    const made = new ExtensionBlock(place);
    for (const [id, data] of entries) made.setRaw(id, data);
    return made;
  });
}

const hello = {
  legacyVersion: uint16,
  legacySessionIdEcho: bytes(0, 32),
  cipherSuite: uint16,
  legacyCompressionMethod: fc.nat(255),
};
const random = bytes(32, 32);
const ecdhExchange = fc
  .record({ namedCurve: uint16, point: bytes(1), signature: bytes() })
  .map(({ signature, ...params }) => ({
    params,
    encodedParams: encode(serverEcdhParams, params),
    signature,
  }));

const MESSAGES: readonly (readonly [string, Message<never>, fc.Arbitrary<unknown>])[] = (
  [
    [
      'ClientHello',
      clientHello,
      fc.record({
        legacyVersion: uint16,
        random,
        legacySessionId: bytes(0, 32),
        cipherSuites: uint16s,
        legacyCompressionMethods: uint8s,
        extensions: block('client_hello'),
      }),
    ],
    [
      'ServerHello of 1.2',
      serverHello,
      fc.record({ ...hello, random, extensions: block('server_hello_12') }),
    ],
    [
      'ServerHello of 1.3',
      serverHello,
      fc.record({
        ...hello,
        random,
        extensions: block('server_hello').map((b) => b.set(supportedVersions, 0x0304)),
      }),
    ],
    [
      'HelloRetryRequest',
      serverHello,
      fc.record({ ...hello, random: fc.constant(RETRY_RANDOM), extensions: block('hello_retry_request') }),
    ],
    ['EncryptedExtensions', encryptedExtensions, fc.record({ extensions: block('encrypted_extensions') })],
    [
      'EncryptedExtensions of a client',
      clientEncryptedExtensions,
      fc.record({ extensions: block('client_encrypted_extensions') }),
    ],
    [
      'Certificate of 1.3',
      certificate13,
      fc.record({
        certificateRequestContext: bytes(),
        certificateList: fc.array(fc.record({ certData: bytes(1), extensions: block('certificate') }), {
          maxLength: 3,
        }),
      }),
    ],
    [
      'Certificate of 1.2',
      certificate12,
      fc.record({ certificateList: fc.array(bytes(1), { maxLength: 4 }) }),
    ],
    [
      'CertificateRequest of 1.3',
      certificateRequest13,
      fc.record({ certificateRequestContext: bytes(), extensions: block('certificate_request') }),
    ],
    [
      'CertificateRequest of 1.2',
      certificateRequest12,
      fc.record({
        certificateTypes: uint8s,
        supportedSignatureAlgorithms: uint16s,
        certificateAuthorities: fc.array(bytes(1), { maxLength: 3 }),
      }),
    ],
    ['CertificateStatus', certificateStatus, fc.record({ statusType: fc.nat(255), response: bytes(1) })],
    ['CertificateVerify', certificateVerify, fc.record({ algorithm: uint16, signature: bytes() })],
    ['Finished', finished, fc.record({ verifyData: bytes() })],
    ['KeyUpdate', keyUpdate, fc.record({ requestUpdate: fc.nat(255) })],
    [
      'CertificateRequest before 1.2',
      certificateRequest11,
      fc.record({
        certificateTypes: uint8s,
        supportedSignatureAlgorithms: fc.constant(undefined),
        certificateAuthorities: fc.array(bytes(1), { maxLength: 3 }),
      }),
    ],
    [
      'CertificateVerify before 1.2',
      certificateVerifyUnnamed,
      fc.record({ algorithm: fc.constant(undefined), signature: bytes() }),
    ],
    [
      'ServerKeyExchange',
      serverKeyExchange(serverEcdhParams as Codec<unknown>, 'named'),
      ecdhExchange.map((value) => ({
        params: value.params,
        encodedParams: value.encodedParams,
        signed: { algorithm: 0x0403, signature: value.signature },
      })),
    ],
    [
      'ServerKeyExchange before 1.2',
      serverKeyExchange(serverEcdhParams as Codec<unknown>, 'unnamed'),
      ecdhExchange.map((value) => ({
        params: value.params,
        encodedParams: value.encodedParams,
        signed: { algorithm: undefined, signature: value.signature },
      })),
    ],
    [
      'ServerKeyExchange without a signature',
      serverKeyExchange(serverEcdhParams as Codec<unknown>, 'none'),
      ecdhExchange.map((value) => ({
        params: value.params,
        encodedParams: value.encodedParams,
        signed: undefined,
      })),
    ],
    ['ClientKeyExchange', clientKeyExchange(clientEcdhParams), fc.record({ point: bytes(1) })],
    ['ServerHelloDone', serverHelloDone, fc.constant(true)],
    ['HelloRequest', helloRequest, fc.constant(true)],
    [
      'NewSessionTicket of 1.3',
      newSessionTicket13,
      fc.record({
        ticketLifetime: uint32,
        ticketAgeAdd: uint32,
        ticketNonce: bytes(),
        ticket: bytes(1),
        extensions: block('new_session_ticket'),
      }),
    ],
    [
      'NewSessionTicket of 1.2',
      newSessionTicket12,
      fc.record({ ticketLifetimeHint: uint32, ticket: bytes() }),
    ],
    ['NextProtocol', nextProtocol, bytes(0, 255).map((name) => toLatin1(name))],
  ] as const
).map(([name, message, values]) => [
  name,
  message as unknown as Message<never>,
  values as fc.Arbitrary<unknown>,
]);

/** Blocks are compared by what they hold. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, item) =>
      item instanceof ExtensionBlock
        ? [item.place, [...item.entries()]]
        : item instanceof Uint8Array
          ? [...item]
          : item,
    ),
  );

describe.each(MESSAGES)('%s', (_name, message, values) => {
  const codec = message.codec as unknown as Codec<unknown>;

  test('is read as it was written', () => {
    fc.assert(
      fc.property(values, (value) => {
        const raw = encodeMessage(message, value as never);
        expect(raw[0]).toBe(message.type);
        expect((raw[1]! << 16) | (raw[2]! << 8) | raw[3]!).toBe(raw.length - 4);
        expect(plain(decodeMessage(message, { type: raw[0]!, raw }))).toEqual(plain(value));
      }),
    );
  });

  test('with bytes changed is refused, or written again as it was', () => {
    const hostile = fc
      .tuple(values, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
      .map(([value, changes]) => {
        const body = encode(codec, value).slice();
        for (const [at, byte] of changes) if (body.length > 0) body[at % body.length] = byte;
        return body;
      });
    fc.assert(
      fc.property(fc.oneof(hostile, bytes(0, 80)), (body) => {
        expect(['the same', 'refused']).toContain(fateOf(codec, body, sameButForEmptyBlock));
      }),
    );
  });

  test('cut short or made longer is refused, unless it may end anywhere', () => {
    if (message === (finished as unknown)) return;
    fc.assert(
      fc.property(values, fc.nat(), (value, at) => {
        const body = encode(codec, value);
        const longer = new Uint8Array(body.length + 1);
        longer.set(body);
        if (body.length > 0)
          expect(['refused', 'the same']).toContain(
            fateOf(codec, body.subarray(0, at % body.length), sameButForEmptyBlock),
          );
        expect(fateOf(codec, longer)).toBe('refused');
      }),
    );
  });
});

test('a ServerHello of 1.3 is known by its extension wherever it stands', () => {
  const base = [3, 3, ...new Array(32).fill(1), 0, 0x13, 1, 0];
  const place = (...extensions: number[]) =>
    decode(serverHello.codec, Uint8Array.of(...base, 0, extensions.length, ...extensions)).extensions.place;
  const versions = [0, 43, 0, 2, 3, 4];
  const share = [0, 51, 0, 5, 0, 29, 0, 1, 9];
  expect(place(...versions, ...share)).toBe('server_hello');
  expect(place(...share, ...versions)).toBe('server_hello');
  expect(place(0x5a, 0x5a, 0, 2, 0, 43)).toBe('server_hello_12');
  expect(decode(serverHello.codec, Uint8Array.of(...base)).extensions.place).toBe('server_hello_12');
});

const text = fc.array(fc.nat(255), { maxLength: 40 }).map((codes) => String.fromCharCode(...codes));
const session = fc.record({
  version: uint16,
  cipherSuite: uint16,
  secret: bytes(16, 64),
  extendedMasterSecret: fc.boolean(),
  createdAt: fc.nat(2 ** 52),
  lifetime: uint32,
  ageAdd: uint32,
  id: bytes(0, 32),
  ticket: bytes(),
  serverName: text,
  host: fc.string({ unit: 'grapheme' }),
  alpnProtocol: text,
  maxEarlyData: uint32,
  peerCertificates: fc.array(bytes(1), { maxLength: 3 }),
  peerVerified: fc.boolean(),
});

test('a session is read as it was written, and hostile bytes are no session', () => {
  fc.assert(
    fc.property(session, fc.nat(), fc.nat(255), (value, at, byte) => {
      const encoded = encodeSession(value);
      expect(decodeSession(encoded)).toEqual(value);
      const changed = encoded.slice();
      changed[at % changed.length] = byte;
      expect(() => decodeSession(changed)).not.toThrow();
      expect(decodeSession(encoded.subarray(0, at % encoded.length))).toBeUndefined();
    }),
  );
});

import { type Codec, decode, encode, utf8 } from '@testudo/codec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEchConfigList } from '../ech/config-list.ts';
import { fateOf } from '../testing/fate.ts';
import { ExtensionBlock, extensions, rawExtensions } from './block.ts';
import type { Place } from './extension.ts';
import { EXTENSIONS, extensionById } from './table.ts';

// Every extension in every place: what is written is read, what is accepted is written again as it was, and
// anything else is refused with the codec's own error.

const bytes = (minLength = 0, maxLength = 40) => fc.uint8Array({ minLength, maxLength });
/** SignedCertificateTimestampList: lengths in two bytes before each, and before all. */
const timestamps = fc.array(bytes(1, 20), { minLength: 1, maxLength: 5 }).map((list) => {
  const items = list.flatMap((one) => [0, one.length, ...one]);
  return Uint8Array.of(0, items.length, ...items);
});
const uint16s = (minLength = 1) => fc.array(fc.nat(0xffff), { minLength, maxLength: 20 });
const protocol = fc
  .array(fc.nat(255), { minLength: 1, maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes));
const hostName = fc.stringMatching(/^[\x21-\x7e]{1,60}$/).map((text) => ({ type: 0, name: utf8(text) }));
const serverNames = fc.uniqueArray(
  fc.oneof(hostName, fc.record({ type: fc.integer({ min: 1, max: 255 }), name: bytes() })),
  { minLength: 1, maxLength: 4, selector: ({ type }) => type },
);
const share = fc.record({ group: fc.nat(0xffff), keyExchange: bytes(1) });
const none = fc.constant(null);
const uint32 = fc.nat(0xffffffff);

const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  'server_name client_hello': serverNames,
  'server_name server_hello_12': none,
  'server_name encrypted_extensions': none,
  'server_name certificate_request': bytes(),
  'max_fragment_length client_hello': fc.nat(255),
  'max_fragment_length server_hello_12': fc.nat(255),
  'max_fragment_length encrypted_extensions': fc.nat(255),
  'status_request client_hello': bytes(),
  'status_request server_hello_12': none,
  'status_request certificate': bytes(1),
  'status_request certificate_request': bytes(),
  'status_request_v2 client_hello': bytes(),
  'status_request_v2 server_hello_12': none,
  'trusted_ca_keys client_hello': bytes(),
  'trusted_ca_keys server_hello_12': bytes(),
  'heartbeat client_hello': fc.nat(255),
  'heartbeat server_hello_12': fc.nat(255),
  'heartbeat encrypted_extensions': fc.nat(255),
  'use_srtp client_hello': bytes(),
  'use_srtp server_hello_12': bytes(),
  'use_srtp encrypted_extensions': bytes(),
  'encrypted_client_hello client_hello': fc.oneof(
    fc.constant({ type: 'inner' as const }),
    fc.record({
      type: fc.constant('outer' as const),
      kdf: fc.nat(0xffff),
      aead: fc.nat(0xffff),
      configId: fc.nat(255),
      enc: bytes(),
      payload: bytes(1),
    }),
  ),
  'encrypted_client_hello hello_retry_request': bytes(8, 8),
  'encrypted_client_hello encrypted_extensions': bytes().map((contents) =>
    encodeEchConfigList([Uint8Array.of(0x12, 0x34, 0, contents.length, ...contents)]),
  ),
  'supported_groups client_hello': uint16s(),
  'supported_groups encrypted_extensions': uint16s(),
  'supported_groups server_hello_12': bytes(),
  'ec_point_formats client_hello': fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }),
  'ec_point_formats server_hello_12': fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }),
  'signature_algorithms client_hello': uint16s(),
  'signature_algorithms certificate_request': uint16s(),
  'application_layer_protocol_negotiation client_hello': fc.array(protocol, { minLength: 1, maxLength: 5 }),
  'application_layer_protocol_negotiation server_hello_12': protocol,
  'application_layer_protocol_negotiation encrypted_extensions': protocol,
  'signed_certificate_timestamp client_hello': none,
  'signed_certificate_timestamp server_hello_12': timestamps,
  'signed_certificate_timestamp certificate': timestamps,
  'signed_certificate_timestamp certificate_request': none,
  'padding client_hello': fc.nat(600),
  'encrypt_then_mac client_hello': none,
  'encrypt_then_mac server_hello_12': none,
  'extended_master_secret client_hello': none,
  'extended_master_secret server_hello_12': none,
  'client_certificate_type client_hello': fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }),
  'client_certificate_type server_hello_12': fc.nat(255),
  'client_certificate_type encrypted_extensions': fc.nat(255),
  'server_certificate_type client_hello': fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }),
  'server_certificate_type server_hello_12': fc.nat(255),
  'server_certificate_type encrypted_extensions': fc.nat(255),
  'delegated_credential client_hello': uint16s(),
  'delegated_credential certificate_request': uint16s(),
  'delegated_credential certificate': fc.record({
    delegation: fc.record({ validTime: uint32, dcCertVerifyAlgorithm: fc.nat(0xffff), publicKey: bytes(1) }),
    algorithm: fc.nat(0xffff),
    signature: bytes(1),
  }),
  'compress_certificate client_hello': uint16s(),
  'compress_certificate certificate_request': uint16s(),
  'record_size_limit client_hello': fc.nat(0xffff),
  'record_size_limit server_hello_12': fc.nat(0xffff),
  'record_size_limit encrypted_extensions': fc.nat(0xffff),
  'session_ticket client_hello': bytes(),
  'session_ticket server_hello_12': none,
  'pre_shared_key client_hello': fc.record({
    identities: fc.array(fc.record({ identity: bytes(1), obfuscatedTicketAge: uint32 }), {
      minLength: 1,
      maxLength: 3,
    }),
    binders: fc.array(bytes(32, 48), { minLength: 1, maxLength: 3 }),
  }),
  'pre_shared_key server_hello': fc.nat(0xffff),
  'early_data client_hello': none,
  'early_data encrypted_extensions': none,
  'early_data new_session_ticket': uint32,
  'supported_versions client_hello': uint16s(),
  'supported_versions server_hello': fc.nat(0xffff),
  'supported_versions hello_retry_request': fc.nat(0xffff),
  'cookie client_hello': bytes(1),
  'cookie hello_retry_request': bytes(1),
  'psk_key_exchange_modes client_hello': fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }),
  'certificate_authorities client_hello': fc.array(bytes(1), { minLength: 1, maxLength: 3 }),
  'certificate_authorities certificate_request': fc.array(bytes(1), { minLength: 1, maxLength: 3 }),
  'oid_filters certificate_request': fc.array(fc.record({ oid: bytes(1), values: bytes() }), {
    maxLength: 3,
  }),
  'post_handshake_auth client_hello': none,
  'signature_algorithms_cert client_hello': uint16s(),
  'signature_algorithms_cert certificate_request': uint16s(),
  'key_share client_hello': fc.array(share, { maxLength: 3 }),
  'key_share server_hello': share,
  'key_share hello_retry_request': fc.nat(0xffff),
  'application_settings client_hello': fc.array(protocol, { minLength: 1, maxLength: 5 }),
  'application_settings encrypted_extensions': bytes(),
  'application_settings client_encrypted_extensions': bytes(),
  'application_settings_old client_hello': fc.array(protocol, { minLength: 1, maxLength: 5 }),
  'application_settings_old encrypted_extensions': bytes(),
  'application_settings_old client_encrypted_extensions': bytes(),
  'next_protocol_negotiation client_hello': none,
  'next_protocol_negotiation server_hello_12': fc.array(protocol, { maxLength: 5 }),
  'tls_flags client_hello': bytes(1),
  'tls_flags certificate_request': bytes(1),
  'tls_flags new_session_ticket': bytes(1),
  'trust_anchors client_hello': fc.array(bytes(1), { maxLength: 3 }),
  'trust_anchors encrypted_extensions': fc.array(bytes(1), { maxLength: 3 }),
  'trust_anchors certificate_request': fc.array(bytes(1), { maxLength: 3 }),
  'trust_anchors certificate': none,
  'renegotiation_info client_hello': bytes(),
  'renegotiation_info server_hello_12': bytes(),
};

const CASES = EXTENSIONS.flatMap((extension) =>
  Object.entries(extension.codecs).map(([place, codec]) => ({
    extension,
    place: place as Place,
    codec: codec!,
  })),
).map((entry) => [`${entry.extension.name} ${entry.place}`, entry] as const);

test('no extension and no place is left out here', () => {
  expect(CASES.map(([name]) => name).sort()).toEqual(Object.keys(VALUES).sort());
});

/** RFC 9846 §4.3, the table: where an extension may stand in TLS 1.3. Of ech_outer_extensions see RFC 9849 §5.1. */
const PLACES_13: Readonly<Record<number, string>> = {
  0: 'CH EE CR',
  5: 'CH CR CT',
  10: 'CH EE',
  13: 'CH CR',
  14: 'CH EE',
  15: 'CH EE',
  16: 'CH EE',
  19: 'CH EE',
  20: 'CH EE',
  21: 'CH',
  27: 'CH CR',
  28: 'CH EE',
  34: 'CH CR CT',
  41: 'CH SH',
  42: 'CH EE NST',
  43: 'CH SH HRR',
  44: 'CH HRR',
  45: 'CH',
  47: 'CH CR',
  48: 'CR',
  49: 'CH',
  50: 'CH CR',
  51: 'CH SH HRR',
  65037: 'CH HRR EE',
};
const IN_SHORT: Partial<Record<Place, string>> = {
  client_hello: 'CH',
  server_hello: 'SH',
  hello_retry_request: 'HRR',
  encrypted_extensions: 'EE',
  certificate: 'CT',
  certificate_request: 'CR',
  new_session_ticket: 'NST',
};

test.each(Object.entries(PLACES_13))('extension %s may stand in %s', (id, places) => {
  const { codecs } = EXTENSIONS.find((extension) => extension.id === Number(id))!;
  const ours = Object.keys(codecs).flatMap((place) => IN_SHORT[place as Place] ?? []);
  expect(ours.sort()).toEqual(places.split(' ').sort());
});

describe.each(CASES)('%s', (name, { codec }) => {
  const values = VALUES[name]!;

  test('is read as it was written', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(codec, encode(codec, value as never))).toEqual(value);
      }),
    );
  });

  test('is refused, or written again as it was', () => {
    const hostile = fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const encoded = encode(codec, value as never).slice();
      if (encoded.length > 0) encoded[at % encoded.length] = byte;
      return encoded;
    });
    fc.assert(
      fc.property(fc.oneof(hostile, bytes()), (input) => {
        expect(['the same', 'refused']).toContain(fateOf(codec, input));
      }),
    );
  });
});

const PLACES: Place[] = [...new Set(CASES.map(([, { place }]) => place))];

describe.each(PLACES)('a block in %s', (place) => {
  const known = CASES.filter(([, entry]) => entry.place === place);
  const blocks = fc
    .tuple(
      fc
        .subarray(known)
        .chain((chosen) =>
          fc.tuple(
            ...chosen.map(([name, { extension }]) =>
              VALUES[name]!.map((value) => [extension.id, value] as const),
            ),
          ),
        ),
      fc.uniqueArray(fc.tuple(fc.integer({ min: 0x5000, max: 0xc000 }), bytes()), {
        selector: ([id]) => id,
        maxLength: 3,
      }),
    )
    .map(([those, others]) => {
      const block = new ExtensionBlock(place);
      for (const [id, value] of [...those, ...others]) block.setRaw(id, value as Uint8Array);
      return block;
    });
  const codec = extensions(place);

  test('is read as it was written, unknown extensions too, in order', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const encoded = encode(codec, block);
        const again = decode(codec, encoded);
        expect(again.ids).toEqual(block.ids);
        expect(readAll(again)).toEqual(readAll(block));
        expect(encode(codec, again)).toEqual(encoded);
        expect(rawExtensions(encoded).map(({ id }) => id)).toEqual(block.ids);
      }),
    );
  });

  test('with one byte changed is refused, or written again as it was', () => {
    fc.assert(
      fc.property(blocks, fc.nat(), fc.nat(255), (block, at, byte) => {
        const encoded = encode(codec, block).slice();
        encoded[at % encoded.length] = byte;
        expect(['the same', 'refused']).toContain(fateOf(codec as never, encoded));
      }),
    );
  });

  test('takes no known extension of another place', () => {
    for (const { id, codecs, isDraft } of EXTENSIONS) {
      if (place in codecs || isDraft) continue;
      const encoded = Uint8Array.of(0, 4, id >> 8, id & 255, 0, 0);
      expect(() => decode(codec, encoded)).toThrow(expect.objectContaining({ code: 'misplaced-extension' }));
    }
  });

  test("takes a draft's extension whatever it holds, and reads it for who asks", () => {
    for (const extension of EXTENSIONS.filter(({ isDraft }) => isDraft)) {
      const { id, name, codecs } = extension;
      for (const data of [[], [0], [1], [0, 0], [0, 9, 1], [255, 255, 255], [1, 2, 3, 4, 5, 6, 7, 8]]) {
        const encoded = Uint8Array.of(0, 4 + data.length, id >> 8, id & 255, 0, data.length, ...data);
        const block = decode(codec, encoded);
        expect(block.has(extension)).toBe(true);
        expect(block.getRaw(id)).toEqual(Uint8Array.from(data));
        expect(encode(codec, block)).toEqual(encoded);
        if (!(place in codecs)) continue;
        const field = codecs[place] as Codec<unknown>;
        const expected = fate(() => decode(field, Uint8Array.from(data)));
        expect([name, fate(() => block.get(extension as never))]).toEqual([name, expected]);
        expect(block.getReadable(extension as never)).toEqual(
          'value' in expected ? expected.value : undefined,
        );
      }
    }
  });

  test('takes no extension twice', () => {
    const encoded = Uint8Array.of(0, 8, 0x5a, 0x5a, 0, 0, 0x5a, 0x5a, 0, 0);
    expect(() => decode(codec, encoded)).toThrow(expect.objectContaining({ code: 'duplicate-extension' }));
  });
});

test('each number and each name stands in the table once', () => {
  expect(new Set(EXTENSIONS.map(({ id }) => id)).size).toBe(EXTENSIONS.length);
  expect(new Set(EXTENSIONS.map(({ name }) => name)).size).toBe(EXTENSIONS.length);
  expect(extensionById(0x5a5a)).toBeUndefined();
});

/** With what drafts define read, too. */
function readAll(block: ExtensionBlock<Place>): unknown[] {
  return block.ids.map((id) => {
    const known = extensionById(id);
    return [id, known === undefined ? block.getRaw(id) : block.get(known as never)];
  });
}

function fate(read: () => unknown): { value: unknown } | { refused: true } {
  try {
    return { value: read() };
  } catch {
    return { refused: true };
  }
}

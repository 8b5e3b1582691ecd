import { fromHex, utf8 } from '@testudo/codec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ExplainedField, explainMessage } from './explain.ts';
import { TLS12, TLS13 } from './versions.ts';

/** Type, 24-bit length, body. */
function raw(type: number, bodyHex: string): { type: number; raw: Uint8Array } {
  const body = fromHex(bodyHex);
  return { type, raw: Uint8Array.of(type, 0, body.length >> 8, body.length & 255, ...body) };
}

const RANDOM = `${'00'.repeat(31)}07`;

function find(fields: readonly ExplainedField[], ...path: string[]): ExplainedField | undefined {
  const [name, ...rest] = path;
  const field = fields.find((one) => one.name === name);
  return rest.length === 0 || field === undefined ? field : find(field.fields, ...rest);
}

describe('a ClientHello', () => {
  // version, random, no session, suites 1301 and GREASE 3a3a and unknown 9999, null compression, supported_groups(x25519)
  const hello = raw(1, `0303 ${RANDOM} 00 0006 1301 3a3a 9999 01 00 0008 000a 0004 0002 001d`);
  const { name, fields, error, isCut } = explainMessage(hello, undefined);

  test('is read to its end', () => {
    expect({ name, error, isCut }).toEqual({ name: 'client_hello', error: undefined, isCut: false });
    expect(fields.map((field) => field.name)).toEqual([
      'type',
      'length',
      'legacyVersion',
      'random',
      'legacySessionId',
      'cipherSuites',
      'legacyCompressionMethods',
      'extensions',
    ]);
  });

  test('has offsets from its first byte', () => {
    expect(find(fields, 'legacyVersion')).toMatchObject({ offset: 4, length: 2, text: '0x0303 TLS 1.2' });
    expect(find(fields, 'random')).toMatchObject({ offset: 6, length: 32 });
    // 6 + 32 bytes, one of the session's length, two of the list's length.
    expect(find(fields, 'cipherSuites', '[0]')).toMatchObject({ offset: 41, length: 2 });
  });

  test('has numbers by their names', () => {
    expect(find(fields, 'cipherSuites')!.fields.map((field) => field.text)).toEqual([
      '0x1301 TLS_AES_128_GCM_SHA256',
      '0x3a3a GREASE',
      '0x9999',
    ]);
    expect(find(fields, 'extensions', 'supported_groups', '[0]')!.text).toBe('0x001d x25519');
  });

  test('has one field for each extension, its header included', () => {
    const extension = find(fields, 'extensions', 'supported_groups')!;
    expect(extension).toMatchObject({ length: 8, offset: hello.raw.length - 8 });
    expect(extension.fields).toHaveLength(1);
  });
});

test('the version decides how a Certificate is read', () => {
  const in12 = raw(11, '000004 000001 aa');
  const in13 = raw(11, '00 000006 000001 aa 0000');
  expect(explainMessage(in12, TLS12).error).toBeUndefined();
  expect(explainMessage(in13, TLS13).error).toBeUndefined();
  expect(explainMessage(in12, TLS13).error).toBeDefined();
  expect(explainMessage(in13, TLS12).error).toBeDefined();
});

describe('what cannot be read', () => {
  test('is explained up to the mistake', () => {
    const { fields, error } = explainMessage(raw(1, `0303 ${RANDOM} 00 0004 1301`), undefined);
    expect(find(fields, 'random')).toBeDefined();
    expect(error).toContain('cipherSuites');
  });

  test('is named when its type is unknown, or not of the version', () => {
    expect(explainMessage(raw(99, '00'), TLS13)).toMatchObject({ name: 'unknown(99)' });
    expect(explainMessage(raw(99, '00'), TLS13).error).toContain('known');
    expect(explainMessage(raw(24, '00'), TLS12).error).toContain('known');
  });

  test('never throws', () => {
    fc.assert(
      fc.property(
        fc.nat(30),
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(undefined, TLS12, TLS13),
        (type, body, version) => {
          const message = { type, raw: Uint8Array.of(type, 0, body.length >> 8, body.length & 255, ...body) };
          const { fields } = explainMessage(message, version);
          for (const field of fields)
            expect(field.offset + field.length).toBeLessThanOrEqual(message.raw.length);
        },
      ),
    );
  });
});

test('a name from the peer is quoted: it cannot draw on a terminal', () => {
  // ALPN with one protocol: ESC [, and CSI, which some terminals take for the same.
  const alpn = '0010 0007 0005 04 1b5b9b4a';
  const { fields } = explainMessage(raw(1, `0303 ${RANDOM} 00 0002 1301 01 00 000b ${alpn}`), undefined);
  const item = find(fields, 'extensions', 'application_layer_protocol_negotiation', '[0]');
  expect(item?.text).toBe('"\\u001b[\\u009bJ"');
});

test('how peers show who they are, by name', () => {
  const blocks = '0013 0002 01 02' + '0014 0003 02 0200' + '001b 0005 04 0002 0001' + '0022 0004 0002 0807';
  const extensions = `00 0002 1301 01 00 00${(4 * 4 + 2 + 3 + 5 + 4).toString(16)} ${blocks}`;
  const { fields, error } = explainMessage(raw(1, `0303 ${RANDOM} ${extensions}`), undefined);
  expect(error).toBeUndefined();
  const text = (name: string, at: number) => find(fields, 'extensions', name, `[${at}]`)?.text;
  expect(text('client_certificate_type', 0)).toBe('0x02 raw public key');
  expect(text('server_certificate_type', 1)).toBe('0x00 X.509');
  expect(text('compress_certificate', 0)).toBe('0x0002 brotli');
  expect(text('compress_certificate', 1)).toBe('0x0001 zlib');
  expect(text('delegated_credential', 0)).toBe('0x0807 ed25519');
});

test('a message of thousands of fields is cut', () => {
  const suites = '1301'.repeat(3000);
  const body = `0303 ${RANDOM} 00 ${(6000).toString(16)} ${suites} 01 00`;
  expect(explainMessage(raw(1, body), undefined)).toMatchObject({ isCut: true, error: undefined });
});

test('long bytes are cut, with their length', () => {
  const { fields } = explainMessage(
    { type: 20, raw: Uint8Array.of(20, 0, 0, 48, ...utf8('x'.repeat(48))) },
    TLS13,
  );
  expect(find(fields, 'verifyData')!.text).toBe(`${'78'.repeat(24)}\u2026 (48 bytes)`);
});

import { concat, der, fromHex } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { encodeCurveSpki, encodeMlDsaSpki, encodeRsaSpki, OID, parseSpki } from './spki.ts';

const modulus = Uint8Array.from({ length: 128 }, (_, i) => (i === 0 ? 0x9d : 2 * i + 1));
const exponent = Uint8Array.of(1, 0, 1);

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'CryptoError', code: expected });
}

describe('SubjectPublicKeyInfo', () => {
  test.each([
    [{ type: 'ec', curve: 'secp256r1' }, 65],
    [{ type: 'ec', curve: 'secp384r1' }, 97],
    [{ type: 'ec', curve: 'secp521r1' }, 133],
    [{ type: 'ec', curve: 'brainpoolP256r1' }, 65],
    [{ type: 'ec', curve: 'brainpoolP384r1' }, 97],
    [{ type: 'ec', curve: 'brainpoolP512r1' }, 129],
    [{ type: 'ed25519' }, 32],
    [{ type: 'ed448' }, 57],
  ] as const)('of %j is taken apart', (kind, length) => {
    const point = new Uint8Array(length).fill(7);
    if (kind.type === 'ec') point[0] = 4;
    expect(parseSpki(encodeCurveSpki(kind, point))).toEqual({ kind, point });
  });

  test.each([
    ['ml-dsa-44', 1312],
    ['ml-dsa-65', 1952],
    ['ml-dsa-87', 2592],
  ] as const)('of %s is taken apart', (name, length) => {
    const raw = new Uint8Array(length).fill(7);
    const spki = encodeMlDsaSpki(name, raw);
    expect(parseSpki(spki)).toEqual({ kind: { type: name }, raw });
    // The same, put together by the general writer.
    expect(spki).toEqual(der.sequence(der.sequence(der.oid(OID[name])), der.bitString(raw)));
    const short = der.sequence(der.sequence(der.oid(OID[name])), der.bitString(raw.subarray(1)));
    expect(() => parseSpki(short)).toThrowError(code('bad-key') as Error);
  });

  describe('of DSA', () => {
    const numbers: Record<'p' | 'q' | 'g' | 'y', Uint8Array> = {
      p: modulus,
      q: new Uint8Array(20).fill(255),
      g: Uint8Array.of(2),
      y: Uint8Array.of(3),
    };
    const encode = ({ p, q, g, y }: typeof numbers): Uint8Array =>
      der.sequence(
        der.sequence(der.oid(OID.dsa), der.sequence(der.unsigned(p), der.unsigned(q), der.unsigned(g))),
        der.bitString(der.unsigned(y)),
      );

    test('is measured', () => {
      expect(parseSpki(encode(numbers))).toEqual({ kind: { type: 'dsa', bits: 1024 } });
    });

    test.each([
      ['an even p', { p: concat(modulus.subarray(0, 127), Uint8Array.of(2)) }],
      ['a p of 504 bits', { p: modulus.subarray(0, 63) }],
      ['a p of 4104 bits', { p: new Uint8Array(513).fill(255) }],
      ['an even q', { q: concat(new Uint8Array(19).fill(255), Uint8Array.of(2)) }],
      ['a q of 168 bits', { q: new Uint8Array(21).fill(255) }],
      ['a g of 1', { g: Uint8Array.of(1) }],
      ['a g of p', { g: modulus }],
      ['a y of 0', { y: Uint8Array.of(0) }],
      ['a y of p', { y: modulus }],
    ])('with %s is refused', (_, wrong) => {
      expect(() => parseSpki(encode({ ...numbers, ...wrong }))).toThrowError(code('bad-key') as Error);
    });
  });

  test('of RSA is taken apart, with the bits of the modulus', () => {
    const parsed = parseSpki(encodeRsaSpki('rsa', modulus, exponent, undefined));
    expect(parsed).toMatchObject({ kind: { type: 'rsa', bits: 1024 }, modulus, exponent });
    const shorter = modulus.slice();
    shorter[0] = 1;
    expect(parseSpki(encodeRsaSpki('rsa', shorter, exponent, undefined)).kind).toEqual({
      type: 'rsa',
      bits: 1017,
    });
  });

  test('of RSA-PSS says what the key is restricted to', () => {
    const sha256 = der.sequence(der.oid('2.16.840.1.101.3.4.2.1'));
    const parameters = der.sequence(
      der.explicit(0, sha256),
      der.explicit(1, der.sequence(der.oid(OID.mgf1), sha256)),
      der.explicit(2, der.integer(32)),
    );
    expect(parseSpki(encodeRsaSpki('rsa-pss', modulus, exponent, parameters))).toMatchObject({
      kind: { type: 'rsa-pss', bits: 1024 },
      restriction: { hash: 'sha256', maskHash: 'sha256', minSaltLength: 32 },
    });
    const defaults = encodeRsaSpki('rsa-pss', modulus, exponent, der.sequence());
    expect(parseSpki(defaults)).toMatchObject({ restriction: { hash: 'sha1', minSaltLength: 20 } });
    const free = encodeRsaSpki('rsa-pss', modulus, exponent, undefined);
    expect(parseSpki(free)).toMatchObject({ restriction: undefined });
  });

  test.each([
    ['an even modulus', concat(modulus.subarray(0, 127), Uint8Array.of(2)), exponent],
    ['a modulus of 512 bits less 8', modulus.subarray(0, 63), exponent],
    ['a modulus of more than 16384 bits', new Uint8Array(2049).fill(255), exponent],
    ['an exponent of 1', modulus, Uint8Array.of(1)],
    ['an even exponent', modulus, Uint8Array.of(1, 0)],
    ['an exponent of more than 64 bits', modulus, new Uint8Array(9).fill(255)],
  ])('of RSA with %s is refused', (_, n, e) => {
    expect(() => parseSpki(encodeRsaSpki('rsa', n, e, undefined))).toThrowError(code('bad-key') as Error);
  });

  test.each([
    ['a curve that is not here', der.sequence(der.oid(OID.ec), der.oid('1.3.132.0.10'))],
    ['an algorithm that is not here', der.sequence(der.oid('1.3.101.110'))],
  ])('of %s is unsupported', (_, algorithm) => {
    const spki = der.sequence(algorithm, der.bitString(new Uint8Array(65).fill(4)));
    expect(() => parseSpki(spki)).toThrowError(code('unsupported') as Error);
  });

  test.each([
    ['nothing', ''],
    ['a hybrid point', `3059301306072a8648ce3d020106082a8648ce3d030107034200${'06'.repeat(65)}`],
    ['a short Ed25519 key', `3029300506032b6570032000${'07'.repeat(31)}`],
    ['a byte left over', `302a300506032b6570032100${'07'.repeat(32)}00`],
    ['explicit curve parameters', '300f300b06072a8648ce3d0201300003020004'],
    ['RSA without its NULL', '3010300b06092a864886f70d010101030100'],
  ])('with %s is refused', (_, hex) => {
    expect(() => parseSpki(fromHex(hex))).toThrowError(code('bad-key') as Error);
  });
});

import { execFileSync } from 'node:child_process';
import { bytesEqual, concat, der, fromHex, toHex } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { withPrograms } from '../../../conformance/support/programs.ts';
import { nodeCrypto } from './node/index.ts';
import { EC_CURVES } from './portable/curves.ts';
import { portableCrypto } from './portable/index.ts';
import type { EcCurve } from './provider.ts';

/** Points that are compressed, and curves that are written out (RFC 5480 §2.1.1, §2.2). */

const NAMES = Object.keys(EC_CURVES) as EcCurve[];
const PROVIDERS = [nodeCrypto, portableCrypto] as const;
const refused = expect.objectContaining({ name: 'CryptoError' }) as Error;

function bytes(value: bigint, length: number): Uint8Array {
  return fromHex(value.toString(16).padStart(2 * length, '0'));
}

describe.each(NAMES)('%s', (curve) => {
  const { length } = EC_CURVES[curve];
  const C = EC_CURVES[curve].curve.Point.CURVE();
  const spki = nodeCrypto.generateKey({ type: 'ec', curve }).publicKey.spki;
  const algorithm = nodeAlgorithm(spki);
  const point = spki.subarray(spki.length - 2 * length - 1);
  const sign = 2 + (point.at(-1)! & 1);
  const x = point.subarray(1, length + 1);
  const keyOf = (what: Uint8Array, bits: Uint8Array): Uint8Array => der.sequence(what, der.bitString(bits));
  const generator = concat(Uint8Array.of(4), bytes(C.Gx, length), bytes(C.Gy, length));
  const good = {
    version: der.integer(1),
    field: der.oid('1.2.840.10045.1.1'),
    p: der.unsigned(bytes(C.p, length)),
    a: der.octetString(bytes(C.a, length)),
    b: der.octetString(bytes(C.b, length)),
    generator: der.octetString(generator),
    order: der.unsigned(bytes(C.n, length)),
    cofactor: der.integer(1) as Uint8Array | undefined,
  };
  const specified = (change: Partial<typeof good> = {}): Uint8Array => {
    const { version, field, p, a, b, generator: base, order, cofactor } = { ...good, ...change };
    return der.sequence(
      der.oid('1.2.840.10045.2.1'),
      der.sequence(version, der.sequence(field, p), der.sequence(a, b), base, order, cofactor),
    );
  };

  test.each(PROVIDERS)('every form of a key is the same key: $name', (provider) => {
    const compressed = concat(Uint8Array.of(sign), x);
    const base = der.octetString(
      concat(Uint8Array.of(2 + (generator.at(-1)! & 1)), generator.subarray(1, length + 1)),
    );
    for (const what of [algorithm, specified(), specified({ generator: base })])
      for (const bits of [point, compressed])
        expect(toHex(provider.importPublicKey(keyOf(what, bits)).spki)).toBe(toHex(spki));
    const other = concat(Uint8Array.of(sign ^ 1), x);
    expect(bytesEqual(provider.importPublicKey(keyOf(algorithm, other)).spki, spki)).toBe(false);
  });

  const flipped = (value: Uint8Array, at = -1): Uint8Array => {
    const changed = value.slice();
    changed[at < 0 ? changed.length + at : at]! ^= 2;
    return changed;
  };
  const twice = EC_CURVES[curve].curve.Point.BASE.double().toBytes(false);
  test.each([
    ['another prime', { p: flipped(good.p) }],
    ['another a', { a: flipped(good.a) }],
    ['another b', { b: flipped(good.b) }],
    ['another generator', { generator: der.octetString(twice) }],
    ['the key as generator', { generator: der.octetString(point) }],
    ['a generator with another y', { generator: flipped(good.generator) }],
    ['a hybrid generator', { generator: der.octetString(concat(Uint8Array.of(6), generator.subarray(1))) }],
    ['no generator', { generator: der.octetString(new Uint8Array()) }],
    ['another order', { order: flipped(good.order) }],
    ['cofactor 2', { cofactor: der.integer(2) }],
    ['cofactor 0', { cofactor: der.integer(0) }],
    ['no cofactor', { cofactor: undefined }],
    ['a binary field', { field: der.oid('1.2.840.10045.1.2') }],
  ])('%s is refused', (_what, change) => {
    for (const provider of PROVIDERS)
      expect(() => provider.importPublicKey(keyOf(specified(change), point))).toThrow(refused);
  });

  test.each([
    ['hybrid', concat(Uint8Array.of(sign + 4), point.subarray(1))],
    ['too short', concat(Uint8Array.of(sign), x.subarray(1))],
    ['too long', concat(Uint8Array.of(sign), x, Uint8Array.of(0))],
    ['of an x beyond the prime', concat(Uint8Array.of(sign), new Uint8Array(length).fill(255))],
    ['at infinity', Uint8Array.of(0)],
    ['empty', new Uint8Array()],
    ['of an x that is on no point', concat(Uint8Array.of(2), offCurve(curve))],
  ])('a point that is %s is refused', (_what, bits) => {
    for (const provider of PROVIDERS)
      for (const what of [algorithm, specified()])
        expect(() => provider.importPublicKey(keyOf(what, bits))).toThrow(refused);
  });
});

withPrograms('openssl')('private keys of the openssl program', () => {
  test.each(NAMES)('%s', (curve) => {
    const name = curve === 'secp256r1' ? 'prime256v1' : curve;
    const pem = execFileSync('openssl', ['ecparam', '-name', name, '-genkey', '-noout']);
    const plain = execFileSync('openssl', ['pkcs8', '-topk8', '-nocrypt', '-outform', 'DER'], { input: pem });
    const { spki } = nodeCrypto.importPrivateKey(plain).publicKey;
    for (const form of ['compressed', 'uncompressed'])
      for (const encoding of ['explicit', 'named_curve']) {
        const args = ['ec', '-conv_form', form, '-param_enc', encoding];
        const changed = execFileSync('openssl', args, { input: pem, stdio: ['pipe', 'pipe', 'ignore'] });
        const key = execFileSync('openssl', ['pkcs8', '-topk8', '-nocrypt', '-outform', 'DER'], {
          input: changed,
        });
        for (const provider of PROVIDERS) {
          const imported = provider.importPrivateKey(key);
          expect(toHex(imported.publicKey.spki)).toBe(toHex(spki));
          const algorithmUsed = { name: 'ecdsa', hash: 'sha256' } as const;
          const signature = provider.sign(algorithmUsed, imported, spki);
          const verifier = portableCrypto.importPublicKey(spki);
          expect(portableCrypto.verify(algorithmUsed, verifier, spki, signature)).toBe(true);
        }
      }
  });
});

/** AlgorithmIdentifier of an EC key: what stands before its BIT STRING. */
function nodeAlgorithm(spki: Uint8Array): Uint8Array {
  const start = spki[1]! < 0x80 ? 2 : 3;
  return spki.subarray(start, start + 2 + spki[start + 1]!);
}

function offCurve(curve: EcCurve): Uint8Array {
  const { length, curve: noble } = EC_CURVES[curve];
  for (let i = 1n; ; i++) {
    const candidate = bytes(i, length);
    try {
      noble.Point.fromBytes(concat(Uint8Array.of(2), candidate));
    } catch {
      return candidate;
    }
  }
}

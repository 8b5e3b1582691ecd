import { readFileSync } from 'node:fs';
import { fromHex, toHex, utf8 } from '@testudo/codec';
import {
  type CryptoProvider,
  HpkeAead,
  HpkeKdf,
  HpkeKem,
  type HpkePsk,
  type HpkeSuite,
  hpkeSuite,
} from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { describe, expect, test } from 'vitest';
import { PROVIDERS } from './providers.ts';

interface Vector {
  readonly mode: 0 | 1;
  readonly kem_id: number;
  readonly kdf_id: number;
  readonly aead_id: number;
  readonly info: string;
  readonly ikmE: string;
  readonly ikmR: string;
  readonly skEm: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly psk?: string;
  readonly psk_id?: string;
  readonly encryptions: readonly {
    readonly sequence: number;
    readonly aad: string;
    readonly ct: string;
    readonly pt: string;
  }[];
  readonly exports: readonly {
    readonly exporter_context: string;
    readonly L: number;
    readonly exported_value: string;
  }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/hpke/vectors.json', import.meta.url), 'utf8'),
) as Vector[];

function refusal(code: 'bad-key' | 'bad-length' | 'unsupported'): Error {
  return expect.objectContaining({ name: 'CryptoError', code }) as unknown as Error;
}

test('the vectors are all there', () => {
  expect(vectors.length).toBe(64);
  expect(vectors.filter(({ encryptions }) => encryptions.length === 6).length).toBe(12);
});

describe.each(PROVIDERS)('HPKE over the $name provider', (provider) => {
  test.each(vectors)('kem $kem_id, kdf $kdf_id, aead $aead_id, mode $mode', (vector) => {
    const id = { kem: vector.kem_id, kdf: vector.kdf_id, aead: vector.aead_id };
    const suite = hpkeSuite(provider, id)!;
    const info = fromHex(vector.info);
    const psk: HpkePsk | undefined =
      vector.mode === 0 ? undefined : { key: fromHex(vector.psk!), id: fromHex(vector.psk_id!) };

    const recipient = suite.deriveKeyPair(fromHex(vector.ikmR));
    expect(toHex(recipient.exportPrivate())).toBe(vector.skRm);
    expect(toHex(recipient.publicKey)).toBe(vector.pkRm);
    const imported = suite.importPrivate(fromHex(vector.skRm));
    expect(toHex(imported.publicKey)).toBe(vector.pkRm);

    const fixed: CryptoProvider = {
      ...provider,
      keyAgreement(curve) {
        const agreement = provider.keyAgreement(curve)!;
        return { ...agreement, generate: () => agreement.fromPrivate(fromHex(vector.skEm)) };
      },
    };
    expect(toHex(suite.deriveKeyPair(fromHex(vector.ikmE)).exportPrivate())).toBe(vector.skEm);
    const { enc, context: sender } = hpkeSuite(fixed, id)!.setupSender(recipient.publicKey, info, psk);
    expect(toHex(enc)).toBe(vector.enc);
    const receiver = suite.setupReceiver(imported, enc, info, psk);

    let sequence = 0;
    for (const { sequence: wanted, aad, pt, ct } of vector.encryptions) {
      for (; sequence < wanted; sequence++) {
        const skipped = sender.seal(new Uint8Array(0), utf8('skipped'));
        expect(receiver.open(new Uint8Array(0), skipped)).toEqual(utf8('skipped'));
      }
      expect(toHex(sender.seal(fromHex(aad), fromHex(pt)))).toBe(ct);
      expect(toHex(receiver.open(fromHex(aad), fromHex(ct))!)).toBe(pt);
      sequence++;
    }
    for (const { exporter_context, L, exported_value } of vector.exports)
      for (const context of [sender, receiver])
        expect(toHex(context.export(fromHex(exporter_context), L))).toBe(exported_value);
  });

  const id = { kem: HpkeKem.dhkemX25519Sha256, kdf: HpkeKdf.hkdfSha256, aead: HpkeAead.aes128Gcm };
  const suite = hpkeSuite(provider, id)!;
  const info = utf8('info');
  const aad = utf8('aad');

  test('says its lengths', () => {
    expect(suite).toMatchObject({ id, publicKeyLength: 32, privateKeyLength: 32, tagLength: 16 });
    const p384 = hpkeSuite(provider, { ...id, kem: HpkeKem.dhkemP384Sha384 })!;
    expect(p384).toMatchObject({ publicKeyLength: 97, privateKeyLength: 48 });
    expect(p384.generateKeyPair().publicKey.length).toBe(97);
    expect(hpkeSuite(provider, { ...id, aead: HpkeAead.exportOnly })!.tagLength).toBe(0);
  });

  test('opens nothing that was changed, reordered, repeated, or meant for other info, key or enc', () => {
    const key = suite.generateKeyPair();
    const { enc, context } = suite.setupSender(key.publicKey, info);
    const first = context.seal(aad, utf8('first'));
    const second = context.seal(aad, utf8('second'));

    const receiver = suite.setupReceiver(key, enc, info);
    for (let i = 0; i < first.length; i++) {
      const changed = first.slice();
      changed[i]! ^= 1;
      expect(receiver.open(aad, changed)).toBeUndefined();
    }
    expect(receiver.open(utf8('dad'), first)).toBeUndefined();
    expect(receiver.open(aad, first.subarray(1))).toBeUndefined();
    expect(receiver.open(aad, new Uint8Array(0))).toBeUndefined();
    expect(receiver.open(aad, second)).toBeUndefined();
    // What failed took no number from the sequence.
    expect(receiver.open(aad, first)).toEqual(utf8('first'));
    expect(receiver.open(aad, first)).toBeUndefined();
    expect(receiver.open(aad, second)).toEqual(utf8('second'));

    const other = suite.setupSender(key.publicKey, info);
    expect(suite.setupReceiver(key, other.enc, info).open(aad, first)).toBeUndefined();
    expect(suite.setupReceiver(key, enc, utf8('other')).open(aad, first)).toBeUndefined();
    expect(suite.setupReceiver(suite.generateKeyPair(), enc, info).open(aad, first)).toBeUndefined();
    const chacha = hpkeSuite(provider, { ...id, aead: HpkeAead.chacha20Poly1305 })!;
    expect(chacha.setupReceiver(key, enc, info).open(aad, first)).toBeUndefined();
  });

  test('opens with the same PSK only', () => {
    const key = suite.generateKeyPair();
    const psk: HpkePsk = { key: new Uint8Array(32).fill(7), id: utf8('name') };
    const { enc, context } = suite.setupSender(key.publicKey, info, psk);
    const sealed = context.seal(aad, utf8('text'));
    expect(suite.setupReceiver(key, enc, info, psk).open(aad, sealed)).toEqual(utf8('text'));
    for (const wrong of [
      undefined,
      { ...psk, id: utf8('nome') },
      { ...psk, key: new Uint8Array(32).fill(8) },
      { ...psk, key: new Uint8Array(33).fill(7) },
    ])
      expect(suite.setupReceiver(key, enc, info, wrong).open(aad, sealed)).toBeUndefined();
    for (const weak of [
      { ...psk, key: psk.key.subarray(1) },
      { ...psk, id: new Uint8Array(0) },
    ])
      expect(() => suite.setupSender(key.publicKey, info, weak)).toThrowError(refusal('bad-key'));
  });

  test('refuses keys that are none', () => {
    const key = suite.generateKeyPair();
    for (const length of [0, 31, 33, 65]) {
      const wrong = new Uint8Array(length).fill(9);
      expect(() => suite.setupSender(wrong, info)).toThrowError(refusal('bad-key'));
      expect(() => suite.setupReceiver(key, wrong, info)).toThrowError(refusal('bad-key'));
      expect(() => suite.importPrivate(wrong)).toThrowError(refusal('bad-key'));
    }
    // A point of low order: all-zero secret (RFC 9180 §7.1.4).
    expect(() => suite.setupSender(new Uint8Array(32), info)).toThrowError(refusal('bad-key'));
    expect(() => suite.setupReceiver(key, new Uint8Array(32), info)).toThrowError(refusal('bad-key'));
    expect(() => suite.deriveKeyPair(new Uint8Array(31))).toThrowError(refusal('bad-length'));

    const p256 = hpkeSuite(provider, { ...id, kem: HpkeKem.dhkemP256Sha256 })!;
    const off = p256.generateKeyPair().publicKey.slice();
    off[64]! ^= 1;
    expect(() => p256.setupSender(off, info)).toThrowError(refusal('bad-key'));
    expect(() => p256.setupReceiver(p256.generateKeyPair(), off, info)).toThrowError(refusal('bad-key'));
    for (const byte of [0, 255])
      expect(() => p256.importPrivate(new Uint8Array(32).fill(byte))).toThrowError(refusal('bad-key'));
  });

  test('neither seals nor opens in a suite that only exports', () => {
    const exportOnly = hpkeSuite(provider, { ...id, aead: HpkeAead.exportOnly })!;
    const key = exportOnly.generateKeyPair();
    const { enc, context } = exportOnly.setupSender(key.publicKey, info);
    const receiver = exportOnly.setupReceiver(key, enc, info);
    expect(() => context.seal(aad, aad)).toThrowError(refusal('unsupported'));
    expect(() => receiver.open(aad, aad)).toThrowError(refusal('unsupported'));
    expect(receiver.export(aad, 40)).toEqual(context.export(aad, 40));
    expect(() => receiver.export(aad, 255 * 32 + 1)).toThrowError(refusal('bad-length'));
  });

  test('knows no numbers but those of RFC 9180', () => {
    for (const wrong of [{ kem: 0x0013 }, { kem: 0 }, { kdf: 4 }, { aead: 4 }, { aead: 0 }])
      expect(hpkeSuite(provider, { ...id, ...wrong })).toBeUndefined();
  });

  test('is not there without its parts', () => {
    expect(hpkeSuite({ ...provider, keyAgreement: () => undefined }, id)).toBeUndefined();
    expect(hpkeSuite({ ...provider, aead: () => undefined }, id)).toBeUndefined();
  });

  test('shows no private bytes', () => {
    const key = suite.generateKeyPair();
    const secret = toHex(key.exportPrivate());
    expect(JSON.stringify(key)).not.toContain([...key.exportPrivate()].join());
    expect(JSON.stringify(key)).not.toContain(secret);
    key.exportPrivate().fill(0);
    expect(toHex(key.exportPrivate())).toBe(secret);
  });
});

test.each([...new Set(vectors.map(({ kem_id }) => kem_id)), HpkeKem.dhkemP384Sha384])(
  'the providers agree with each other: kem %i',
  (kem) => {
    const suiteOf = (provider: CryptoProvider): HpkeSuite =>
      hpkeSuite(provider, { kem, kdf: HpkeKdf.hkdfSha384, aead: HpkeAead.chacha20Poly1305 })!;
    for (const [from, to] of [
      [nodeCrypto, portableCrypto],
      [portableCrypto, nodeCrypto],
    ] as const) {
      const key = suiteOf(to).generateKeyPair();
      const { enc, context } = suiteOf(from).setupSender(key.publicKey, utf8('info'));
      const sealed = context.seal(utf8('aad'), utf8('text'));
      const receiver = suiteOf(to).setupReceiver(key, enc, utf8('info'));
      expect(receiver.open(utf8('aad'), sealed)).toEqual(utf8('text'));
      expect(suiteOf(from).deriveKeyPair(new Uint8Array(70)).publicKey).toEqual(
        suiteOf(to).deriveKeyPair(new Uint8Array(70)).publicKey,
      );
    }
  },
);

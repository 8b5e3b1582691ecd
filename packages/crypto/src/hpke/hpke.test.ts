import { fromHex, toHex, utf8 } from '@testudo/codec';
import { expect, test } from 'vitest';
import { nodeCrypto } from '../node/index.ts';
import type { CryptoProvider } from '../provider.ts';
import { HpkeContext } from './context.ts';
import { HpkeAead, HpkeKdf, HpkeKem, hpkeSuite } from './index.ts';
import { labeledKdf, NOTHING } from './labeled-kdf.ts';

const badLength = expect.objectContaining({ name: 'CryptoError', code: 'bad-length' }) as unknown as Error;

function contextAt(sequence: number): HpkeContext {
  const aead = nodeCrypto.aead('aes-128-gcm', new Uint8Array(16));
  const kdf = labeledKdf(nodeCrypto, 'sha256', NOTHING);
  const secrets = { sharedSecret: NOTHING, baseNonce: new Uint8Array(12), exporterSecret: NOTHING };
  return new HpkeContext({ aead, kdf, ...secrets }, sequence);
}

test('a sequence ends before its numbers repeat', () => {
  const last = Number.MAX_SAFE_INTEGER - 1;
  const sender = contextAt(last);
  const sealed = sender.seal(NOTHING, utf8('last'));
  expect(() => sender.seal(NOTHING, utf8('one more'))).toThrowError(badLength);
  const receiver = contextAt(last);
  expect(receiver.open(NOTHING, sealed)).toEqual(utf8('last'));
  expect(() => receiver.open(NOTHING, sealed)).toThrowError(badLength);
});

test('a nonce holds the whole number, big-endian', () => {
  const sealed = contextAt(Number.MAX_SAFE_INTEGER - 1).seal(NOTHING, utf8('x'));
  const expected = new Uint8Array(17);
  const nonce = fromHex('00000000001ffffffffffffe'.padStart(24, '0'));
  nodeCrypto.aead('aes-128-gcm', new Uint8Array(16))!.seal(nonce, NOTHING, utf8('x'), expected, 0);
  expect(toHex(sealed)).toBe(toHex(expected));
});

test('a candidate that is no private key is passed over, and 256 of them end the search', () => {
  const id = { kem: HpkeKem.dhkemP256Sha256, kdf: HpkeKdf.hkdfSha256, aead: HpkeAead.aes128Gcm };
  // The candidates' counter is the last byte of what is expanded.
  const poor = (good: number): CryptoProvider => ({
    ...nodeCrypto,
    hkdfExpand: (hash, key, info, length) =>
      info.at(-1) === good ? nodeCrypto.hkdfExpand(hash, key, info, length) : new Uint8Array(length),
  });
  const derived = hpkeSuite(poor(2), id)!.deriveKeyPair(new Uint8Array(32));
  const usual = hpkeSuite(nodeCrypto, id)!.deriveKeyPair(new Uint8Array(32));
  expect(derived.publicKey.length).toBe(65);
  expect(derived.publicKey).not.toEqual(usual.publicKey);
  expect(() => hpkeSuite(poor(256), id)!.deriveKeyPair(new Uint8Array(32))).toThrowError(
    expect.objectContaining({ code: 'bad-key' }) as Error,
  );
});

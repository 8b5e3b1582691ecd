import { bytesEqual, concat, fromHex, utf8 } from '@testudo/codec';
import type { AeadName, CryptoProvider } from '../provider.ts';

/**
 * Known answers, before anything is left to a provider: that its functions are called with the right arguments on this machine.
 * Takes about a millisecond. Throws an Error that names what is wrong.
 */
export function selfTest(provider: CryptoProvider): void {
  for (const test of [digests, derivation, agreement, signatures]) test(provider);
  for (const answer of AEADS) aead(provider, answer);
}

function expect(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`libcrypto gives a wrong answer for ${what}`);
}

function same(actual: Uint8Array | undefined, wanted: string, what: string): void {
  expect(actual !== undefined && bytesEqual(actual, fromHex(wanted)), what);
}

/** FIPS 180-4's "abc", short and long: long data takes another way. */
function digests(provider: CryptoProvider): void {
  same(
    provider.digest('sha256', utf8('abc')),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    'SHA-256',
  );
  same(
    provider.digest('sha256', new Uint8Array(1_000_000).fill(0x61)),
    'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
    'SHA-256',
  );
  same(
    provider.digest('sha384', utf8('abc')),
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    'SHA-384',
  );
}

/** RFC 5869, appendix A.1. */
function derivation(provider: CryptoProvider): void {
  const key = provider.hkdfExtract(
    'sha256',
    fromHex('000102030405060708090a0b0c'),
    new Uint8Array(22).fill(0x0b),
  );
  same(key, '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5', 'HKDF-Extract');
  const info = fromHex('f0f1f2f3f4f5f6f7f8f9');
  same(
    provider.hkdfExpand('sha256', key, info, 42),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    'HKDF-Expand',
  );
  same(provider.hkdfExpand('sha256', key, info, 12), '3cb25f25faacd57a90434f64', 'HKDF-Expand');
}

/** RFC 7748 §6.1 and RFC 5903 §8.1. */
function agreement(provider: CryptoProvider): void {
  for (const [curve, privateKey, peer, secret] of [
    [
      'x25519',
      '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    ],
    [
      'secp256r1',
      'c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433',
      '04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab',
      'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de',
    ],
  ] as const) {
    const functions = provider.keyAgreement(curve);
    expect(functions !== undefined, curve);
    const [a, b] = [functions!.generate(), functions!.generate()];
    expect(bytesEqual(a.agree(b.publicKey), b.agree(a.publicKey)), curve);
    same(functions!.fromPrivate(fromHex(privateKey)).agree(fromHex(peer)), secret, curve);
  }
}

/** RFC 6979, appendix A.2.5: the private key, its point, and the signature of "sample". */
function signatures(provider: CryptoProvider): void {
  const algorithm = { name: 'ecdsa', hash: 'sha256' } as const;
  const point =
    '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299';
  const key = provider.importPrivateKey(
    fromHex(
      '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420' +
        `c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a144034200${point}`,
    ),
  );
  const known = fromHex(
    '3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
      '022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  );
  const text = utf8('sample');
  expect(provider.verify(algorithm, key.publicKey, text, known), 'ECDSA');
  expect(!provider.verify(algorithm, key.publicKey, utf8('other'), known), 'ECDSA');
  const made = provider.sign(algorithm, key, text);
  expect(provider.verify(algorithm, key.publicKey, text, made), 'ECDSA');
}

type AeadAnswer = readonly [AeadName, sealed: string];

/**
 * For each AEAD that the libcrypto has: a short text and a long one, apart and in place, and a wrong tag. The key, the nonce and
 * the text are bytes that count up from 0, with nothing authenticated in addition but the nonce.
 */
function aead(provider: CryptoProvider, [name, wanted]: AeadAnswer): void {
  const cipher = provider.aead(name, counting(/256|chacha/.test(name) ? 32 : 16));
  if (cipher === undefined) return;
  const nonce = counting(12);
  const sealed = new Uint8Array(20 + cipher.tagLength);
  cipher.seal(nonce, nonce, counting(20), sealed, 0);
  same(sealed, wanted, name);
  expect(bytesEqual(cipher.open(nonce, nonce, sealed) ?? sealed, counting(20)), name);

  const long = concat(counting(300), new Uint8Array(cipher.tagLength));
  cipher.seal(nonce, nonce, long.subarray(0, 300), long, 0);
  // The same stream under the same key and nonce (GCM and ChaCha20-Poly1305), and CCM's counter mode as well.
  expect(bytesEqual(long.subarray(0, 20), fromHex(wanted).subarray(0, 20)), name);
  const forged = long.slice();
  forged[307]! ^= 1;
  expect(cipher.open(nonce, nonce, forged, forged) === undefined, name);
  expect(bytesEqual(cipher.open(nonce, nonce, long, long) ?? long, counting(300)), name);
}

function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i);
}

const AEADS: readonly AeadAnswer[] = [
  ['aes-128-gcm', '936da5cd621ef15343db6b813aae7e07a33708f53aa4dfda35266c47304cc7b03135c36a'],
  ['aes-256-gcm', '4703d418c1e0c41c85489d80bde4766293c79527fe37c9e77b5f5804f1b608fb6c5d3f88'],
  ['chacha20-poly1305', '89fa0a032d12a347bf8a35f89410006cd961a0f465300a7080a1019ac9f5547b79195974'],
  ['aes-128-ccm', '3314f164d885c2b6791ac3eb0ee78b8f7c470b216087089498d9d27e4aa7034b587b1623'],
  ['aes-256-ccm', '8ad4ba153a2acf90a4c0bb28013d524b2d650466ad503056814ec9233810395197900f89'],
  ['aes-128-ccm-8', '3314f164d885c2b6791ac3eb0ee78b8f7c470b21cf92793e83cb637f'],
  ['aes-256-ccm-8', '8ad4ba153a2acf90a4c0bb28013d524b2d650466fce221fa3910ce68'],
  ['aria-128-gcm', 'dbd490ece48bab6cb757cd3a2c49304b66b19e9012feac770f8e6787e7a0bfe3a81b1ec3'],
  ['aria-256-gcm', '990a0bd2fd15626d6e559e03552d5e3578b218bbe5f9a511ddb1a77bfb1366877516e614'],
];

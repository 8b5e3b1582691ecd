import { bytesEqual, concat } from '@testudo/codec';
import {
  AEAD_SIZES,
  type Aead,
  type AeadName,
  type CipherName,
  type CryptoProvider,
  DIGEST_SIZES,
  type DigestName,
  type HashName,
} from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { opensslCrypto } from '@testudo/crypto/openssl';
import { portableCrypto } from '@testudo/crypto/portable';
import { guarded } from './checks.ts';
import { agreement, encapsulation, signature } from './crypto-keys.ts';
import { type Case, hasAll, outcome, someBytes } from './crypto-outcomes.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

const openssl = opensslCrypto();

/** By how often each comes: those with keys cost a hundred times as much. */
const CASES: readonly Case[] = [
  ...Array<Case>(24).fill(sealing),
  ...Array<Case>(10).fill(blocks),
  ...Array<Case>(12).fill(codes),
  ...Array<Case>(10).fill(hashing),
  agreement,
  signature,
];
const SELDOM = 1000;
/** No input is a peer's, and a busy machine may take its time. */
const MOST_MILLISECONDS = 60_000;

/** Calls of OpenSSL's functions, which must do what `node:crypto` and noble do, and write nowhere else. */
export const cryptoCalls: Target = (random) => {
  const input: Uint8Array[] = [];
  const run = random.below(SELDOM) === 0 ? encapsulation : random.pick(CASES);
  const breach = guarded(() => run(random, openssl, otherFor(random)), MOST_MILLISECONDS);
  return { breach: breach === undefined ? undefined : `${run.name}: ${breach}`, input };
};

/** noble is slow: seldom. */
function otherFor(random: Random): CryptoProvider {
  return random.below(50) === 0 ? portableCrypto : nodeCrypto;
}

const AEADS = (Object.keys(AEAD_SIZES) as AeadName[]).filter((name) => {
  const key = new Uint8Array(AEAD_SIZES[name].key);
  return openssl.aead(name, key) !== undefined && nodeCrypto.aead(name, key) !== undefined;
});

/** Lengths around the places where something changes, and any others. */
function lengthOf(random: Random, most: number): number {
  switch (random.below(4)) {
    case 0:
      return random.pick([0, 1, 15, 16, 17, 63, 64, 65, 79, 80, 81, 255, 256, 511, 512, 513]);
    case 1:
      return random.below(200);
    case 2:
      return random.below(2000);
    default:
      return random.below(random.below(4) === 0 ? most : 5000);
  }
}

/** Records under several keys that take turns on one context. */
function sealing(random: Random, own: CryptoProvider, other: CryptoProvider): string | undefined {
  const keys = Array.from({ length: 1 + random.below(3) }, () => {
    const name = random.pick(AEADS);
    const key = someBytes(random, AEAD_SIZES[name].key);
    return { own: own.aead(name, key)!, other: (other.aead(name, key) ?? nodeCrypto.aead(name, key))! };
  });
  for (let left = 1 + random.below(4); left > 0; left--) {
    const key = random.pick(keys);
    const nonce = someBytes(random, 12);
    const additional = someBytes(
      random,
      random.below(200) === 0 ? random.below(70_000) : lengthOf(random, 300),
    );
    const text = someBytes(random, lengthOf(random, 40_000));
    const found =
      sealed(random, key.own, key.other, nonce, additional, text) ??
      opened(random, random.pick(keys).own, key, nonce, additional, text);
    if (found !== undefined) return `${key.own.name}, ${text.length} bytes: ${found}`;
  }
  return undefined;
}

function sealed(
  random: Random,
  own: Aead,
  other: Aead,
  nonce: Uint8Array,
  additional: Uint8Array,
  text: Uint8Array,
): string | undefined {
  const length = text.length + own.tagLength;
  const wanted = new Uint8Array(length);
  other.seal(nonce, additional, text, wanted, 0);
  const at = random.below(100);
  const memory = new Uint8Array(at + length + random.below(100) + 64).fill(0x5a);
  const expected = memory.slice();
  expected.set(wanted, at);
  // Apart, in place, or across its place.
  const start = random.pick([-1, at, Math.max(0, at + random.below(64) - 32)]);
  if (start >= 0) memory.set(text, start);
  const plaintext = start < 0 ? text : memory.subarray(start, start + text.length);
  // What lay there before may stay where the ciphertext does not.
  if (start >= 0) expected.set(text, start);
  expected.set(wanted, at);
  own.seal(nonce, additional, plaintext, memory, at);
  if (!bytesEqual(memory, expected)) return `sealed from ${start} to ${at}: not what it is to be`;
  return undefined;
}

function opened(
  random: Random,
  anyOwn: Aead,
  key: { readonly own: Aead; readonly other: Aead },
  nonce: Uint8Array,
  additional: Uint8Array,
  text: Uint8Array,
): string | undefined {
  const { own, other } = key;
  let whole = new Uint8Array(text.length + own.tagLength);
  other.seal(nonce, additional, text, whole, 0);
  const [wrongNonce, wrongAdditional] = [nonce.slice(), additional.slice()];
  let opener = own;
  switch (random.below(12)) {
    case 0:
      whole[random.below(whole.length)]! ^= 1 << random.below(8);
      break;
    case 1:
      whole[whole.length - 1 - random.below(own.tagLength)]! ^= 1;
      break;
    case 2:
      whole = whole.slice(0, random.below(whole.length));
      break;
    case 3:
      wrongNonce[random.below(12)]! ^= 1;
      break;
    case 4:
      if (additional.length > 0) wrongAdditional[random.below(additional.length)]! ^= 1;
      break;
    case 5:
      if (anyOwn.name === own.name) opener = anyOwn;
      break;
  }
  const isSame = opener === own;
  const wanted = isSame ? other.open(wrongNonce, wrongAdditional, whole) : undefined;
  const before = random.below(80);
  const memory = new Uint8Array(before + whole.length + 200).fill(0xa5);
  memory.set(whole, before);
  const input = memory.subarray(before, before + whole.length);
  const place = random.pick([
    undefined,
    input,
    new Uint8Array(whole.length + random.below(20)),
    across(random, memory, before, whole.length),
  ]);
  const untouched = memory.slice();
  const plaintext = opener.open(wrongNonce, wrongAdditional, input, place);
  if ((plaintext === undefined) !== (wanted === undefined))
    return `opened: ${plaintext === undefined ? 'no' : 'yes'}`;
  if (plaintext !== undefined && !bytesEqual(plaintext, wanted!)) return 'opened: another text';
  if (place === undefined && !bytesEqual(memory, untouched)) return 'opened: it wrote, and had no room';
  const end = memory.length - 120;
  if (
    !bytesEqual(memory.subarray(0, before), untouched.subarray(0, before)) &&
    place?.buffer !== memory.buffer
  )
    return 'opened: it wrote before its place';
  if (!bytesEqual(memory.subarray(end + 100), untouched.subarray(end + 100)))
    return 'opened: it wrote behind its place';
  if (plaintext === undefined && text.length > 12 && place !== undefined && hasAll(place, text))
    return 'opened: what is not authentic stays';
  return undefined;
}

/** Room that lies across what is opened. */
function across(random: Random, memory: Uint8Array, before: number, length: number): Uint8Array {
  const start = Math.max(0, before + random.below(60) - 30);
  return memory.subarray(start, start + length);
}

const CIPHERS: readonly (readonly [CipherName, key: number, iv: number, block: number])[] = [
  ['aes-128-cbc', 16, 16, 16],
  ['aes-192-cbc', 24, 16, 16],
  ['aes-256-cbc', 32, 16, 16],
  ['3des-cbc', 24, 8, 8],
  ['camellia-128-cbc', 16, 16, 16],
  ['camellia-256-cbc', 32, 16, 16],
  ['aria-128-cbc', 16, 16, 16],
  ['aria-256-cbc', 32, 16, 16],
  ['sm4-cbc', 16, 16, 16],
  ['aes-128-ecb', 16, 0, 16],
  ['aes-256-ecb', 32, 0, 16],
  ['aes-128-ctr', 16, 16, 1],
  ['chacha20', 32, 16, 1],
];

/** Ciphers that run on, and take turns. */
function blocks(random: Random, own: CryptoProvider, other: CryptoProvider): string | undefined {
  const ciphers = Array.from({ length: 1 + random.below(3) }, () => {
    const [name, keyLength, ivLength, block] = random.pick(CIPHERS);
    const [key, iv] = [someBytes(random, keyLength), someBytes(random, ivLength)];
    const direction = random.pick(['encrypt', 'decrypt'] as const);
    const [mine, its] = [own, other].map((provider) => provider.cipher(name, direction, key, iv));
    return { name, block, mine, its: its ?? nodeCrypto.cipher(name, direction, key, iv) };
  });
  for (let left = 1 + random.below(6); left > 0; left--) {
    const { name, block, mine, its } = random.pick(ciphers);
    if (mine === undefined || its === undefined) continue;
    const length = lengthOf(random, 20_000);
    const data = someBytes(random, random.below(10) === 0 ? length : length - (length % block));
    const before = random.below(40);
    const memory = new Uint8Array(before + data.length + 40).fill(0x5a);
    memory.set(data, before);
    const input = memory.subarray(before, before + data.length);
    const room = random.pick([
      undefined,
      input,
      across(random, memory, before, data.length),
      new Uint8Array(data.length + random.below(2)),
    ]);
    const wanted = outcome(() => its.update(data));
    const actual = outcome(() => mine.update(input, room));
    if (actual !== wanted) return `${name}, ${data.length} bytes: differs`;
    const behind = memory.subarray(before + data.length + 30);
    if (behind.some((byte) => byte !== 0x5a)) return `${name}: it wrote behind its place`;
    if (room === undefined && !bytesEqual(input, data)) return `${name}: it wrote, and had no room`;
  }
  return undefined;
}

const HASHES: readonly HashName[] = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];

/** HMACs in steps, several of which begin before others end. */
function codes(random: Random, own: CryptoProvider, other: CryptoProvider): string | undefined {
  const hashes = [random.pick(HASHES), random.pick(HASHES)];
  const macs = Array.from({ length: 1 + random.below(3) }, () => {
    const hash = random.pick(hashes);
    const key = someBytes(random, lengthOf(random, 300));
    return { hash, key, mac: own.mac(hash, key), parts: [] as Uint8Array[] };
  });
  for (let left = 1 + random.below(12); left > 0; left--) {
    const state = random.pick(macs);
    const { hash, key, mac } = state;
    const action = random.below(8);
    if (action === 0) {
      mac.reset();
      state.parts = [];
    } else if (action < 4) {
      const code = mac.digest();
      if (!bytesEqual(code, other.hmac(hash, key, concat(...state.parts)))) return `${hash}: another code`;
      state.parts = [];
    } else {
      const part = someBytes(random, lengthOf(random, 2000));
      mac.update(part);
      state.parts.push(part);
    }
  }
  // The next case finds the contexts free, or not.
  if (random.below(4) !== 0) for (const { mac } of macs) mac.reset();
  return undefined;
}

function hashing(random: Random, own: CryptoProvider, other: CryptoProvider): string | undefined {
  const digest = random.pick(Object.keys(DIGEST_SIZES) as DigestName[]);
  const hash = random.pick(HASHES);
  const [data, key] = [
    someBytes(random, lengthOf(random, 100_000)),
    someBytes(random, lengthOf(random, 300)),
  ];
  const [salt, info] = [someBytes(random, lengthOf(random, 300)), someBytes(random, lengthOf(random, 700))];
  const length = random.below(random.pick([50, 50, 300, 20_000]));
  for (const [name, call] of [
    [`digest ${digest}`, (p: CryptoProvider) => p.digest(digest, data)],
    [`hmac ${digest}`, (p: CryptoProvider) => p.hmac(digest, key, data)],
    [`extract ${hash}`, (p: CryptoProvider) => p.hkdfExtract(hash, salt, key)],
    [`expand ${hash}`, (p: CryptoProvider) => p.hkdfExpand(hash, key, info, length)],
  ] as const)
    if (outcome(() => call(own)) !== outcome(() => call(other))) return `${name} differs`;
  return undefined;
}

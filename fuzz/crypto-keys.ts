import { bytesEqual } from '@testudo/codec';
import type {
  AgreementKey,
  CryptoProvider,
  CurveName,
  HashName,
  KeySpec,
  PrivateKey,
  SignatureAlgorithm,
} from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { outcome, someBytes } from './crypto-outcomes.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';

const CURVES: readonly (readonly [CurveName, length: number])[] = [
  ['x25519', 32],
  ['x25519', 32],
  ['secp256r1', 32],
  ['secp256r1', 32],
  ['x448', 56],
  ['secp384r1', 48],
  ['secp521r1', 66],
  ['brainpoolP256r1', 32],
  ['brainpoolP384r1', 48],
  ['brainpoolP512r1', 64],
];

/** Both sides of an agreement, and points that are none. */
export function agreement(random: Random, own: CryptoProvider, other: CryptoProvider): string | undefined {
  const [curve, length] = random.pick(CURVES);
  const [mine, its] = [own.keyAgreement(curve), other.keyAgreement(curve)];
  if (mine === undefined || its === undefined) return undefined;
  const [a, b] = [mine.generate(), its.generate()];
  if (!bytesEqual(a.agree(b.publicKey), b.agree(a.publicKey))) return `${curve}: no agreement`;

  const privateKey = someBytes(random, random.below(10) === 0 ? random.below(80) : length);
  if (curve === 'secp521r1') privateKey[0] = random.below(2);
  // Numbers out of range, too.
  if (random.below(10) === 0) privateKey.fill(random.pick([0, 255]));
  const make = (provider: typeof mine) => {
    let key: AgreementKey | undefined;
    const made = outcome(() => {
      key = provider.fromPrivate(privateKey);
      return key.publicKey;
    });
    return { made, key };
  };
  const [known, same] = [make(mine), make(its)];
  if (known.made !== same.made) return `${curve}: another public key`;
  const peer = random.pick([
    b.publicKey,
    mutate(b.publicKey, random, a.publicKey),
    new Uint8Array(b.publicKey.length),
    Uint8Array.of(4),
  ]);
  if (known.key === undefined || same.key === undefined) return undefined;
  if (outcome(() => known.key!.agree(peer)) !== outcome(() => same.key!.agree(peer)))
    return `${curve}: another verdict or secret`;
  return undefined;
}

export function encapsulation(
  random: Random,
  own: CryptoProvider,
  other: CryptoProvider,
): string | undefined {
  const name = random.pick(['ml-kem-768', 'ml-kem-1024'] as const);
  const [mine, its] = [own.kem(name)!, other.kem(name)!];
  const seed = someBytes(random, random.below(10) === 0 ? random.below(80) : 64);
  const public1 = outcome(() => mine.fromSeed(seed).encapsulationKey);
  if (public1 !== outcome(() => its.fromSeed(seed).encapsulationKey)) return `${name}: another key`;
  if (seed.length !== 64) return undefined;
  const [a, b] = [mine.fromSeed(seed), its.fromSeed(seed)];
  const { ciphertext, sharedSecret } = random.pick([mine, its]).encapsulate(a.encapsulationKey);
  for (const key of [a, b])
    if (!bytesEqual(key.decapsulate(ciphertext), sharedSecret)) return `${name}: another secret`;
  const changed = mutate(ciphertext, random, a.encapsulationKey);
  if (outcome(() => a.decapsulate(changed)) !== outcome(() => b.decapsulate(changed)))
    return `${name}: another secret of a forged ciphertext`;
  const wrong = mutate(a.encapsulationKey, random, ciphertext);
  const takes = (kem: typeof mine) => outcome(() => kem.encapsulate(wrong).ciphertext.length);
  return takes(mine) === takes(its) ? undefined : `${name}: another verdict of a key`;
}

const SPECS: readonly KeySpec[] = [
  { type: 'ec', curve: 'secp256r1' },
  { type: 'ec', curve: 'secp384r1' },
  { type: 'ec', curve: 'secp521r1' },
  { type: 'ec', curve: 'brainpoolP256r1' },
  { type: 'ed25519' },
  { type: 'ed448' },
  { type: 'rsa', bits: 1024 },
  { type: 'rsa', bits: 1031 },
  { type: 'rsa', bits: 512 },
];
let keys: PrivateKey[] | undefined;

/** One signs, the other verifies, as it is and changed, by the key that made it and by others. */
export function signature(random: Random, own: CryptoProvider, other: CryptoProvider): string | undefined {
  keys ??= SPECS.map((spec) => nodeCrypto.generateKey(spec));
  const origin = random.pick(keys);
  // Now and then a key object that was not seen before.
  const pkcs8 = random.below(4) === 0 ? origin.exportPkcs8() : undefined;
  const key = pkcs8 === undefined ? origin : own.importPrivateKey(pkcs8);
  const algorithm = algorithmFor(random, key.kind.type);
  const data = someBytes(random, random.below(random.pick([100, 600, 5000])));
  const [signer, verifier] = random.pick([
    [own, other],
    [other, own],
  ]);
  let bytes: Uint8Array | undefined;
  const made = outcome(() => {
    bytes = signer.sign(algorithm, key, data);
    return 'signed';
  });
  if (made !== outcome(() => verifier.sign(algorithm, key, data) && 'signed'))
    return `${JSON.stringify(algorithm)}: ${made}`;
  if (bytes === undefined) return undefined;
  const name = `${JSON.stringify(algorithm)} by ${JSON.stringify(key.kind)}`;
  if (!verifier.verify(algorithm, key.publicKey, data, bytes)) return `${name}: not valid`;
  const changed = mutate(bytes, random, bytes);
  const wrongData = random.below(4) === 0 ? mutate(data, random, data) : data;
  const publicKey = random.below(4) === 0 ? random.pick(keys).publicKey : key.publicKey;
  const verdicts = [own, other].map((provider) =>
    outcome(() => provider.verify(algorithm, publicKey, wrongData, changed)),
  );
  return verdicts[0] === verdicts[1] ? undefined : `${name}: ${verdicts.join(' and ')}`;
}

function algorithmFor(random: Random, type: string): SignatureAlgorithm {
  const hash = random.pick<HashName>(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']);
  switch (type) {
    case 'ec':
      return { name: 'ecdsa', hash };
    case 'rsa':
      return random.below(5) === 0
        ? { name: 'rsa-pkcs1', hash: 'md5-sha1' }
        : { name: random.pick(['rsa-pss', 'rsa-pkcs1'] as const), hash };
    default:
      return { name: type as 'ed25519' | 'ed448' };
  }
}

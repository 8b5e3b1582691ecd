import {
  DecodeError,
  type DerReader,
  decodeDer,
  decodePem,
  der,
  encodePem,
  type Oid,
  type PemBlock,
  Tag,
} from '@testudo/codec';
import { HpkeKem } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import { type EchConfig, encodeEchConfigList, parseEchConfigList } from './config-list.ts';
import type { EchKey } from './keys.ts';

/**
 * A server's key as a PEM file, as OpenSSL and nginx read it, too: the private key in PKCS #8, then the ECHConfigList
 * (RFC 9934 §3). Throws `bad-option` for a key whose KEM has no form in PKCS #8.
 */
export function echKeyToPem({ config, privateKey }: EchKey): string {
  const list = encodeEchConfigList([config]);
  const [parsed] = parseEchConfigList(list);
  const curve = CURVES.find(({ kem }) => kem === parsed?.kem);
  if (parsed === undefined || curve === undefined)
    throw new TlsError('bad-option', 'this ECH key has no form in PKCS #8');
  return encodePem(PRIVATE_KEY, toPkcs8(curve, parsed, privateKey)) + encodePem(ECH_CONFIG, list);
}

/**
 * The keys of such a file, one for each of its configurations that this version of ECH has. `isRetry` is not in it.
 * Throws `bad-option` where the text is no such file; whether key and configuration belong together shows where they are used.
 */
export function parseEchKeys(pem: string): EchKey[] {
  const blocks = readBlocks(pem);
  const [key, list] = blocks;
  if (blocks.length !== 2 || key?.label !== PRIVATE_KEY || list?.label !== ECH_CONFIG)
    throw bad(`must hold one ${PRIVATE_KEY} and, after it, one ${ECH_CONFIG}`);
  const configs = readConfigs(list.bytes);
  if (configs.length === 0) throw bad('holds no configuration of version 0xfe0d');
  const { curve, privateKey } = readPkcs8(key.bytes);
  if (configs.some(({ kem }) => kem !== curve.kem))
    throw bad('holds a private key of a different kind than a configuration states');
  return configs.map(({ bytes }) => ({ config: new Uint8Array(bytes), privateKey }));
}

const PRIVATE_KEY = 'PRIVATE KEY';
const ECH_CONFIG = 'ECHCONFIG';

interface Curve {
  readonly kem: number;
  readonly oid: Oid;
  /** RFC 8410 names the curve as algorithm, RFC 5480 as parameter of id-ecPublicKey. */
  readonly isParameter: boolean;
}

const EC_PUBLIC_KEY: Oid = '1.2.840.10045.2.1';
const CURVES: readonly Curve[] = [
  { kem: HpkeKem.dhkemX25519Sha256, oid: '1.3.101.110', isParameter: false },
  { kem: HpkeKem.dhkemX448Sha512, oid: '1.3.101.111', isParameter: false },
  { kem: HpkeKem.dhkemP256Sha256, oid: '1.2.840.10045.3.1.7', isParameter: true },
  { kem: HpkeKem.dhkemP384Sha384, oid: '1.3.132.0.34', isParameter: true },
  { kem: HpkeKem.dhkemP521Sha512, oid: '1.3.132.0.35', isParameter: true },
];

function toPkcs8({ oid, isParameter }: Curve, { publicKey }: EchConfig, privateKey: Uint8Array): Uint8Array {
  const algorithm = isParameter
    ? der.sequence(der.oid(EC_PUBLIC_KEY), der.oid(oid))
    : der.sequence(der.oid(oid));
  const key = isParameter
    ? der.sequence(der.integer(1), der.octetString(privateKey), der.explicit(1, der.bitString(publicKey)))
    : der.octetString(privateKey);
  return der.sequence(der.integer(0), algorithm, der.octetString(key));
}

function readPkcs8(bytes: Uint8Array): { curve: Curve; privateKey: Uint8Array } {
  try {
    return decodeDer(bytes, (reader) => {
      const info = reader.enter(Tag.sequence);
      info.smallInteger(1);
      const algorithm = info.enter(Tag.sequence);
      const name = algorithm.oid();
      const oid = name === EC_PUBLIC_KEY ? algorithm.oid() : name;
      const curve = CURVES.find((each) => each.oid === oid && each.isParameter === (name === EC_PUBLIC_KEY));
      if (curve === undefined)
        throw bad(`holds a private key of an algorithm that HPKE does not use: ${oid}`);
      const key = decodeDer(info.octetString(), (inner) =>
        curve.isParameter ? ecPrivateKey(inner.enter(Tag.sequence)) : inner.octetString(),
      );
      // What may follow are attributes and the public key, which the configuration has.
      while (info.remaining > 0) info.element();
      return { curve, privateKey: new Uint8Array(key) };
    });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw bad('holds a private key that is not PKCS #8');
  }
}

/** ECPrivateKey (RFC 5915 §3). */
function ecPrivateKey(reader: DerReader): Uint8Array {
  reader.smallInteger(1);
  const key = reader.octetString();
  while (reader.remaining > 0) reader.element();
  return key;
}

function readBlocks(pem: string): PemBlock[] {
  try {
    return decodePem(pem);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw bad('is not PEM');
  }
}

function readConfigs(bytes: Uint8Array): EchConfig[] {
  try {
    return parseEchConfigList(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw bad(`holds no ECHConfigList: ${error.message}`);
  }
}

/** No cause: what does not parse may be a secret. */
function bad(what: string): TlsError {
  return new TlsError('bad-option', `a file of ECH keys (RFC 9934) ${what}`);
}

import { bytesEqual, utf8 } from '@testudo/codec';
import { CryptoError, type CryptoProvider, HpkeKem, type HpkeKeyPair } from '@testudo/crypto';
import { DEFAULT_ECH_SUITES } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import {
  type EchCipherSuite,
  type EchConfig,
  type EchConfigExtension,
  encodeEchConfig,
  encodeEchConfigList,
  parseEchConfigList,
} from './config-list.ts';
import { echSuite } from './hpke.ts';
import { isPublicName } from './public-name.ts';

/** A configuration that a server decrypts hellos for. */
export interface EchKey {
  /** One ECHConfig, as clients see it. */
  readonly config: Uint8Array;
  /** Its private key as RFC 9180 §7.1.2 serializes it: 32 bytes for X25519 and P-256. */
  readonly privateKey: Uint8Array;
  /** Tell it to clients whose hello could not be decrypted. False for one that is to be replaced. Default true. */
  readonly isRetry?: boolean | undefined;
}

export interface EchKeyOptions {
  /** The name for all to see: in the clear instead of the real one. The server must have a certificate for it. */
  readonly publicName: string;
  /** Default `x25519`, which every client knows. */
  readonly kem?: 'x25519' | 'secp256r1' | undefined;
  /** By the server's preference. Default: HKDF-SHA256 with AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305. */
  readonly cipherSuites?: readonly EchCipherSuite[] | undefined;
  /** 0 to 255; different from that of each other key of the server. Default: at random. */
  readonly configId?: number | undefined;
  /** Longest name of those to be hidden, in bytes, at most 255: shorter ones are padded to it. Default 0, not known. */
  readonly maximumNameLength?: number | undefined;
  /** Default: none. No extension is defined yet. */
  readonly extensions?: readonly EchConfigExtension[] | undefined;
  readonly isRetry?: boolean | undefined;
}

/** A new key with its configuration. Throws `bad-option`. */
export function generateEchKey(provider: CryptoProvider, options: EchKeyOptions): EchKey {
  const { publicName, maximumNameLength = 0 } = options;
  const kem = { x25519: HpkeKem.dhkemX25519Sha256, secp256r1: HpkeKem.dhkemP256Sha256 }[
    options.kem ?? 'x25519'
  ];
  const cipherSuites = options.cipherSuites ?? DEFAULT_ECH_SUITES;
  const configId = options.configId ?? provider.randomBytes(1)[0]!;
  if (!isPublicName(publicName) || publicName.length > 255)
    throw new TlsError('bad-option', `publicName ${JSON.stringify(publicName)} is not a host name`);
  for (const [name, value] of Object.entries({ configId, maximumNameLength })) {
    if (!Number.isInteger(value) || value < 0 || value > 255)
      throw new TlsError('bad-option', `${name} must be from 0 to 255, not ${value}`);
  }
  const suites = cipherSuites.map((pair) => echSuite(provider, kem, pair));
  const [suite] = suites;
  if (suite === undefined || suites.includes(undefined))
    throw new TlsError('bad-option', `the ${provider.name} provider cannot do one of the cipherSuites`);
  const key = suite.generateKeyPair();
  const config = encodeEchConfig({
    configId,
    kem,
    publicKey: key.publicKey,
    cipherSuites,
    maximumNameLength,
    publicName,
    extensions: options.extensions ?? [],
  });
  return { config, privateKey: key.exportPrivate(), isRetry: options.isRetry ?? true };
}

/** A server's key, ready for use. */
export interface EchServerKey {
  readonly config: EchConfig;
  readonly pair: HpkeKeyPair;
}

/** What a server's options say about ECH. */
export interface EchServerKeys {
  readonly keys: readonly EchServerKey[];
  /** The ECHConfigList for clients to try again with. */
  readonly retryConfigs: Uint8Array;
  /** For what looks like a confirmation in a HelloRetryRequest; the same for servers with the same keys. */
  readonly greaseKey: Uint8Array;
}

/** Throws `bad-option` for keys that are none, that do not fit their configuration, or none of which is for retries. */
export function echServerKeys(provider: CryptoProvider, keys: readonly EchKey[]): EchServerKeys {
  const retries = keys.filter((key) => key.isRetry ?? true);
  if (retries.length === 0)
    throw new TlsError(
      'bad-option',
      'echKeys: at least one must be offered to clients for a second try (isRetry)',
    );
  const checked = keys.map((key) => echServerKey(provider, key));
  const retryConfigs = encodeEchConfigList(retries.map(({ config }) => config));
  const greaseKey = provider.hkdfExtract('sha256', GREASE_SALT, keys[0]!.privateKey);
  return { keys: checked, retryConfigs, greaseKey };
}

function echServerKey(provider: CryptoProvider, { config, privateKey }: EchKey): EchServerKey {
  const parsed = singleConfig(config);
  const [suite] = parsed.cipherSuites.flatMap((pair) => echSuite(provider, parsed.kem, pair) ?? []);
  if (suite === undefined)
    throw new TlsError('bad-option', `echKeys: the ${provider.name} provider can do no suite of a key`);
  try {
    const pair = suite.importPrivate(privateKey);
    if (bytesEqual(pair.publicKey, parsed.publicKey)) return { config: parsed, pair };
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
  }
  throw new TlsError('bad-option', 'echKeys: a private key does not belong to its configuration');
}

function singleConfig(config: Uint8Array): EchConfig {
  let parsed: EchConfig | undefined;
  try {
    [parsed] = parseEchConfigList(encodeEchConfigList([config]));
  } catch (error) {
    throw new TlsError('bad-option', 'echKeys: config must be one ECHConfig', { cause: error });
  }
  if (parsed !== undefined) return parsed;
  throw new TlsError('bad-option', 'echKeys: a config has a version other than 0xfe0d');
}

const GREASE_SALT = utf8('retry that looks confirmed');

import {
  type Codec,
  DecodeError,
  decode,
  encode,
  fromLatin1,
  list,
  mapped,
  opaque,
  struct,
  toLatin1,
  uint8,
  uint16,
} from '@testudo/codec';
import { isPublicName } from './public-name.ts';

/** An HPKE KDF with an AEAD, by the numbers of RFC 9180 §7.2 and §7.3. */
export interface EchCipherSuite {
  readonly kdf: number;
  readonly aead: number;
}

export interface EchConfigExtension {
  readonly type: number;
  readonly data: Uint8Array;
}

/** ECHConfigContents (RFC 9849 §4). */
export interface EchConfigContents {
  readonly configId: number;
  /** HPKE KEM by its number (RFC 9180 §7.1). */
  readonly kem: number;
  readonly publicKey: Uint8Array;
  readonly cipherSuites: readonly EchCipherSuite[];
  /** Longest name of a server behind this one, in bytes; 0 when that is not known. */
  readonly maximumNameLength: number;
  /** The name for all to see, whose owner may replace the configuration. */
  readonly publicName: string;
  readonly extensions: readonly EchConfigExtension[];
}

/** One ECHConfig of the version of RFC 9849. */
export interface EchConfig extends EchConfigContents {
  /** The whole ECHConfig as it came: keys depend on every byte. */
  readonly bytes: Uint8Array;
  /** Why a client must not use it, in words; undefined when it may. Whether it can depends on its algorithms, too. */
  readonly problem: string | undefined;
}

/** The version of RFC 9849, which is the extension's number, too. */
export const ECH_VERSION = 0xfe0d;

/**
 * The configurations of an ECHConfigList, as a DNS record of type HTTPS holds it in `ech` (RFC 9848), by the server's
 * preference. Other versions are left out. Throws `DecodeError` when the bytes are no list.
 */
export function parseEchConfigList(bytes: Uint8Array): EchConfig[] {
  return decode(echConfigList, bytes).flatMap(({ version, contents }, index, all) => {
    if (version !== ECH_VERSION) return [];
    const parsed = decode(echConfigContents, contents);
    return [{ ...parsed, bytes: encode(echConfig, all[index]!).slice(), problem: problemOf(parsed) }];
  });
}

/** An ECHConfigList of whole ECHConfigs. */
export function encodeEchConfigList(configs: readonly Uint8Array[]): Uint8Array {
  return encode(
    echConfigList,
    configs.map((config) => decode(echConfig, config)),
  ).slice();
}

/** One ECHConfig with these contents. */
export function encodeEchConfig(contents: EchConfigContents): Uint8Array {
  return encode(echConfig, {
    version: ECH_VERSION,
    contents: encode(echConfigContents, contents),
  }).slice();
}

const echConfigContents: Codec<EchConfigContents> = struct({
  configId: uint8,
  kem: uint16,
  publicKey: opaque(2, 1),
  cipherSuites: list(2, struct({ kdf: uint16, aead: uint16 }), 4, 0xfffc),
  maximumNameLength: uint8,
  publicName: mapped(opaque(1, 1), toLatin1, fromLatin1),
  extensions: list(2, struct({ type: uint16, data: opaque(2) })),
}) as Codec<EchConfigContents>;

const echConfig: Codec<{ version: number; contents: Uint8Array }> = struct({
  version: uint16,
  contents: opaque(2),
});

const entries = list(2, echConfig, 4);

/** @internal ECHConfigList<4..2^16-1>, whose entries of the known version are well-formed. */
export const echConfigList: Codec<{ version: number; contents: Uint8Array }[]> = {
  read(reader) {
    const start = reader.offset;
    const configs = entries.read(reader);
    for (const { version, contents } of configs) {
      if (version === ECH_VERSION && !isWellFormed(contents))
        throw reader.error('bad-value', 'holds an invalid ECHConfig', start);
    }
    return configs;
  },
  write: entries.write,
};

function isWellFormed(contents: Uint8Array): boolean {
  try {
    decode(echConfigContents, contents);
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** No extension is defined yet, so each one that is mandatory is unknown (RFC 9849 §4.2). */
function problemOf({ publicName, extensions }: EchConfigContents): string | undefined {
  const mandatory = extensions.find(({ type }) => type >= MANDATORY);
  if (mandatory !== undefined)
    return `it needs the extension 0x${mandatory.type.toString(16)}, which is not known`;
  if (new Set(extensions.map(({ type }) => type)).size < extensions.length)
    return 'it holds an extension twice';
  if (!isPublicName(publicName)) return `${JSON.stringify(publicName)} is not a host name`;
  return undefined;
}

/** The bit of an extension's number that makes it mandatory. */
const MANDATORY = 0x8000;

import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type CipherSuite,
  type ClientOptions,
  cipherSuite,
  type ExternalPsk,
  type ServerOptions,
  suiteAvailable,
  VERSIONS,
} from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';

/** The versions that OpenSSL and GnuTLS of today still have. */
export const MATRIX_VERSIONS = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1'] as const;
export type MatrixVersion = (typeof MATRIX_VERSIONS)[number];

/** The shared key of every suite with PSK. */
export const PSK = { identity: 'Alice', key: new Uint8Array(24).fill(7) };
export const PSK_HEX: string = Buffer.from(PSK.key).toString('hex');

/** The kind of certificate that the server shows. */
export type KeyKind = 'rsa' | 'ecdsa' | 'dsa';

export function keyKindOf({ authentication, keyExchange }: CipherSuite): KeyKind {
  if (authentication === 'rsa' || keyExchange === 'RSA_PSK') return 'rsa';
  return authentication === 'dsa' ? 'dsa' : 'ecdsa';
}

export interface Combination {
  readonly version: MatrixVersion;
  readonly suite: CipherSuite;
}

/** Each suite of ours with each version, of those whose numbers the program lists. */
export function combinations(ids: readonly number[]): Combination[] {
  return MATRIX_VERSIONS.flatMap((version) =>
    ids
      .map(cipherSuite)
      .filter((suite) => suite !== undefined)
      .filter((suite) => suiteAvailable(suite, nodeCrypto))
      .filter(({ minVersion, maxVersion }) => {
        const number = VERSIONS[version];
        return minVersion <= number && number <= maxVersion;
      })
      .map((suite) => ({ version, suite })),
  );
}

/** What both of our sides are given for a combination: everything old is let in, and one suite named. */
export function ourOptions({ version, suite }: Combination) {
  return {
    provider: nodeCrypto,
    legacy,
    dangerouslyAllowAnonymous: true,
    minVersion: version,
    maxVersion: version,
    cipherSuites: [suite.name],
    ...(suite.authentication === 'dsa'
      ? { signatureSchemes: ['dsa_sha256', 'dsa_sha1', 'ecdsa_secp256r1_sha256'] }
      : {}),
  } as const satisfies Partial<ClientOptions & ServerOptions>;
}

export const OUR_PSK: ExternalPsk = { identity: utf8(PSK.identity), key: PSK.key };

/** In TLS 1.3 a shared key would be tried in place of the certificate. */
export function psksFor({ suite }: Combination): ExternalPsk[] {
  return suite.keyExchange.endsWith('PSK') ? [OUR_PSK] : [];
}

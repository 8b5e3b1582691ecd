import { type CipherSuite, type CipherSuite13, isSuite13 } from './cipher-suite.ts';
import { DHE_SUITES, ECDHE_SUITES, LEGACY_SUITES, PSK_SUITES, RSA_SUITES, SUITES_13 } from './table.ts';

export {
  type AeadCipher,
  type BulkCipher,
  type CbcCipher,
  type CipherSuite,
  type CipherSuite13,
  isSuite13,
  type KeyExchangeName,
  type StreamCipher,
  suiteAvailable,
  suiteFits,
} from './cipher-suite.ts';

/** Every suite the engine knows. Which of them are used by default, and in which order, `config/defaults.ts` says. */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  ...SUITES_13,
  ...ECDHE_SUITES,
  ...DHE_SUITES,
  ...RSA_SUITES,
  ...PSK_SUITES,
  ...LEGACY_SUITES,
];

const BY_ID = new Map(CIPHER_SUITES.map((suite) => [suite.id, suite]));
const BY_NAME = new Map(
  CIPHER_SUITES.flatMap(
    (suite) =>
      [
        [suite.name, suite],
        [suite.opensslName, suite],
      ] as const,
  ),
);

/** By its number; undefined when the engine does not know it. */
export function cipherSuite(id: number): CipherSuite | undefined {
  return BY_ID.get(id);
}

/** A suite of TLS 1.3 by its number; undefined for any other. */
export function cipherSuite13(id: number): CipherSuite13 | undefined {
  const suite = BY_ID.get(id);
  return suite !== undefined && isSuite13(suite) ? suite : undefined;
}

/** By its IANA or OpenSSL name. */
export function cipherSuiteByName(name: string): CipherSuite | undefined {
  return BY_NAME.get(name);
}

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3). */
export const EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;
/** TLS_FALLBACK_SCSV (RFC 7507). */
export const FALLBACK_SCSV = 0x5600;

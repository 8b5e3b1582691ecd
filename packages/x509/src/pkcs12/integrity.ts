import { type DerReader, decodeDer, der, type Oid, Tag } from '@testudo/codec';
import { type CryptoProvider, DIGEST_SIZES, type DigestName } from '@testudo/crypto';
import { CertificateError } from '../errors.ts';
import { encodeHashAlgorithm } from '../hash-algorithm.ts';
import { readDigest } from './digests.ts';
import { DERIVATION_ID, derivePkcs12 } from './key-derivation.ts';
import { Pkcs12Oid } from './oids.ts';
import { encodePbkdf2, readHmac, readPasswordKey } from './password-encryption.ts';
import { PasswordForms } from './password-forms.ts';
import { PasswordWork } from './password-work.ts';

/** What protects a file's content (RFC 7292 §4, MacData). */
export interface MacData {
  /** AlgorithmIdentifier, DER: of a hash, or PBMAC1 (RFC 9579). */
  readonly algorithm: Uint8Array;
  readonly code: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** Reads MacData. Throws DecodeError. */
export function readMacData(reader: DerReader): MacData {
  return reader.sequence((data) => {
    const [algorithm, code] = data.sequence(
      (digest) => [digest.whole(Tag.sequence), digest.octetString()] as const,
    );
    const salt = data.octetString();
    const offset = data.offset;
    const iterations = data.peek() === Tag.integer ? data.smallInteger() : 1;
    if (iterations < 1) throw data.error('bad-value', 'an iteration count below 1', offset);
    return { algorithm, code, salt, iterations };
  });
}

/**
 * Which of the passwords the code fits; undefined for none. Throws DecodeError, or CertificateError as {@link PasswordWork}.
 */
export function fitting(
  mac: MacData,
  content: Uint8Array,
  candidates: readonly PasswordForms[],
  provider: CryptoProvider,
  work: PasswordWork,
): PasswordForms | undefined {
  if (oidOf(mac.algorithm) === Pkcs12Oid.pbmac1)
    return candidates.find((one) => provider.equal(pbmac1(mac, content, one, provider, work), mac.code));
  const { name: hash, oid } = decodeDer(mac.algorithm, readDigest);
  if (hash === undefined)
    throw new CertificateError(
      'unsupported-algorithm',
      `the file is protected with ${oid}, which is not supported`,
    );
  return candidates.find(({ bmp }) =>
    provider.equal(hmacPkcs12(hash, bmp, mac, content, provider, work), mac.code),
  );
}

/** MacData over a content, DER. */
export function encodeMacData(
  content: Uint8Array,
  password: string,
  provider: CryptoProvider,
  kind: 'hmac-sha256' | 'hmac-sha1' | 'pbmac1',
  iterations: number,
): Uint8Array {
  const salt = provider.randomBytes(16);
  const forms = PasswordForms.of(password);
  if (kind === 'pbmac1') {
    const derivation = encodePbkdf2(salt, iterations, 32);
    const scheme = der.sequence(der.oid('1.2.840.113549.2.9'), der.nullValue());
    const algorithm = der.sequence(der.oid(Pkcs12Oid.pbmac1), der.sequence(derivation, scheme));
    const mac: MacData = { algorithm, code: new Uint8Array(0), salt, iterations };
    const code = pbmac1(mac, content, forms, provider, new PasswordWork({ steps: Infinity }));
    // RFC 9579 §5: salt and iterations stand elsewhere; these are for show.
    return encode(algorithm, code, salt, iterations);
  }
  const hash = kind === 'hmac-sha1' ? 'sha1' : 'sha256';
  const work = new PasswordWork({ steps: Infinity });
  const code = hmacPkcs12(hash, forms.bmp, { salt, iterations }, content, provider, work);
  return encode(encodeHashAlgorithm(hash), code, salt, iterations);
}

function encode(algorithm: Uint8Array, code: Uint8Array, salt: Uint8Array, iterations: number): Uint8Array {
  return der.sequence(
    der.sequence(algorithm, der.octetString(code)),
    der.octetString(salt),
    der.integer(iterations),
  );
}

/** RFC 7292 §B.4 */
function hmacPkcs12(
  hash: DigestName,
  password: Uint8Array,
  { salt, iterations }: Pick<MacData, 'salt' | 'iterations'>,
  content: Uint8Array,
  provider: CryptoProvider,
  work: PasswordWork,
): Uint8Array {
  const { length } = DIGEST_SIZES[hash];
  const key = derivePkcs12(
    { hash, password, salt, iterations, id: DERIVATION_ID.mac, length },
    provider,
    work,
  );
  return provider.hmac(hash, key, content);
}

/** PBMAC1-params (RFC 8018 §A.5, RFC 9579). The key derivation must say how long the key is. */
function pbmac1(
  mac: MacData,
  content: Uint8Array,
  password: PasswordForms,
  provider: CryptoProvider,
  work: PasswordWork,
): Uint8Array {
  return decodeDer(mac.algorithm, (reader) =>
    reader.sequence((algorithm) => {
      algorithm.oid();
      return algorithm.sequence((params) => {
        const key = readPasswordKey(params, password.bytes, undefined, provider, work);
        return provider.hmac(readHmac(params), key, content);
      });
    }),
  );
}

function oidOf(algorithm: Uint8Array): Oid {
  return decodeDer(algorithm, (reader) => {
    const inner = reader.enter(Tag.sequence);
    return inner.oid();
  });
}

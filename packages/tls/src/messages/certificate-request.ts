import { type Codec, list, opaque, struct, uint8, uint16 } from '@testudo/codec';
import type { SignatureAlgorithm } from '@testudo/crypto';
import { type ExtensionBlock, extensions } from '../extensions/block.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.4.2. */
export interface CertificateRequest13 {
  /** Empty in a handshake. */
  readonly certificateRequestContext: Uint8Array;
  readonly extensions: ExtensionBlock<'certificate_request'>;
}

const codec13: Codec<CertificateRequest13> = struct({
  certificateRequestContext: opaque(1),
  extensions: extensions('certificate_request'),
});

export const certificateRequest13: Message<CertificateRequest13> = message('certificate_request', codec13);

/** RFC 5246 §7.4.4. */
export interface CertificateRequest12 {
  readonly certificateTypes: readonly number[];
  /** Undefined before TLS 1.2: the certificate types said it all. */
  readonly supportedSignatureAlgorithms: readonly number[] | undefined;
  /** Distinguished names, DER. */
  readonly certificateAuthorities: readonly Uint8Array[];
}

/** ClientCertificateType: rsa_sign, dss_sign, and ecdsa_sign (which also stands for EdDSA, RFC 8422 §5.5). */
export const RSA_SIGN = 1;
const DSS_SIGN = 2;
export const ECDSA_SIGN = 64;

/** What a signature of this algorithm needs. */
export function certificateTypeOf({ name }: SignatureAlgorithm): number {
  if (name === 'dsa') return DSS_SIGN;
  return name === 'rsa-pkcs1' || name === 'rsa-pss' ? RSA_SIGN : ECDSA_SIGN;
}

const codec12: Codec<CertificateRequest12> = struct({
  certificateTypes: list(1, uint8, 1),
  supportedSignatureAlgorithms: list(2, uint16, 2),
  certificateAuthorities: list(2, opaque(2, 1)),
}) as Codec<CertificateRequest12>;

export const certificateRequest12: Message<CertificateRequest12> = message('certificate_request', codec12);

const codec11: Codec<Omit<CertificateRequest12, 'supportedSignatureAlgorithms'>> = struct({
  certificateTypes: list(1, uint8, 1),
  certificateAuthorities: list(2, opaque(2, 1)),
}) as Codec<Omit<CertificateRequest12, 'supportedSignatureAlgorithms'>>;

/** Before TLS 1.2 (RFC 4346 §7.4.4). */
export const certificateRequest11: Message<CertificateRequest12> = message('certificate_request', {
  read: (reader) => ({ supportedSignatureAlgorithms: undefined, ...codec11.read(reader) }),
  write: (writer, request) => codec11.write(writer, request),
});

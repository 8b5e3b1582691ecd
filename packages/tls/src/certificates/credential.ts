import { bytesEqual } from '@testudo/codec';
import type { CryptoProvider, KeyKind, PrivateKey, SignatureAlgorithm } from '@testudo/crypto';
import { Certificate, CertificateError } from '@testudo/x509';
import { TlsError } from '../errors.ts';
import type { DelegatedCredential } from './types.ts';

/** A certificate chain and the use of its private key, which may be somewhere else: in an HSM, behind a KMS. */
export interface Credential {
  /** X.509, DER, the leaf first; the root may be left out. Empty for a raw public key. */
  readonly certificates: readonly Uint8Array[];
  /** The key alone, SubjectPublicKeyInfo, DER: shown in place of certificates (RFC 7250). Default: none. */
  readonly rawPublicKey?: Uint8Array | undefined;
  /** What kind of key signs: decides which signature schemes fit. */
  readonly keyKind: KeyKind;
  /**
   * Names of the schemes to sign with, by preference; in TLS 1.1 and older the key decides. Default: those of the
   * configuration.
   */
  readonly signatureSchemes?: readonly string[] | undefined;
  /** Signs `data` (not its digest). May answer later. */
  sign(algorithm: SignatureAlgorithm, data: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * RSADP without unpadding, as many bytes as the modulus: for RSA key transport up to TLS 1.2. May answer later.
   * Default: this credential only signs.
   */
  decryptRsa?(ciphertext: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Keys that stand in for this one in TLS 1.3, for peers that know them (RFC 9345): the first that is current and fits.
   * Default: none.
   */
  readonly delegatedCredentials?: readonly DelegatedCredential[] | undefined;
  /** The certificate's own key is not here: without a delegated credential for the peer this is not shown. Default false. */
  readonly delegatedOnly?: boolean | undefined;
  /**
   * Identifier of the trust anchor that the chain leads to (draft-ietf-tls-trust-anchor-ids): TLS 1.3 clients that name it get
   * this credential before others. Default: none.
   */
  readonly trustAnchorId?: Uint8Array | undefined;
  /** Not to be shown to clients that do not name `trustAnchorId`. Default false. */
  readonly onlyWhereTrusted?: boolean | undefined;
  /** OCSP response to staple (DER). Default: none. */
  readonly ocspResponse?: Uint8Array | undefined;
  /**
   * OCSP responses (DER) for the certificates of the chain, by their places; undefined where there is none. Sent in TLS
   * 1.3, and before to clients with status_request_v2 (RFC 6961). Default: `ocspResponse` for the leaf.
   */
  readonly ocspResponses?: readonly (Uint8Array | undefined)[] | undefined;
  /** SignedCertificateTimestampList (RFC 6962 §3.3). Default: none. */
  readonly signedCertificateTimestamps?: Uint8Array | undefined;
}

/** However the certificate writes it. Nothing where it cannot be used. */
function keyOf(provider: CryptoProvider, der: Uint8Array): Uint8Array {
  const certificate = Certificate.parse(der);
  try {
    return certificate.publicKey(provider).spki;
  } catch (error) {
    if (error instanceof CertificateError) return new Uint8Array(0);
    throw error;
  }
}

/** A credential whose key is at hand. Throws `bad-option` when key and certificate do not belong together. */
export function credential(
  provider: CryptoProvider,
  certificates: readonly Uint8Array[],
  privateKey: PrivateKey,
): Credential {
  const leaf = certificates[0];
  if (leaf === undefined) throw new TlsError('bad-option', 'a credential needs at least one certificate');
  if (!bytesEqual(keyOf(provider, leaf), privateKey.publicKey.spki)) {
    throw new TlsError(
      'bad-option',
      'the private key does not belong to the certificate: give the key it was issued for',
    );
  }
  return {
    certificates,
    keyKind: privateKey.kind,
    sign: (algorithm, data) => provider.sign(algorithm, privateKey, data),
    ...(privateKey.kind.type === 'rsa'
      ? { decryptRsa: (ciphertext: Uint8Array) => provider.rsaDecryptRaw(privateKey, ciphertext) }
      : {}),
  };
}

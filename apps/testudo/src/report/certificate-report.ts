import { toHex } from '@testudo/codec';
import type { EcCurve, KeyKind } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { Certificate, generalNameText, KeyPurposeOid, signatureAlgorithmOf } from '@testudo/x509';
import { shown } from '../output/text.ts';

/** A certificate for people and scripts: texts that are safe to show, whoever made the certificate. */
export interface CertificateReport {
  readonly subject: string;
  readonly issuer: string;
  readonly selfIssued: boolean;
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** `EC P-256`, `RSA 2048 bits`. */
  readonly key: string;
  readonly signatureAlgorithm: string;
  /** `DNS:example.com`, `IP:192.0.2.1`. */
  readonly names: readonly string[];
  readonly isCa: boolean;
  /** `TLS server`, …; empty for any. */
  readonly purposes: readonly string[];
  /** Of the whole certificate, hexadecimal. */
  readonly sha256: string;
  /** What could not be read in it. */
  readonly problem?: string;
}

/** Names in one certificate that a report lists; there are some with a hundred. */
const MOST_NAMES = 100;

export function certificateReport(certificate: Certificate): CertificateReport {
  const { extensions } = certificate;
  const names = attempt(() => extensions.subjectAltName ?? [], []);
  return {
    subject: attempt(() => nameOrNone(certificate.subject.shown), UNREADABLE),
    issuer: attempt(() => nameOrNone(certificate.issuer.shown), UNREADABLE),
    selfIssued: attempt(() => certificate.isSelfIssued, false),
    serialNumber: toHex(certificate.serialNumber),
    notBefore: isoDate(certificate.notBefore),
    notAfter: isoDate(certificate.notAfter),
    key: attempt(() => keyText(certificate.publicKey(nodeCrypto).kind), UNREADABLE),
    signatureAlgorithm: signatureText(certificate),
    names: names.slice(0, MOST_NAMES).map((name) => shown(generalNameText(name), 260)),
    isCa: attempt(() => extensions.basicConstraints?.ca === true, false),
    purposes: attempt(() => (extensions.extendedKeyUsage ?? []).map((oid) => PURPOSES[oid] ?? oid), []),
    sha256: toHex(nodeCrypto.digest('sha256', certificate.der)),
  };
}

/** As {@link certificateReport}, of bytes from a peer, which may be no certificate at all. */
export function certificateReportOf(der: Uint8Array): CertificateReport {
  try {
    return certificateReport(Certificate.parse(der));
  } catch (error) {
    return {
      subject: UNREADABLE,
      issuer: UNREADABLE,
      selfIssued: false,
      serialNumber: '',
      notBefore: '',
      notAfter: '',
      key: UNREADABLE,
      signatureAlgorithm: UNREADABLE,
      names: [],
      isCa: false,
      purposes: [],
      sha256: toHex(nodeCrypto.digest('sha256', der)),
      problem: shown(error instanceof Error ? error.message : String(error), 300),
    };
  }
}

/** `EC P-256`, `RSA 2048 bits`, `Ed25519`. */
export function keyText(kind: KeyKind): string {
  switch (kind.type) {
    case 'ec':
      return `EC ${CURVES[kind.curve]}`;
    case 'rsa':
      return `RSA ${kind.bits} bits`;
    case 'rsa-pss':
      return `RSA-PSS ${kind.bits} bits`;
    case 'ed25519':
      return 'Ed25519';
    case 'ed448':
      return 'Ed448';
    case 'dsa':
      return `DSA ${kind.bits} bits`;
    default:
      return kind.type.toUpperCase(); // ML-DSA-65
  }
}

const UNREADABLE = '(cannot be read)';

const CURVES: Readonly<Record<EcCurve, string>> = {
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  brainpoolP256r1: 'Brainpool P-256',
  brainpoolP384r1: 'Brainpool P-384',
  brainpoolP512r1: 'Brainpool P-512',
};

const PURPOSES: Readonly<Record<string, string>> = {
  [KeyPurposeOid.any]: 'any',
  [KeyPurposeOid.serverAuth]: 'TLS server',
  [KeyPurposeOid.clientAuth]: 'TLS client',
  [KeyPurposeOid.codeSigning]: 'code signing',
  [KeyPurposeOid.emailProtection]: 'mail',
  [KeyPurposeOid.timeStamping]: 'time stamping',
  [KeyPurposeOid.ocspSigning]: 'OCSP signing',
};

function signatureText(certificate: Certificate): string {
  const verdict = signatureAlgorithmOf(certificate.signatureAlgorithm);
  if (verdict.kind !== 'supported') return `${shown(verdict.name, 80)} (${verdict.kind})`;
  const { algorithm } = verdict;
  if (!('hash' in algorithm)) return keyText({ type: algorithm.name });
  const hash = algorithm.hash.toUpperCase().replace(/^SHA(?=\d)/, 'SHA-');
  return `${SIGNATURES[algorithm.name]} with ${hash}`;
}

const SIGNATURES = {
  dsa: 'DSA',
  ecdsa: 'ECDSA',
  'rsa-pkcs1': 'RSA PKCS#1 v1.5',
  'rsa-pss': 'RSA-PSS',
} as const;

function nameOrNone(text: string): string {
  return text === '' ? '(no name)' : shown(text, 200);
}

/** Dates in certificates can be such as JavaScript has none for. */
function isoDate(date: Date): string {
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

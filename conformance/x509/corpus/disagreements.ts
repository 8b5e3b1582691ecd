import { X509Certificate } from 'node:crypto';
import { bytesEqual } from '@testudo/codec';
import { Certificate } from '@testudo/x509';
import type { JudgeName } from './judges.ts';
import type { Chain } from './plan.ts';
import type { Finding } from './survey.ts';

/** Why another implementation says something else than we do. README.md has the same as a table. */
export interface Disagreement {
  readonly judge: JudgeName;
  /** Kinds of chains, see `changes.ts`. */
  readonly kinds: readonly string[];
  /** What we say; default: whatever it is. */
  readonly ours?: Finding['ours'];
  readonly theirs: 'accepted' | 'refused';
  readonly reason: string;
  /** Whether the reason is there in this chain; default: the kind says enough. */
  readonly holds?: (chain: Chain) => boolean;
}

const FLIPPED = 'bit flipped, and signed again';
const BER_IN_LEAF = [
  'BER: a length with needless bytes',
  'BER: no length',
  'BER: another TRUE',
  'BER: time without seconds',
];

export const DISAGREEMENTS: readonly Disagreement[] = [
  {
    judge: 'openssl',
    kinds: ['a cross-signed CA comes first'],
    theirs: 'refused',
    reason: 'OpenSSL tries the first issuer that fits and does not come back to another',
  },
  {
    judge: 'openssl',
    kinds: ['leaf may only agree on keys'],
    theirs: 'accepted',
    reason: 'OpenSSL lets a server have keyAgreement alone, which served TLS 1.2 with static keys',
  },
  {
    judge: 'openssl',
    kinds: ['only a common name'],
    theirs: 'accepted',
    reason: 'OpenSSL falls back to the common name (RFC 9525 §2 forbids it)',
  },
  {
    judge: 'openssl',
    kinds: ['BER: a length with needless bytes', 'BER: no length', 'BER: another TRUE'],
    theirs: 'accepted',
    reason: 'OpenSSL reads BER; RFC 5280 §4.1 asks for DER',
  },
  {
    judge: 'openssl',
    kinds: ['bytes behind'],
    theirs: 'accepted',
    reason: 'OpenSSL does not look at what stands behind a certificate',
  },
  {
    judge: 'openssl',
    kinds: ['extensions in version 1', 'version 4'],
    theirs: 'accepted',
    reason: 'OpenSSL takes the version into account only with -x509_strict',
  },
  {
    judge: 'openssl',
    kinds: [FLIPPED],
    ours: 'accepted',
    theirs: 'refused',
    reason:
      'OpenSSL takes an issuer with another key identifier for another issuer; to us it is a hint (RFC 4158 §3.5.12)',
    holds: keyIdentifiersDiffer,
  },
  {
    judge: 'openssl',
    kinds: [FLIPPED],
    ours: 'accepted',
    theirs: 'refused',
    reason:
      'the key of the leaf is no point of its curve: OpenSSL notices when it reads it, we when it is used',
    holds: leafKeyIsUnusable,
  },
  {
    judge: 'openssl',
    kinds: [FLIPPED],
    ours: 'malformed',
    theirs: 'accepted',
    reason: 'OpenSSL does not look into what it does not use, and reads BER',
  },
  {
    judge: 'openssl',
    kinds: [FLIPPED],
    ours: 'name-mismatch',
    theirs: 'accepted',
    reason: 'OpenSSL falls back to the common name (RFC 9525 §2 forbids it)',
  },

  {
    judge: 'gnutls',
    kinds: ['a cross-signed CA comes first'],
    theirs: 'refused',
    reason: 'GnuTLS sorts what is sent to one chain, and tries no other',
  },
  {
    judge: 'gnutls',
    kinds: ['issuer in other letters', 'issuer in another string type'],
    theirs: 'refused',
    reason: 'GnuTLS compares names byte by byte; RFC 5280 §7.1 has them compared as text',
  },
  {
    judge: 'gnutls',
    kinds: ['leaf for any purpose'],
    theirs: 'accepted',
    reason:
      'GnuTLS takes anyExtendedKeyUsage for serverAuth, too; RFC 5280 §4.2.1.12 leaves it to the application',
  },
  {
    judge: 'gnutls',
    kinds: ['leaf may only agree on keys'],
    theirs: 'accepted',
    reason: 'GnuTLS looks at the usage of the leaf\u2019s key in the handshake, not in the chain',
  },
  {
    judge: 'gnutls',
    kinds: ['only a common name'],
    theirs: 'accepted',
    reason: 'GnuTLS falls back to the common name (RFC 9525 §2 forbids it)',
  },
  {
    judge: 'gnutls',
    kinds: [
      ...BER_IN_LEAF.filter((kind) => kind !== 'BER: no length'),
      'BER: a serial number with needless bytes',
    ],
    theirs: 'accepted',
    reason: 'GnuTLS reads some BER; RFC 5280 §4.1 asks for DER',
  },
  {
    judge: 'gnutls',
    kinds: ['version 4'],
    theirs: 'accepted',
    reason: 'GnuTLS does not look at the version',
  },
  {
    judge: 'gnutls',
    kinds: [FLIPPED],
    ours: 'accepted',
    theirs: 'refused',
    reason:
      'GnuTLS takes an issuer with another key identifier for another issuer; to us it is a hint (RFC 4158 §3.5.12)',
    holds: keyIdentifiersDiffer,
  },
  {
    judge: 'gnutls',
    kinds: [FLIPPED],
    ours: 'malformed',
    theirs: 'accepted',
    reason: 'GnuTLS does not look into what it does not use, and reads some BER',
  },
  {
    judge: 'gnutls',
    kinds: [FLIPPED],
    ours: 'name-mismatch',
    theirs: 'accepted',
    reason: 'GnuTLS falls back to the common name (RFC 9525 §2 forbids it)',
  },

  {
    judge: 'node',
    kinds: ['a cross-signed CA comes first'],
    theirs: 'refused',
    reason: 'Node has no path building: a program goes up one way',
  },
  {
    judge: 'node',
    kinds: [
      'path too long',
      'leaf for clients',
      'leaf for any purpose',
      'CA for mail',
      'leaf may only agree on keys',
      'not permitted',
      'excluded',
      'an unknown critical extension in the leaf',
      'an unknown critical extension in a CA',
      'SHA-1',
      'RSA of 1024 bits',
    ],
    theirs: 'accepted',
    reason: 'Node has no call that looks at it',
  },
  {
    judge: 'node',
    kinds: [...BER_IN_LEAF, 'bytes behind', 'extensions in version 1', 'version 4'],
    theirs: 'accepted',
    reason: 'Node parses with OpenSSL, which reads BER and lets pass what it does not use',
  },
  {
    judge: 'node',
    kinds: [FLIPPED],
    ours: 'accepted',
    theirs: 'refused',
    reason: 'Node asks OpenSSL, which takes an issuer with another key identifier for another issuer',
    holds: keyIdentifiersDiffer,
  },
  {
    judge: 'node',
    kinds: [FLIPPED],
    theirs: 'accepted',
    reason: 'Node parses with OpenSSL, and has no call that looks at keys, purposes and critical extensions',
  },
];

/** The first that explains it; undefined when they agree or nothing explains it. */
export function explanationOf(finding: Finding, judge: JudgeName): Disagreement | undefined {
  const theirs = finding.theirs[judge] ? 'accepted' : 'refused';
  return DISAGREEMENTS.find(
    (one) =>
      one.judge === judge &&
      one.theirs === theirs &&
      one.kinds.includes(finding.kind) &&
      (one.ours === undefined || one.ours === finding.ours) &&
      (one.holds?.(finding.chain) ?? true),
  );
}

export function isAgreement(finding: Finding, judge: JudgeName): boolean {
  return finding.theirs[judge] === (finding.ours === 'accepted');
}

/** Some certificate says of its issuer's key what the issuer does not. */
function keyIdentifiersDiffer({ sent, trusted }: Chain): boolean {
  const path = [...sent, trusted].map((der) => Certificate.parse(der));
  return path.some((child, i) => {
    const issuer = path[i + 1];
    if (issuer === undefined) return false;
    const wanted = child.extensions.authorityKeyIdentifier?.keyIdentifier;
    const offered = issuer.extensions.subjectKeyIdentifier;
    return wanted === undefined || offered === undefined || !bytesEqual(wanted, offered);
  });
}

function leafKeyIsUnusable({ sent }: Chain): boolean {
  try {
    void new X509Certificate(sent[0]!).publicKey.asymmetricKeyType;
    return false;
  } catch {
    return true;
  }
}

/** A line of the table in README.md. */
export function disagreementRow({ judge, kinds, ours, theirs, reason }: Disagreement): string {
  const which = ours === undefined ? '' : ` (to us: ${ours})`;
  return `| ${JUDGES[judge]} | ${kinds.join('; ')}${which} | ${theirs} | ${reason} |`;
}

const JUDGES: Readonly<Record<JudgeName, string>> = { openssl: 'OpenSSL', gnutls: 'GnuTLS', node: 'Node' };

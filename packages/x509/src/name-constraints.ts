import type { Certificate } from './certificate.ts';
import { isDomain } from './domain.ts';
import { CertificateError } from './errors.ts';
import type { NameConstraints } from './extensions.ts';
import { type GeneralName, generalNameText } from './general-name.ts';
import { presentedMailbox } from './mailbox.ts';
import { EMAIL_ADDRESS } from './oids.ts';
import { commonNameOf } from './peer-name.ts';
import { parseUri } from './uri-name.ts';

/**
 * Throws {@link CertificateError} `name-constraint` when `subject` has a name that `constraints` of a CA above it
 * do not allow (RFC 5280 §4.2.1.10): excluded wins over permitted, a kind of name without permitted
 * subtrees is free. `spend` is called once per name and per comparison, and may throw.
 */
export function checkNameConstraints(
  constraints: NameConstraints,
  subject: Certificate,
  spend: () => void,
  options: { readonly dangerouslyAllowCommonName?: boolean | undefined } = {},
): void {
  for (const name of constrainedNames(subject, options.dangerouslyAllowCommonName === true)) {
    spend();
    let permitted: boolean | undefined;
    for (const base of constraints.permitted) {
      if (!isSameForm(base, name)) continue;
      spend();
      permitted = isWithin(name, base, 'permitted', subject) || permitted === true;
      if (permitted) break;
    }
    if (permitted === false) throw violation(name, subject, 'is not among the permitted ones');
    for (const base of constraints.excluded) {
      if (!isSameForm(base, name)) continue;
      spend();
      if (isWithin(name, base, 'excluded', subject)) throw violation(name, subject, 'is excluded');
    }
  }
}

/** Every name that constraints apply to: subjectAltName, the subject, and mail addresses in the subject. */
function* constrainedNames(
  certificate: Certificate,
  withCommonName: boolean,
): Generator<GeneralName, void, undefined> {
  const { extensions, subject } = certificate;
  const alternative = extensions.subjectAltName;
  if (alternative !== undefined) yield* alternative;
  if (subject.isEmpty) return;
  yield { kind: 'directory', name: subject };
  // Only where subjectAltName is not there (RFC 5280 §4.2.1.10).
  if (alternative !== undefined) return;
  for (const { type, value } of subject.relativeNames.flat())
    if (type === EMAIL_ADDRESS) yield { kind: 'email', value };
  // Where the common name counts as a name, it is constrained as one.
  const commonName = withCommonName ? commonNameOf(certificate) : undefined;
  if (commonName !== undefined) yield commonName;
}

/** Constraints apply to names of their own form; forms that we do not know are told apart by tag and type. */
function isSameForm(a: GeneralName, b: GeneralName): boolean {
  if (a.kind !== 'other' || b.kind !== 'other') return a.kind === b.kind;
  return a.tag === b.tag && a.type === b.type;
}

type Sense = 'permitted' | 'excluded';

/**
 * True when `name` falls under `base`. For a name or a base that makes no sense the answer is the safe one:
 * not permitted, and excluded.
 */
function isWithin(name: GeneralName, base: GeneralName, sense: Sense, subject: Certificate): boolean {
  const doubt = sense === 'excluded';
  switch (name.kind) {
    case 'dns':
      return base.kind === 'dns' && isDomainWithin(name.value, base.value, sense);
    case 'ip':
      return base.kind === 'ip' && isAddressWithin(name.bytes, base.bytes, subject);
    case 'directory':
      return base.kind === 'directory' && name.name.isWithin(base.name);
    case 'email':
      return base.kind === 'email' && isMailWithin(name.value, base.value, doubt);
    case 'uri':
      return base.kind === 'uri' && isUriWithin(name.value, base.value, doubt);
    case 'other':
      // We know no way to compare these. Two different forms are still told apart.
      return base.kind === 'other' && isSameForm(base, name) ? doubt : false;
  }
}

/** `example.com` holds itself and everything below; `.example.com` only what is below; '' holds everything. */
function isDomainWithin(name: string, base: string, sense: Sense): boolean {
  const domain = name.toLowerCase();
  const limit = base.toLowerCase();
  const wildcard = domain.startsWith('*.');
  const rest = wildcard ? domain.slice(2) : domain;
  const parent = limit.startsWith('.') ? limit.slice(1) : limit;
  if (!isDomain(rest) || (parent !== '' && !isDomain(parent))) return sense === 'excluded';
  if (parent === '') return true;
  if (rest.endsWith(`.${parent}`)) return true;
  if (rest === parent) return wildcard || !limit.startsWith('.');
  // A wildcard also stands for an excluded name one label below its base.
  return sense === 'excluded' && wildcard && parent.endsWith(`.${rest}`) && isOneLabel(parent, rest);
}

function isOneLabel(domain: string, base: string): boolean {
  return !domain.slice(0, -base.length - 1).includes('.');
}

/** Address and mask of equal lengths; the mask must be a prefix (RFC 4632 §3.1). */
function isAddressWithin(address: Uint8Array, base: Uint8Array, subject: Certificate): boolean {
  const length = base.length / 2;
  let ended = false;
  for (const mask of base.subarray(length)) {
    // Ones, then zeros: the complement plus one is a power of two.
    const isPrefix = (~mask & 0xff & ((~mask & 0xff) + 1)) === 0;
    if (!isPrefix || (ended && mask !== 0))
      throw new CertificateError(
        'malformed',
        'a name constraint has an address mask that is no prefix',
        subject,
      );
    ended ||= mask !== 0xff;
  }
  if (address.length !== length) return false;
  for (let i = 0; i < length; i++) if ((address[i]! ^ base[i]!) & base[length + i]!) return false;
  return true;
}

/**
 * A mailbox, a host, or `.domain` for all hosts below. The local part keeps its case. It holds for addresses in all
 * scripts alike (RFC 9598 §6).
 */
function isMailWithin(address: string, base: string, doubt: boolean): boolean {
  const mailbox = presentedMailbox(address);
  if (mailbox === undefined) return doubt;
  if (base.includes('@')) {
    const limit = presentedMailbox(base);
    return limit === undefined ? doubt : mailbox.host === limit.host && mailbox.local === limit.local;
  }
  const limit = base.toLowerCase();
  if (!isDomain(limit.startsWith('.') ? limit.slice(1) : limit)) return doubt;
  return limit.startsWith('.') ? mailbox.host.endsWith(limit) : mailbox.host === limit;
}

/** The URI's host: `host` itself, or `.domain` for all below. A URI without a domain there cannot be judged. */
function isUriWithin(uri: string, base: string, doubt: boolean): boolean {
  const parts = parseUri(uri);
  const limit = base.toLowerCase();
  if (parts?.hasAuthority !== true || !isDomain(limit.startsWith('.') ? limit.slice(1) : limit)) return doubt;
  return limit.startsWith('.') ? parts.host.endsWith(limit) : parts.host === limit;
}

function violation(name: GeneralName, subject: Certificate, how: string): CertificateError {
  return new CertificateError(
    'name-constraint',
    `a CA above may not vouch for ${generalNameText(name)}: the name ${how}`,
    subject,
    undefined,
    'get a certificate from another CA',
  );
}

import { bytesEqual } from '@testudo/codec';
import type { Certificate } from './certificate.ts';
import { isDomain, matchesDomain, type PublicSuffixTest, toAsciiDomain } from './domain.ts';
import { CertificateError } from './errors.ts';
import { type GeneralName, generalNameText } from './general-name.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';
import { parseMailbox, presentedMailbox, sameMailbox } from './mailbox.ts';
import { matchesUri, parseUri } from './uri-name.ts';

export { toAsciiDomain } from './domain.ts';

/** Whom the certificate must be for: a reference identifier (RFC 9525 §6.1). */
export interface PeerName {
  readonly kind: 'dns' | 'ip' | 'email' | 'uri';
  /**
   * `example.com`, also in other scripts and with a final dot; `192.0.2.1`, `2001:db8::1`; `user@example.com`, also with
   * a user in other scripts; `sip:voice.example.com`, `spiffe://example.com/workload`.
   */
  readonly value: string;
}

export interface NameOptions {
  /**
   * Knows the domains under which strangers register: `*.co.uk` then stands for nothing. Default: none, since the list
   * is long and changes; `*.uk`, with one label, never stands for anything.
   */
  readonly isPublicSuffix?: PublicSuffixTest | undefined;
  /**
   * A certificate without subjectAltName is for the domain or the address in its common name. Default false: a CA that
   * vets alternative names need not vet what looks like a name in the subject (RFC 9525 §2).
   */
  readonly dangerouslyAllowCommonName?: boolean | undefined;
}

/** The name to verify for a host that a user wrote, as in a URL: an address or a domain. */
export function peerNameOf(host: string): PeerName {
  return { kind: parseIpAddress(host) === undefined ? 'dns' : 'ip', value: host };
}

/**
 * Throws {@link CertificateError} `name-mismatch` unless the certificate is for `name` (RFC 9525 §6):
 * only subjectAltName counts, never the common name; a wildcard stands for exactly one whole left-most label and
 * needs two labels after it; addresses are compared as bytes, mail addresses as RFC 9598 §5 says, URIs by scheme and
 * host. Throws `malformed` when subjectAltName cannot be read.
 */
export function verifyName(certificate: Certificate, name: PeerName, options: NameOptions = {}): void {
  if (matchesName(certificate, name, options)) return;
  const [what, hint] = mismatch(certificate, name);
  throw new CertificateError('name-mismatch', what, certificate, undefined, hint);
}

/** As {@link verifyName}, but answers: one name that matches is enough (RFC 9525 §6.2). Throws `malformed` only. */
export function matchesName(certificate: Certificate, name: PeerName, options: NameOptions = {}): boolean {
  const test = matcherOf(name, options.isPublicSuffix);
  if (test === undefined) return false;
  const names = certificate.extensions.subjectAltName;
  if (names !== undefined) return names.some(test);
  const fallback = options.dangerouslyAllowCommonName === true ? commonNameOf(certificate) : undefined;
  return fallback !== undefined && test(fallback);
}

/** The common name as the name it looks like: an address or a domain, also with a wildcard. */
export function commonNameOf({ subject }: Certificate): GeneralName | undefined {
  const text = subject.commonName;
  if (text === undefined) return undefined;
  const bytes = parseIpAddress(text);
  if (bytes !== undefined) return { kind: 'ip', bytes };
  return isDomain(text.replace(/^\*\./, '')) ? { kind: 'dns', value: text } : undefined;
}

type Matcher = (presented: GeneralName) => boolean;

/** Undefined for a reference that makes no sense, which nothing matches. */
function matcherOf({ kind, value }: PeerName, isPublicSuffix?: PublicSuffixTest): Matcher | undefined {
  switch (kind) {
    // Label by label, ignoring case, with wildcards (RFC 9525 §6.3).
    case 'dns': {
      const domain = toAsciiDomain(value);
      if (domain === undefined || parseIpAddress(domain) !== undefined) return undefined;
      return (name) => name.kind === 'dns' && matchesDomain(name.value, domain, isPublicSuffix);
    }
    // Byte by byte; an address in a DNS name does not count (RFC 9525 §6.4).
    case 'ip': {
      const address = parseIpAddress(value);
      if (address === undefined) return undefined;
      return (name) => name.kind === 'ip' && bytesEqual(name.bytes, address);
    }
    // The local part as it is, the domain ignoring case (RFC 9598 §5).
    case 'email': {
      const mailbox = parseMailbox(value);
      if (mailbox === undefined) return undefined;
      return (name) => {
        const presented = name.kind === 'email' ? presentedMailbox(name.value) : undefined;
        return presented !== undefined && sameMailbox(presented, mailbox);
      };
    }
    // Scheme and host, and nothing else of it (RFC 9525 §6.5).
    case 'uri': {
      const uri = parseUri(value);
      if (uri === undefined) return undefined;
      return (name) => name.kind === 'uri' && matchesUri(name.value, uri);
    }
  }
}

function mismatch(certificate: Certificate, name: PeerName): [what: string, hint: string] {
  const names = certificate.extensions.subjectAltName ?? [];
  const shown = names.slice(0, 5).map(generalNameText).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  const address = name.kind === 'ip' ? parseIpAddress(name.value) : undefined;
  const wanted = address === undefined ? name.value : formatIpAddress(address);
  if (names.length === 0)
    return [
      `the certificate is not for ${wanted}: it has no subjectAltName, and the common name does not count`,
      'issue it with subjectAltName',
    ];
  return [
    `the certificate is not for ${wanted} but for ${shown}${more}`,
    `connect to one of these, or issue one for ${wanted}`,
  ];
}

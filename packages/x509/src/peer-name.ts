import { bytesEqual } from '@testudo/codec';
import type { Certificate } from './certificate.ts';
import { CertificateError } from './errors.ts';
import { generalNameText } from './general-name.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';

/** Whom the certificate must be for: a reference identifier (RFC 9525 §6.1). */
export interface PeerName {
  readonly kind: 'dns' | 'ip';
  /** `example.com`, also in other scripts and with a final dot; `192.0.2.1`, `2001:db8::1`. */
  readonly value: string;
}

/** The name to verify for a host that a user wrote, as in a URL: an address or a domain. */
export function peerNameOf(host: string): PeerName {
  return { kind: parseIpAddress(host) === undefined ? 'dns' : 'ip', value: host };
}

/**
 * Throws {@link CertificateError} `name-mismatch` unless the certificate is for `name` (RFC 9525 §6):
 * only subjectAltName counts, never the common name; a wildcard stands for exactly one whole left-most label and
 * needs two labels after it; addresses are compared as bytes. Throws `malformed` when subjectAltName cannot be read.
 */
export function verifyName(certificate: Certificate, name: PeerName): void {
  if (matchesName(certificate, name)) return;
  throw new CertificateError('name-mismatch', mismatchMessage(certificate, name), certificate);
}

/** As {@link verifyName}, but answers. Throws `malformed` only. */
export function matchesName(certificate: Certificate, name: PeerName): boolean {
  const names = certificate.extensions.subjectAltName ?? [];
  if (name.kind === 'ip') {
    const address = parseIpAddress(name.value);
    if (address === undefined) return false;
    return names.some((presented) => presented.kind === 'ip' && bytesEqual(presented.bytes, address));
  }
  const reference = toAsciiDomain(name.value);
  if (reference === undefined || parseIpAddress(reference) !== undefined) return false;
  return names.some((presented) => presented.kind === 'dns' && matchesDomain(presented.value, reference));
}

/** @param reference as {@link toAsciiDomain} gives it. */
function matchesDomain(presented: string, reference: string): boolean {
  const pattern = presented.toLowerCase();
  if (!pattern.includes('*')) return pattern === reference && isDomain(pattern);
  // RFC 9525 §6.3: `*` alone as the left-most label. At least two labels must follow, so that nobody holds all of
  // a top-level domain.
  const base = pattern.slice(2);
  if (!pattern.startsWith('*.') || !isDomain(base) || !base.includes('.')) return false;
  const dot = reference.indexOf('.');
  return dot > 0 && reference.slice(dot + 1) === base;
}

/**
 * A domain in lower-case ASCII without its final dot; other scripts become A-labels (RFC 5890) by the URL parser's
 * rules (UTS 46), which Node and browsers share. Undefined when it is no domain.
 */
export function toAsciiDomain(domain: string): string | undefined {
  let name = domain.toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the range meant
  if (/[^\x00-\x7f]/.test(name)) {
    // Nothing that the URL parser could take for another part of a URL.
    if (/[\s/\\?#@:[\]%<>^|]/.test(name)) return undefined;
    try {
      name = new URL(`http://${name}`).hostname;
    } catch {
      return undefined;
    }
  }
  if (name.endsWith('.')) name = name.slice(0, -1);
  return isDomain(name) ? name : undefined;
}

/** Labels of 1 to 63 letters, digits, hyphens inside, and underscores, which hosts in use have; 253 in all. */
export function isDomain(name: string): boolean {
  return (
    name.length <= 253 &&
    name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  );
}

function mismatchMessage(certificate: Certificate, name: PeerName): string {
  const names = certificate.extensions.subjectAltName ?? [];
  const shown = names.slice(0, 5).map(generalNameText).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  const address = name.kind === 'ip' ? parseIpAddress(name.value) : undefined;
  const wanted = address === undefined ? name.value : formatIpAddress(address);
  if (names.length === 0)
    return `the certificate is not for ${wanted}: it has no subjectAltName, and the common name does not count; issue it with subjectAltName`;
  return `the certificate is not for ${wanted} but for ${shown}${more}; connect to one of these, or issue one for ${wanted}`;
}

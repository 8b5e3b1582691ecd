import { concat } from '@testudo/codec';
import type { GeneralName } from '../general-name.ts';
import { parseIpAddress } from '../ip-address.ts';
import { toAsciiDomain } from '../peer-name.ts';

/**
 * A name as a user writes it: a domain (also `*.example.com`), an address, a mail address, a URI with `://`.
 * Throws `RangeError` on what is none of these.
 */
export function toGeneralName(name: string): GeneralName {
  const bytes = parseIpAddress(name);
  if (bytes !== undefined) return { kind: 'ip', bytes };
  if (/^[a-z][a-z0-9+.-]*:\/\/[!-~]+$/i.test(name)) return { kind: 'uri', value: name };
  if (/^[!-?A-~]+@[!-?A-~]+$/.test(name)) return { kind: 'email', value: name };
  const wildcard = name.startsWith('*.') ? '*.' : '';
  const domain = toAsciiDomain(name.slice(wildcard.length));
  if (domain === undefined) throw new RangeError(`"${name}" is not a domain, an address or a mail address`);
  return { kind: 'dns', value: `${wildcard}${domain}` };
}

/**
 * A name constraint as a user writes it (RFC 5280 §4.2.1.10): `example.com` for that domain and all below, `.example.com`
 * only below, `192.0.2.0/24`, `2001:db8::/32`, `@example.com` for mail addresses there. Throws `RangeError`.
 */
export function toConstraint(text: string): GeneralName {
  const slash = text.lastIndexOf('/');
  if (slash > 0) return { kind: 'ip', bytes: toSubnet(text.slice(0, slash), text.slice(slash + 1), text) };
  const kind = text.startsWith('@') ? 'email' : 'dns';
  const host = text.replace(/^@/, '');
  const dot = host.startsWith('.') ? '.' : '';
  const domain = toAsciiDomain(host.slice(dot.length));
  if (domain === undefined || parseIpAddress(host) !== undefined)
    throw new RangeError(
      `"${text}" is not a name constraint: write example.com, 192.0.2.0/24 or @example.com`,
    );
  return { kind, value: `${dot}${domain}` };
}

function toSubnet(address: string, length: string, text: string): Uint8Array {
  const bytes = parseIpAddress(address);
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (bytes === undefined || !(bits <= 8 * bytes.length)) throw new RangeError(`"${text}" is not a subnet`);
  const mask = bytes.map((_, i) => 0xff & ~(0xff >> Math.min(Math.max(bits - 8 * i, 0), 8)));
  return concat(
    bytes.map((byte, i) => byte & mask[i]!),
    mask,
  );
}

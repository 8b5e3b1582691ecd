import { isDomain, toAsciiDomain } from './domain.ts';

/** A mail address in parts, as certificates are compared by them (RFC 5280 §7.5, RFC 9598 §5). */
export interface Mailbox {
  /** To the letter: only its own host knows which differences count. */
  readonly local: string;
  /** Lower case, A-labels. */
  readonly host: string;
}

/** Reads an address as a user writes it: the domain may be in any script. Undefined when it is none. */
export function parseMailbox(address: string): Mailbox | undefined {
  const at = address.lastIndexOf('@');
  const host = at > 0 ? toAsciiDomain(address.slice(at + 1)) : undefined;
  const local = address.slice(0, Math.max(at, 0));
  return host === undefined || !isLocalPart(local) ? undefined : { local, host };
}

/** Reads an address as it stands in a certificate: the domain in ASCII only (RFC 9598 §3). */
export function presentedMailbox(address: string): Mailbox | undefined {
  const at = address.lastIndexOf('@');
  const host = address.slice(at + 1).toLowerCase();
  const local = address.slice(0, Math.max(at, 0));
  return isLocalPart(local) && isDomain(host) ? { local, host } : undefined;
}

export function sameMailbox(a: Mailbox, b: Mailbox): boolean {
  return a.local === b.local && a.host === b.host;
}

/** Quoted local parts, which could hold an `@`, are in no certificate of use: they are refused, as is white space. */
function isLocalPart(local: string): boolean {
  return local !== '' && !/["@\s\p{Cc}]/u.test(local);
}

/** True when the address has to be a SmtpUTF8Mailbox (RFC 9598 §3). */
export function isInternational(address: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the range meant
  return /[^\x00-\x7f]/.test(address);
}

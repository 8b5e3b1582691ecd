import { isDomain } from './domain.ts';

/** The parts of a URI that names are compared by. */
export interface UriParts {
  /** Lower case, without the colon. */
  readonly scheme: string;
  /** Lower case: a domain. Addresses and everything else that is no domain are refused (RFC 9525 §6.3). */
  readonly host: string;
  /** Written `scheme://host`: only such a host is an authority component (RFC 3986 §3.2). */
  readonly hasAuthority: boolean;
  /** What a comparison of scheme and host leaves out, when there is something: user, port, path, query, fragment. */
  readonly rest: string;
}

/** `scheme://user@host:port/…` (RFC 3986 §3), or `sip:user@host:port;…` (RFC 3261 §19.1.1). */
const URI = /^(?:([a-z][a-z0-9+.-]*):(\/\/)|(sips?):)(?:([^/?#@]*)@)?([^/?#@:;[\]]+)(:\d*)?([/?#;].*)?$/i;

/** Undefined when it is no URI with a domain for a host. */
export function parseUri(uri: string): UriParts | undefined {
  // RFC 3986 §2: a backslash, which some take for a slash, or a space is in no URI.
  const match = /^[!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+$/.test(uri) ? URI.exec(uri) : null;
  if (match === null) return undefined;
  const [, hierarchical, slashes, opaque, user, host, port, rest] = match;
  const domain = host!.toLowerCase();
  if (!isDomain(domain) || isNumeric(domain)) return undefined;
  const further = [user === undefined ? '' : `${user}@`, port ?? '', rest === '/' ? '' : (rest ?? '')];
  return {
    scheme: (hierarchical ?? opaque!).toLowerCase(),
    host: domain,
    hasAuthority: slashes !== undefined,
    rest: further.join(''),
  };
}

/**
 * RFC 9525 §6.5: scheme and host, both whatever their case, and no wildcard. Where the reference says more than those,
 * as SPIFFE's identities do with a path, all of it must be the same: the user would not write what does not count.
 */
export function matchesUri(presented: string, reference: UriParts): boolean {
  const parts = parseUri(presented);
  if (parts === undefined || parts.scheme !== reference.scheme || parts.host !== reference.host) return false;
  return reference.rest === '' || reference.rest === parts.rest;
}

/** The last label of a domain is never a number (RFC 3696 §2): this is an address. */
function isNumeric(domain: string): boolean {
  return /(^|\.)\d+$/.test(domain);
}

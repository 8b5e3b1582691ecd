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

/** `scheme://user@host:port/…`, or `sip:user@host:port;…` and other schemes that write no slashes (RFC 3986 §3). */
const URI = /^([a-z][a-z0-9+.-]*):(\/\/)?(?:([^/?#@]*)@)?([^/?#@:;[\]]+)(:\d*)?([/?#;].*)?$/i;

/** Undefined when it is no URI with a domain for a host. */
export function parseUri(uri: string): UriParts | undefined {
  const match = URI.exec(uri);
  if (match === null) return undefined;
  const [, scheme, slashes, user, host, port, rest] = match;
  const domain = host!.toLowerCase();
  if (!isDomain(domain) || isNumeric(domain)) return undefined;
  const further = [user === undefined ? '' : `${user}@`, port ?? '', rest === '/' ? '' : (rest ?? '')];
  return {
    scheme: scheme!.toLowerCase(),
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

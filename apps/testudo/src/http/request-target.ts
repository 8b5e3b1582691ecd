/** What a request asks for. */
export interface RequestTarget {
  /** Path and query as they were written, or `*`. */
  readonly path: string;
  /** The host in an absolute URL: it counts, and not the Host field (RFC 9112 §3.2.2). */
  readonly host?: string;
}

/**
 * The target of a request: a path, `*` of OPTIONS, or an absolute URL, which every server must take (RFC 9112 §3.2.2).
 * Nothing of the path is changed. Undefined for what is none of these, and for a URL with a user in it.
 */
export function requestTarget(url: string, method: string): RequestTarget | undefined {
  // Node's parser lets tabs and form feeds through, which are in no URI (RFC 3986 §2).
  if (!/^[\x21-\xff]+$/.test(url)) return undefined;
  if (url.startsWith('/')) return { path: url };
  if (url === '*' && method === 'OPTIONS') return { path: '*' };
  const [, host, rest] = /^https?:\/\/([^/?#@\\]+)([/?][^#]*)?$/i.exec(url) ?? [];
  if (host === undefined || !URL.canParse(url)) return undefined;
  // Without a path, OPTIONS means the server as a whole (RFC 9112 §3.2.4).
  if (rest === undefined) return { path: method === 'OPTIONS' ? '*' : '/', host };
  return { path: rest.startsWith('?') ? `/${rest}` : rest, host };
}

import { isIPv6 } from 'node:net';

export interface Address {
  /** A name or an IP address without brackets; undefined to listen on every address of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Why a text is no address: the message says which forms are. */
export class AddressError extends Error {}

/** `0.0.0.0:443`, `:8443` (every address), `[::1]:8443`, `localhost:8443`. Port 0 is any free one. */
export function parseListenAddress(text: string): Address {
  const { host, port } = split(text, '"0.0.0.0:443", ":8443" (every address) or "[::1]:8443"');
  return { host: host === '' || host === '*' ? undefined : host, port };
}

/** Where to connect to: `mail.example.com:25`, `127.0.0.1:25`, `[::1]:25`. */
export function parseTarget(text: string, defaultPort?: number): Address & { readonly host: string } {
  const forms = '"localhost:8080", "192.0.2.1:25" or "[::1]:25"';
  const withPort =
    defaultPort !== undefined && !/:\d*$/.test(withoutAddress(text))
      ? `${bracketed(text)}:${defaultPort}`
      : text;
  const { host, port } = split(withPort, forms);
  if (host === '' || host === '*') throw new AddressError(`"${text}" names no host: write ${forms}`);
  if (port === 0) throw new AddressError(`"${text}": nothing can be reached on port 0`);
  return { host, port };
}

/** As it is written in a configuration and in messages; `*:8443` for every address. */
export function addressText({ host, port }: Address): string {
  if (host === undefined) return `*:${port}`;
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Whether only this machine can reach a listener there. */
export function isLoopback(host: string | undefined): boolean {
  return host !== undefined && (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host));
}

function split(text: string, forms: string): { host: string; port: number } {
  const match = /^(?:\[([^[\]]*)\]|([^[\]:]*)):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new AddressError(`"${text}" is not an address with a port: write ${forms}`);
  const [, inBrackets, bare] = match;
  if (inBrackets !== undefined && !isIPv6(inBrackets)) {
    throw new AddressError(`"${text}": only an IPv6 address goes in brackets: write ${forms}`);
  }
  const host = inBrackets ?? bare!;
  if (/[\s/?#@\\]/.test(host)) throw new AddressError(`"${text}" has no valid host: write ${forms}`);
  return { host, port };
}

/** What could hold a port: an IPv6 address without brackets has colons of its own. */
function withoutAddress(text: string): string {
  return isIPv6(text) ? '' : text.replace(/^\[[^\]]*\]/, '');
}

function bracketed(text: string): string {
  return isIPv6(text) ? `[${text}]` : text;
}

import { domainToASCII } from 'node:url';

/** An internationalized name as it goes over the wire and stands in certificates (RFC 6066 §3); empty for what is none. */
export function asciiName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is what is meant.
  return /^[\x00-\x7f]*$/.test(name) ? name : domainToASCII(name);
}

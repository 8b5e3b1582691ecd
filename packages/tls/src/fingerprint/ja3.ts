import { toHex, utf8 } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { helloFacts } from './hello-facts.ts';

/**
 * The JA3 fingerprint of a ClientHello, as 32 hexadecimal digits: MD5, for which collisions are easy to make, so that it
 * says what a client looks like and proves nothing. `message` is the handshake message, header included.
 * Throws `DecodeError` when it is no ClientHello. Source: https://github.com/salesforce/ja3
 */
export function ja3(provider: CryptoProvider, message: Uint8Array): string {
  return toHex(provider.digest('md5', utf8(ja3Text(message))));
}

/** What JA3 hashes: version, suites, extensions, groups, point formats, in decimal and wire order, without GREASE. */
export function ja3Text(message: Uint8Array): string {
  const { legacyVersion, cipherSuites, extensions, groups, pointFormats } = helloFacts(message);
  const lists = [cipherSuites, extensions, groups, pointFormats].map((values) => values.join('-'));
  return [legacyVersion, ...lists].join(',');
}

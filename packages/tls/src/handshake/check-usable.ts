import type { CommonConfig } from '../config/config.ts';
import { TlsError } from '../errors.ts';

/**
 * A configuration may be cut down until no handshake is possible; each then fails, as with OpenSSL, and the peer is told.
 * Throws `no-version-enabled`, `no-cipher-suite-enabled`.
 */
export function checkUsable({
  versions,
  cipherSuites,
}: Pick<CommonConfig, 'versions' | 'cipherSuites'>): void {
  if (versions.length === 0)
    throw new TlsError('no-version-enabled', 'the options of this side leave no version to speak');
  if (cipherSuites.length === 0)
    throw new TlsError(
      'no-cipher-suite-enabled',
      'none of the cipher suites belongs to a version of this side',
    );
}

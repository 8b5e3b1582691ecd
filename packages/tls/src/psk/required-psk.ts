import { DEFAULT_MAX_VERSION } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import type { RequiredPskOptions } from '../options/features.ts';
import { TLS13, VERSIONS, type VersionName } from '../versions.ts';

/** Who insists on a key insists on the version in which nothing else can come of an offer. Throws `bad-option`. */
export function insistsOnPsk(
  options: RequiredPskOptions & { readonly psks?: unknown; readonly maxVersion?: VersionName | undefined },
): boolean {
  if (options.requirePsk !== true) return false;
  if (options.psks === undefined) throw new TlsError('bad-option', 'requirePsk needs psks');
  if (VERSIONS[options.maxVersion ?? DEFAULT_MAX_VERSION] < TLS13)
    throw new TlsError('bad-option', 'requirePsk needs TLS 1.3');
  return true;
}

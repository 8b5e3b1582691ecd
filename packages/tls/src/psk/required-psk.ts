import { DEFAULT_MAX_VERSION } from '../defaults.ts';
import { TlsError } from '../errors.ts';
import { TLS13, VERSIONS, type VersionName } from '../versions.ts';

/** A client that goes on with a shared key only. */
export interface RequiredPskOptions {
  /**
   * Take no server that does not have one of `psks`, or a session that began with one: no certificate stands in for it, and
   * no version before TLS 1.3 is offered. Without a key to offer nothing is sent: `no-psk`. Default false: a server that
   * knows none of them may show a certificate.
   */
  readonly requirePsk?: boolean | undefined;
}

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

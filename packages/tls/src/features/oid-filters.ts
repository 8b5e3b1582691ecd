import { DecodeError, decodeDer, type Oid } from '@testudo/codec';
import { Certificate, CertificateError, ExtensionOid, Extensions } from '@testudo/x509';
import type { Credential } from '../certificates/credential.ts';
import { TlsError } from '../errors.ts';
import type { OidFilter } from '../extensions/oid-filters.ts';

/**
 * The credentials whose certificate has what a server's oid_filters want (RFC 9846 §4.3.5): every key usage, and every
 * purpose, that they name. Other extensions are not looked at, as the RFC has it for those a client does not know.
 * Throws `illegal-parameter` on filters that cannot be read.
 */
export function matchingCredentials(
  credentials: readonly Credential[],
  filters: readonly OidFilter[],
): readonly Credential[] {
  if (filters.length === 0) return credentials;
  const wanted = readFilters(filters);
  return credentials.filter(({ certificates: [leaf] }) => leaf !== undefined && matches(leaf, wanted));
}

interface Wanted {
  readonly usages: ReadonlySet<string>;
  readonly purposes: readonly Oid[];
  readonly oids: ReadonlySet<Oid>;
}

function readFilters(filters: readonly OidFilter[]): Wanted {
  try {
    const extensions = filters.map(({ oid, values }) => ({
      oid: decodeDer(oid, (reader) => reader.oid()),
      critical: false,
      value: values,
    }));
    const oids = new Set(extensions.map(({ oid }) => oid));
    if (oids.size < extensions.length)
      throw new TlsError('illegal-parameter', 'two filters for one extension');
    const stated = new Extensions(extensions.filter(({ value }) => value.length > 0));
    return { usages: stated.keyUsage ?? new Set(), purposes: stated.extendedKeyUsage ?? [], oids };
  } catch (error) {
    if (!(error instanceof DecodeError) && !(error instanceof CertificateError)) throw error;
    throw new TlsError('illegal-parameter', `oid_filters cannot be read: ${error.message}`, { cause: error });
  }
}

function matches(leaf: Uint8Array, { usages, purposes, oids }: Wanted): boolean {
  const { keyUsage, extendedKeyUsage } = Certificate.parse(leaf).extensions;
  if (oids.has(ExtensionOid.keyUsage) && keyUsage === undefined) return false;
  if (oids.has(ExtensionOid.extendedKeyUsage) && extendedKeyUsage === undefined) return false;
  const has = (usage: string) => [...(keyUsage ?? [])].some((own) => own === usage);
  return [...usages].every(has) && purposes.every((purpose) => extendedKeyUsage?.includes(purpose));
}

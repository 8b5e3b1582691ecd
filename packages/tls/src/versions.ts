import { TlsError } from './errors.ts';

/** Protocol versions by their names; the numbers are those on the wire. All but the last two are legacy. */
export const VERSIONS = {
  SSLv3: 0x0300,
  TLSv1: 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
} as const;

export type VersionName = keyof typeof VERSIONS;
export type Version = (typeof VERSIONS)[VersionName];

export const SSL30: 0x0300 = VERSIONS.SSLv3;
export const TLS10: 0x0301 = VERSIONS.TLSv1;
export const TLS11: 0x0302 = VERSIONS['TLSv1.1'];
export const TLS12: 0x0303 = VERSIONS['TLSv1.2'];
export const TLS13: 0x0304 = VERSIONS['TLSv1.3'];

/** `TLSv1.3` for 0x0304; hexadecimal for a version that is not known. */
export function versionName(version: number): string {
  for (const [name, number] of Object.entries(VERSIONS)) if (number === version) return name;
  return `0x${version.toString(16).padStart(4, '0')}`;
}

/** All versions from `min` to `max`, highest first. Throws `bad-option` when there is none. */
export function versionsBetween(min: VersionName, max: VersionName): Version[] {
  const low = VERSIONS[min];
  const high = VERSIONS[max];
  if (low === undefined || high === undefined || low > high) {
    const names = Object.keys(VERSIONS).join(', ');
    throw new TlsError('bad-option', `no TLS version from ${min} to ${max}: use one of ${names}`);
  }
  return Object.values(VERSIONS)
    .filter((version) => version >= low && version <= high)
    .sort((a, b) => b - a);
}

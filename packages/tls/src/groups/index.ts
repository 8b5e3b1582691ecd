import { BEFORE_13, curve, FROM_13 } from './curve.ts';
import { ffdhe } from './finite-field.ts';
import type { Group } from './group.ts';
import { hybrid, kem } from './kem.ts';

export { type FiniteField, groupOfServer, isFiniteField } from './finite-field.ts';
export { type Group, groupFits, type KeyShare } from './group.ts';

/**
 * Every group the engine knows (NamedGroup, RFC 9846 §4.3.7). Which of them are used by default, and in which order,
 * `config/defaults.ts` says.
 */
export const GROUPS: readonly Group[] = [
  // draft-ietf-tls-ecdhe-mlkem, draft-ietf-tls-mlkem
  hybrid(0x11ec, 'X25519MLKEM768', 'ml-kem-768', 'x25519', 32, 'kem'),
  hybrid(0x11eb, 'SecP256r1MLKEM768', 'ml-kem-768', 'secp256r1', 65, 'curve'),
  hybrid(0x11ed, 'SecP384r1MLKEM1024', 'ml-kem-1024', 'secp384r1', 97, 'curve'),
  kem(0x0201, 'MLKEM768', 'ml-kem-768'),
  kem(0x0202, 'MLKEM1024', 'ml-kem-1024'),
  // RFC 8422, RFC 7748
  curve(0x001d, 'x25519', 'x25519', 32, { aliases: ['X25519'] }),
  curve(0x001e, 'x448', 'x448', 56, { aliases: ['X448'] }),
  curve(0x0017, 'secp256r1', 'secp256r1', 65, { aliases: ['P-256', 'prime256v1'] }),
  curve(0x0018, 'secp384r1', 'secp384r1', 97, { aliases: ['P-384'] }),
  curve(0x0019, 'secp521r1', 'secp521r1', 133, { aliases: ['P-521'] }),
  // RFC 7027
  curve(0x001a, 'brainpoolP256r1', 'brainpoolP256r1', 65, BEFORE_13),
  curve(0x001b, 'brainpoolP384r1', 'brainpoolP384r1', 97, BEFORE_13),
  curve(0x001c, 'brainpoolP512r1', 'brainpoolP512r1', 129, BEFORE_13),
  // RFC 8734
  curve(0x001f, 'brainpoolP256r1tls13', 'brainpoolP256r1', 65, FROM_13),
  curve(0x0020, 'brainpoolP384r1tls13', 'brainpoolP384r1', 97, FROM_13),
  curve(0x0021, 'brainpoolP512r1tls13', 'brainpoolP512r1', 129, FROM_13),
  // RFC 7919
  ffdhe(0x0100, 'ffdhe2048'),
  ffdhe(0x0101, 'ffdhe3072'),
  ffdhe(0x0102, 'ffdhe4096'),
  ffdhe(0x0103, 'ffdhe6144'),
  ffdhe(0x0104, 'ffdhe8192'),
];

const BY_ID = new Map(GROUPS.map((group) => [group.id, group]));

export function groupById(id: number): Group | undefined {
  return BY_ID.get(id);
}

/** By its name or an alias, whatever the case. */
export function groupByName(name: string): Group | undefined {
  const wanted = name.toLowerCase();
  return GROUPS.find((group) =>
    [group.name, ...group.aliases].some((known) => known.toLowerCase() === wanted),
  );
}

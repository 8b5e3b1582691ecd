import type { ConnectionFlags } from './flags.ts';

/** What BoringSSL's compliance policies stand for; everything else is as the flags say. */
export interface Policy {
  readonly minVersion: number;
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  readonly signatureSchemes: readonly number[];
}

const CNSA_SCHEMES = [0x0503, 0x0805, 0x0501];

const POLICIES = {
  'fips-202205': {
    minVersion: 0x0303,
    suites: [0x1301, 0x1302, 0xc02b, 0xc02f, 0xc02c, 0xc030],
    groups: [0x0017, 0x0018],
    signatureSchemes: [0x0401, 0x0501, 0x0601, 0x0403, 0x0503, 0x0804, 0x0805, 0x0806],
  },
  'wpa-202304': {
    minVersion: 0x0303,
    suites: [0x1302, 0xc02c, 0xc030],
    groups: [0x0018],
    signatureSchemes: [0x0501, 0x0601, 0x0503, 0x0805, 0x0806],
  },
  'cnsa1-202603': {
    minVersion: 0x0303,
    suites: [0x1302, 0xc02c, 0xc030, 0x009d],
    groups: [0x0202, 0x0018],
    signatureSchemes: CNSA_SCHEMES,
  },
  'cnsa2-202603': {
    minVersion: 0x0304,
    suites: [0x1302],
    groups: [0x0202],
    signatureSchemes: CNSA_SCHEMES,
  },
} as const satisfies Record<string, Policy>;

/** The policy that the flags name; undefined for none. */
export function policyOf(flags: ConnectionFlags): Policy | undefined {
  for (const [name, policy] of Object.entries(POLICIES))
    if (flags.has(name as keyof typeof POLICIES)) return policy;
  return undefined;
}

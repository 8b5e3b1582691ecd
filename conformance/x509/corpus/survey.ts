import { Random } from '../../../fuzz/random.ts';
import { CHANGES } from './changes.ts';
import { type JudgeName, nodeVerdict, ours, programVerdicts, writeFiles } from './judges.ts';
import { makeKeys } from './keys.ts';
import { type Chain, issue } from './plan.ts';

/** One chain, and what everyone says to it. */
export interface Finding {
  readonly kind: string;
  readonly seed: number;
  readonly chain: Chain;
  readonly ours: ReturnType<typeof ours>;
  readonly theirs: Readonly<Record<JudgeName, boolean>>;
}

/** Makes `count` chains of each kind from `seed` up, and has all judges look at them. Files go to `folder`. */
export async function survey(
  folder: string,
  {
    seed,
    count,
    only,
  }: { readonly seed: number; readonly count: number; readonly only?: string | undefined },
): Promise<Finding[]> {
  const keys = makeKeys(new Random(seed));
  const kinds = new Map<string, string>();
  const chains = new Map<string, Chain>();
  for (const [i, [kind, change]] of Object.entries(CHANGES).entries()) {
    if (only !== undefined && only !== kind) continue;
    for (let j = 0; j < count * (change.weight ?? 1); j++) {
      const own = seed + i * 10_000 + j;
      kinds.set(String(own), kind);
      chains.set(String(own), issue(change.make(new Random(own), keys)));
    }
  }
  writeFiles(chains, folder);
  const [openssl, gnutls] = await Promise.all([
    programVerdicts('openssl', chains, folder),
    programVerdicts('gnutls', chains, folder),
  ]);
  return Array.from(chains, ([id, chain]) => ({
    kind: kinds.get(id)!,
    seed: Number(id),
    chain,
    ours: ours(chain),
    theirs: { openssl: openssl.get(id)!, gnutls: gnutls.get(id)!, node: nodeVerdict(chain) },
  }));
}

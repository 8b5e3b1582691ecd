import type { Certificate } from '@testudo/x509';
import type { Change } from '../config/changes.ts';
import { namesIn } from '../identity/certificate-files.ts';
import { day, shown } from '../output/text.ts';
import type { PreparedListener } from './prepare.ts';

/** The certificates that the listeners show now and did not before, and the other way round. */
export function certificateChanges(
  before: readonly PreparedListener[],
  after: readonly PreparedListener[],
): Change[] {
  return after.flatMap(({ plan, listener, endpoint }) => {
    const old = before.find((one) => one.listener === listener);
    // One that is new is told of as a whole.
    if (old === undefined) return [];
    const [gone, come] = [without(old, endpoint), without({ endpoint }, old.endpoint)];
    return [
      ...gone.map((one) => `certificate ${textOf(one)} is no longer used`),
      ...come.map((one) => `certificate ${textOf(one)} is now used`),
    ].map((text) => ({ listener: plan.name, text }));
  });
}

type Endpoint = PreparedListener['endpoint'];

function without({ endpoint }: { readonly endpoint: Endpoint }, other: Endpoint): Certificate[] {
  const known = new Set(leavesOf(other).map(keyOf));
  return leavesOf(endpoint).filter((leaf) => !known.has(keyOf(leaf)));
}

function leavesOf({ identities }: Endpoint): Certificate[] {
  return identities.map(({ identity }) => identity.chain[0]!);
}

function keyOf({ der }: Certificate): string {
  return Buffer.from(der).toString('base64');
}

function textOf(leaf: Certificate): string {
  const names = namesIn(leaf).join(' ') || 'without names';
  return `${shown(names)}, good until ${day(leaf.notAfter)}`;
}

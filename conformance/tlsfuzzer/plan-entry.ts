import type { Manner } from './peer.ts';

/** One run of a script. */
export interface PlanEntry {
  /** Its kind, of `servers.ts`. */
  readonly server: string;
  readonly script: string;
  readonly arguments?: readonly string[];
  /** Default `http`. */
  readonly manner?: Manner;
}

/** Conversations that end otherwise than the script has it, and why that is right. */
export interface Deviation {
  readonly script: string;
  /** Default: every server that the script runs against. */
  readonly server?: string;
  readonly conversations: RegExp;
  readonly reason: string;
}

export const DEVIATIONS: readonly Deviation[] = [];

/** What a CA complains about (RFC 8555 §6.7). */
export interface AcmeProblem {
  /** `rateLimited`, without the URN's beginning; undefined when the CA does not say. */
  readonly type: string | undefined;
  /** For people, in the CA's words. */
  readonly detail: string;
}

/**
 * `unreachable`: no answer. `refused`: the CA says no. `check-failed`: it did not find its challenge answered. `unusable`:
 * what came is of no use. `slow`: it goes on, but takes long. `busy`: another process is at it.
 */
export type AcmeErrorKind = 'unreachable' | 'refused' | 'check-failed' | 'unusable' | 'slow' | 'busy';

/** Why there is no certificate yet: its message is one line for the log. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError';
  readonly kind: AcmeErrorKind;
  readonly type: string | undefined;
  /** Milliseconds for which the CA does not want to be asked again. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: AcmeErrorKind,
    message: string,
    more: { type?: string | undefined; retryAfter?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.kind = kind;
    this.type = more.type;
    this.retryAfter = more.retryAfter;
  }
}

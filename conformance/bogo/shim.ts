import { type Session, TlsError } from '@testudo/tls';
import { SharedState } from './engine-options.ts';
import { exchange } from './exchange.ts';
import { describeFailure, Failure } from './failure.ts';
import { parseFlags, type ShimFlags, UnknownFlag } from './flags.ts';

/** What a run of the shim prints, and its exit code. */
export interface ShimResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The runner's word for a test that asks for what is not there. */
const NOT_IMPLEMENTED = 89;

/** One test of BoringSSL's runner: a connection, and those that resume it. Never rejects. */
export async function runShim(
  argv: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<ShimResult> {
  try {
    const flags = parseFlags(argv);
    if (flags.initial.has('is-handshaker-supported')) return { code: 0, stdout: 'No\n', stderr: '' };
    await connections(flags, signal);
    return { code: 0, stdout: '', stderr: '' };
  } catch (error) {
    const isUnknown = error instanceof UnknownFlag;
    const text = isUnknown ? error.message : describeFailure(error);
    return { code: isUnknown ? NOT_IMPLEMENTED : 1, stdout: '', stderr: `${text}\n` };
  }
}

async function connections(flags: ShimFlags, signal: AbortSignal): Promise<void> {
  const shared = new SharedState();
  let session: Session | undefined;
  const resumptions = flags.initial.number('resume-count') ?? 0;
  for (let index = 0; index <= resumptions; index++) {
    const isResume = index > 0;
    const current = isResume ? flags.resume : flags.initial;
    if (isResume && !current.has('server') && session === undefined)
      throw new TlsError('not-connected', 'no session to offer');
    try {
      session = await exchange({ flags: current, retry: flags.retry, isResume, session, shared, signal });
    } catch (error) {
      throw index === 0 ? error : new Failure(`connection ${index + 1}: ${describeFailure(error)}`);
    }
    shared.clockAhead += (current.number('resumption-delay') ?? 0) * 1000;
  }
}

import { nodeOriginals } from './live.ts';
import { isUnreadable } from './openssl-pem.ts';

/** Runs it; what it throws about its input is thrown in the words of the Node that runs, with ours as the cause. */
export function asNode<T>(options: object, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isUnreadable(error) && !(error instanceof Error && 'code' in error)) throw error;
    throw nodesError(options, error as Error);
  }
}

function nodesError(options: object, error: Error): Error {
  try {
    nodeOriginals.createSecureContext(options);
  } catch (theirs) {
    if (theirs instanceof Error) {
      if ((theirs as { code?: unknown }).code !== (error as { code?: unknown }).code) theirs.cause = error;
      return theirs;
    }
  }
  return error;
}

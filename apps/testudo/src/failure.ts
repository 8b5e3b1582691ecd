/** What the program ends with; each verb's `--help` says which of them it uses. */
export const EXIT = {
  ok: 0,
  /** Something could not be done; for `connect`: the certificate was refused. */
  refused: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** `connect`: no connection. */
  unreachable: 3,
  /** `connect`: the handshake or the connection failed. */
  protocol: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure that a user can do something about: its message is one clear line, shown without a stack. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.refused, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** Several failures as one, a line each. */
export function failures(messages: readonly string[], exitCode: ExitCode = EXIT.refused): Failure {
  return new Failure(messages.join('\n'), exitCode);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a system call failed, in words a user knows; the file's or address's name is the caller's to say. */
export function systemReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return (code !== undefined && REASONS[code]) || messageOf(error);
}

/** {@link systemReason} of a system call's error, the message of any other. */
export function readableReason(error: unknown): string {
  return (error as NodeJS.ErrnoException).syscall === undefined ? messageOf(error) : systemReason(error);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it already exists',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  ELOOP: 'too many symbolic links',
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'the address does not belong to this machine',
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the other side closed the connection',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the name does not exist',
  EAI_AGAIN: 'the name could not be looked up: is there a network?',
};

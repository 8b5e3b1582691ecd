import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bytesEqual, decodePem, toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Certificate, certificateToPem } from '@testudo/x509';

/** What became of a certificate in one store. */
export interface StoreOutcome {
  readonly store: StoreName;
  /** The folder or database. */
  readonly place: string;
  readonly outcome: 'installed' | 'already there' | 'removed' | 'not there' | 'skipped' | 'failed';
  /** What was done, or why it was not, in words. */
  readonly detail: string;
}

export type StoreName = 'system' | 'nss';

/** A place where programs look for roots. Both calls change nothing but this certificate, and never throw. */
export interface Store {
  install(root: TrustedRoot): Promise<StoreOutcome[]>;
  uninstall(root: TrustedRoot): Promise<StoreOutcome[]>;
}

/** The certificate that is to be trusted, by names that no other CA has. */
export interface TrustedRoot {
  readonly der: Uint8Array;
  readonly pem: string;
  /** `testudo-1f2e3d4c5b6a7988`: a file's name without its ending. */
  readonly name: string;
  /** For lists that people see. */
  readonly nickname: string;
}

export function trustedRoot(certificate: Certificate): TrustedRoot {
  const mark = toHex(nodeCrypto.digest('sha256', certificate.der)).slice(0, 16);
  // A colon would name a token in NSS.
  const title = (certificate.subject.commonName ?? 'CA').replace(/[^\p{L}\p{N} ._()-]/gu, '_').slice(0, 64);
  return {
    der: certificate.der,
    pem: certificateToPem(certificate),
    name: `testudo-${mark}`,
    nickname: `Testudo ${title} ${mark}`,
  };
}

/** Whether this very certificate is among those of a PEM text: CAs of the same name are told apart by their bytes. */
export function holds(pemText: string, { der }: TrustedRoot): boolean {
  return certificatesIn(pemText).some((bytes) => bytesEqual(bytes, der));
}

/** DER of all certificates in a PEM text: a list with something unreadable in it still holds what else is there. */
export function certificatesIn(pemText: string): Uint8Array[] {
  const blocks = pemText.match(/-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]*-----END \1-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return decodePem(block).map(({ bytes }) => bytes);
    } catch {
      return [];
    }
  });
}

/** Milliseconds for a helper program: one that asks for a password would wait for ever. */
const TIMEOUT = 60_000;

export interface Ran {
  /** Undefined: there is no such program. */
  readonly code: number | undefined;
  readonly out: string;
  /** The last line that it said about what went wrong. */
  readonly problem: string;
}

/** Runs a helper program without input. Never throws. */
export async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Ran> {
  try {
    const running = promisify(execFile)(program, args, {
      env: { ...env },
      timeout: TIMEOUT,
      encoding: 'utf8',
    });
    running.child.stdin?.end();
    const { stdout } = await running;
    return { code: 0, out: stdout, problem: '' };
  } catch (error) {
    const { code, stdout = '', stderr = '', killed } = error as Failed;
    if (code === 'ENOENT')
      return { code: undefined, out: '', problem: `there is no ${program} on this machine` };
    const last = stderr.trim().split('\n').at(-1) ?? '';
    const problem = killed ? `${program} did not end in time` : last === '' ? `${program} failed` : last;
    return { code: typeof code === 'number' ? code : 1, out: stdout, problem };
  }
}

interface Failed {
  readonly code?: number | string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly killed?: boolean;
}

import type { KeySpec } from '@testudo/crypto';
import type { CertificatePurpose, Publication } from '@testudo/x509';
import { type Command, InvalidArgumentError } from 'commander';
import type { ExitCode } from '../../failure.ts';
import type { Io } from '../../io.ts';

/** What each verb of `testudo ca` needs to add itself. */
export interface CaVerb {
  readonly ca: Command;
  readonly io: Io;
  readonly finish: (code: ExitCode) => void;
}

export const DATA_OPTION: readonly [string, string] = [
  '--data <folder>',
  'where the CA lives (also TESTUDO_DATA)',
];

export function writeJson(io: Io, value: object): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function writeLines(io: Io, lines: readonly string[]): void {
  io.stdout.write(`${lines.join('\n')}\n`);
}

/** Ten years, and thirty for a CA. */
const MOST_DAYS = 3650;
export const MOST_CA_DAYS: number = 10_950;

/** A parser for a number of days. */
export function daysUpTo(most: number = MOST_DAYS): (text: string) => number {
  return (text) => wholeNumber(text, 1, most, 'days');
}

export function wholeNumber(text: string, least: number, most: number, what?: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new InvalidArgumentError(
    `A number${what === undefined ? '' : ` of ${what}`} from ${least} to ${most}.`,
  );
}

const KEYS: Readonly<Record<string, KeySpec>> = {
  rsa: { type: 'rsa', bits: 3072 },
  rsa2048: { type: 'rsa', bits: 2048 },
  rsa3072: { type: 'rsa', bits: 3072 },
  rsa4096: { type: 'rsa', bits: 4096 },
  p256: { type: 'ec', curve: 'secp256r1' },
  p384: { type: 'ec', curve: 'secp384r1' },
  p521: { type: 'ec', curve: 'secp521r1' },
  ed25519: { type: 'ed25519' },
};

export const KEY_OPTION: readonly [string, string, (text: string) => KeySpec] = [
  '--key <kind>',
  'kind of key: p256 (default), p384, p521, rsa (3072 bits), rsa2048, rsa4096, ed25519',
  keyKind,
];

function keyKind(text: string): KeySpec {
  const spec = Object.hasOwn(KEYS, text) ? KEYS[text] : undefined;
  if (spec !== undefined) return spec;
  throw new InvalidArgumentError(`A kind of key is one of ${Object.keys(KEYS).join(', ')}.`);
}

/** What a certificate is for, by the names of the command line. */
export const PROFILES_BY_NAME: Readonly<Record<string, CertificatePurpose>> = {
  server: 'server',
  client: 'client',
  email: 'email',
  smime: 'email',
  ike: 'ike',
  ocsp: 'ocsp-responder',
};

/** Names separated by commas; the option may also stand several times. */
export function nameList(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((name) => name.trim())].filter((name) => name !== '');
}

/** An option that may stand several times. */
export function repeatable(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** A moment, as `2026-12-31` or with a time in ISO 8601. Without a zone it is UTC. */
export function moment(text: string): Date {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text);
  const date = /^\d{4}-\d\d-\d\d/.test(text)
    ? new Date(isDay || hasZone ? text : `${text}Z`)
    : new Date(Number.NaN);
  if (!Number.isNaN(+date)) return date;
  throw new InvalidArgumentError('A time is such as 2026-12-31 or 2026-12-31T23:59:59Z.');
}

export function httpUrl(text: string): string {
  if (/^http:\/\/[!-~]+$/.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError(
    'An http: address: what is published there is signed, and fetching it must not need a certificate.',
  );
}

export interface PublicationOptions {
  readonly ocspUrl?: string;
  readonly crlUrl?: string;
  readonly deltaUrl?: string;
  readonly issuerUrl?: string;
}

/** Adds `--ocsp-url` and its like. */
export function withPublicationOptions(command: Command): Command {
  return command
    .option('--ocsp-url <url>', 'the OCSP responder\u2019s address to put into certificates', httpUrl)
    .option('--crl-url <url>', 'the CRL\u2019s address to put into them', httpUrl)
    .option('--delta-url <url>', 'the delta CRLs\u2019 address to put into them', httpUrl)
    .option('--issuer-url <url>', 'the address of the CA\u2019s certificate to put into them', httpUrl);
}

/** Undefined when no address is given. */
export function publicationOf(options: PublicationOptions): Publication | undefined {
  const { ocspUrl, crlUrl, deltaUrl, issuerUrl } = options;
  const publication = {
    ...(ocspUrl === undefined ? {} : { ocsp: [ocspUrl] }),
    ...(crlUrl === undefined ? {} : { crl: [crlUrl] }),
    ...(deltaUrl === undefined ? {} : { deltaCrl: [deltaUrl] }),
    ...(issuerUrl === undefined ? {} : { issuer: [issuerUrl] }),
  };
  return Object.keys(publication).length === 0 ? undefined : publication;
}

import { existsSync } from 'node:fs';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Certificate,
  CertificateError,
  type PeerName,
  PROFILES,
  type ProfileName,
  type PurposeName,
  peerNameOf,
  TrustStore,
  type VerifiedChain,
  verifyCertificateAsync,
} from '@testudo/x509';
import { systemRoots } from '@testudo/x509/node';
import { Option } from 'commander';
import { EXIT, type ExitCode, Failure } from '../../failure.ts';
import { loadCertificates } from '../../identity/certificate-files.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { authorityFiles } from '../../identity/local-authority.ts';
import { issuerFetcher, type LearnedStatus, revocationFrom } from '../../identity/revocation-sources.ts';
import type { Io } from '../../io.ts';
import { styleFor } from '../../output/style.ts';
import { type Verdict, verdictJson, verdictLines } from '../../report/verification-report.ts';
import { type CaVerb, DATA_OPTION, moment, repeatable, writeJson, writeLines } from './common.ts';

const PROFILE_NAMES: Readonly<Record<string, ProfileName>> = {
  compatible: 'compatible',
  webpki: 'webPki',
  rfc5280: 'rfc5280',
  smime: 'smime',
  ike: 'ike',
  client: 'clientAuth',
};

const PURPOSES = [
  ...(['server', 'client', 'email', 'ike', 'codeSigning', 'timeStamping', 'ocspSigning', 'any'] as const),
] as const satisfies readonly PurposeName[];

/** Adds `testudo ca verify`. */
export function addVerify({ ca, io, finish }: CaVerb): void {
  ca.command('verify')
    .summary('verify a certificate, and say what is wrong with it')
    .description(
      'Looks for a path from the first certificate in the file to a trusted root, and says what was tried, what is wrong, ' +
        'and what to do. Trusted are Mozilla\u2019s list (as Node has it) and the CA in the data folder, unless --ca or --system ' +
        'says otherwise.',
    )
    .argument('<file>', 'the certificate, then any that may be above it, PEM or DER')
    .option('--ca <file>', 'trust the certificates in this file, and no others; may be repeated', repeatable)
    .option('--system', 'trust Mozilla\u2019s list only')
    .option('--untrusted <file>', 'further certificates that may be in between; may be repeated', repeatable)
    .option('--host <name>', 'who it must be for: a domain, an address, a mail address, a URI')
    .addOption(
      new Option('--profile <profile>', 'rules beyond what makes a path valid')
        .choices(Object.keys(PROFILE_NAMES))
        .default('compatible'),
    )
    .addOption(
      new Option(
        '--purpose <purpose>',
        'what it is used for (default: the profile\u2019s; server with --host)',
      ).choices(PURPOSES),
    )
    .option('--time <time>', 'verify as of then: 2026-12-31 or 2026-12-31T23:59:59Z (default: now)', moment)
    .option(
      '--crl <file>',
      'look it up in this list; a certificate that the list does not cover is refused; may be repeated',
      repeatable,
    )
    .option('--ocsp <file>', 'an OCSP response about it (DER), as `openssl ocsp -respout` keeps it')
    .option('--online', 'ask the OCSP responders and CRLs, and fetch the issuers, that the certificates name')
    .option(...DATA_OPTION)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Example:
  testudo ca verify www.example.test.pem --host www.example.test
  testudo ca verify chain.pem --profile webpki --ca root.pem --crl list.crl --time 2026-12-31

Exit codes: 0 good, 1 not good, 2 wrong usage.`,
    )
    .action(async (file: string, options: VerifyOptions) => finish(await verify(file, options, io)));
}

interface VerifyOptions {
  readonly ca?: readonly string[];
  readonly system?: boolean;
  readonly untrusted?: readonly string[];
  readonly host?: string;
  readonly profile: string;
  readonly purpose?: PurposeName;
  readonly time?: Date;
  readonly crl?: readonly string[];
  readonly ocsp?: string;
  readonly online?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

async function verify(file: string, options: VerifyOptions, io: Io): Promise<ExitCode> {
  const chain = await asUsage(() => [file, ...(options.untrusted ?? [])].flatMap(loadCertificates));
  const { roots, against } = await asUsage(() => trustedRoots(options, io));
  const learned: LearnedStatus[] = [];
  const revocation = await asUsage(() =>
    revocationFrom({ crls: options.crl ?? [], ocsp: options.ocsp, online: options.online === true }, learned),
  );
  const profile = PROFILES[PROFILE_NAMES[options.profile]!];
  const purpose = options.purpose ?? profile.purpose ?? (options.host === undefined ? 'any' : 'server');
  const at = options.time ?? new Date();
  let outcome: VerifiedChain | CertificateError;
  try {
    outcome = await verifyCertificateAsync({
      ...{ provider: nodeCrypto, chain, trust: new TrustStore(roots), at, purpose, profile, revocation },
      ...(options.host === undefined ? {} : { name: nameOf(options.host) }),
      ...(options.online ? { issuers: { fetch: issuerFetcher() } } : {}),
    });
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    outcome = error;
  }
  const verdict: Verdict = {
    file,
    leaf: chain[0]!,
    outcome,
    learned,
    at,
    purpose,
    profile: options.profile,
    against,
    host: options.host,
  };
  if (options.json) writeJson(io, verdictJson(verdict));
  else writeLines(io, verdictLines(verdict, styleFor(io.stdout, io.env)));
  return outcome instanceof CertificateError ? EXIT.refused : EXIT.ok;
}

/** Trust anchors, and in words what they are. Throws a `Failure`. */
function trustedRoots(options: VerifyOptions, io: Io): { roots: Iterable<Certificate>; against: string } {
  const { ca, system } = options;
  if (ca !== undefined && system) throw new Failure('--ca and --system exclude each other', EXIT.usage);
  if (ca !== undefined) return { roots: ca.flatMap(loadCertificates), against: ca.join(', ') };
  const mozilla = 'Mozilla\u2019s list';
  const own = authorityFiles(dataFolder(io.env, options.data)).certificate;
  if (system || !existsSync(own)) return { roots: systemRoots(), against: mozilla };
  return { roots: [...systemRoots(), ...loadCertificates(own)], against: `${mozilla} and ${own}` };
}

/** A file that was named and cannot be used is wrong usage: 1 means that the certificate is not good. */
async function asUsage<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Failure) throw new Failure(error.message, EXIT.usage, error);
    throw error;
  }
}

function nameOf(text: string): PeerName {
  if (/^[a-z][a-z0-9+.-]*:\/\/|^(sip|sips|spiffe|urn):/i.test(text)) return { kind: 'uri', value: text };
  return text.includes('@') ? { kind: 'email', value: text } : peerNameOf(text);
}

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type CertificateAuthority,
  type CertificatePurpose,
  type CertificateRequest,
  certificateToPem,
  createPkcs12,
  type IssuedCertificate,
  privateKeyToPem,
} from '@testudo/x509';
import { Option } from 'commander';
import { EXIT, type ExitCode, Failure } from '../../failure.ts';
import { keep, withDatabase } from '../../identity/authority-database.ts';
import { authorityFiles, loadAuthority } from '../../identity/authority-folder.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { mendGroup, writeGroup } from '../../identity/file-group.ts';
import { LocalAuthority } from '../../identity/local-authority.ts';
import { password } from '../../identity/password.ts';
import { makePrivateFolder } from '../../identity/private-files.ts';
import type { Io } from '../../io.ts';
import { day } from '../../output/text.ts';
import { certificateReport } from '../../report/certificate-report.ts';
import {
  type CaVerb,
  DATA_OPTION,
  daysUpTo,
  KEY_OPTION,
  nameList,
  PROFILES_BY_NAME,
  type PublicationOptions,
  publicationOf,
  withPublicationOptions,
  writeJson,
  writeLines,
} from './common.ts';
import { besideCertificate, certificateFile, OUT_OPTION } from './output-file.ts';

const EXAMPLES = `
Example:
  testudo ca issue www.example.test 192.0.2.1 --out certificates
  testudo ca issue --client alice --p12
  testudo ca issue --profile email alice@example.test --p12 --password-file password.txt
  testudo ca issue --profile intermediate "Team CA" --permit team.example.test`;

/** Adds `testudo ca issue`. */
export function addIssue({ ca, io, finish }: CaVerb): void {
  withPublicationOptions(
    ca
      .command('issue')
      .summary('issue a certificate')
      .description(
        'Issues a certificate with a new private key, for domains, IP addresses, mail addresses, or URIs. ' +
          'Writes NAME.pem (the certificate, then the CAs between it and the root) and NAME-key.pem.',
      )
      .argument('<name...>', 'such as www.example.test, *.example.test, 192.0.2.1, alice@example.test')
      .addOption(
        new Option('--profile <profile>', 'what it is for')
          .choices([...Object.keys(PROFILES_BY_NAME), 'intermediate'])
          .default('server'),
      )
      .option('--client', 'the same as --profile client')
      .option(...KEY_OPTION)
      .option(
        '--days <days>',
        'how long it is valid (default 397, the longest that browsers take)',
        daysUpTo(),
      )
      .option('--common-name <name>', 'the common name (default: the first name)')
      .option('--organization <name>', 'the organization in the subject')
      .option('--country <code>', 'the country in the subject: two letters')
      .option('--must-staple', 'the server must staple OCSP responses (RFC 7633)')
      .option('--permit <names>', 'intermediate: for these names only', nameList)
      .option('--exclude <names>', 'intermediate: never for these names', nameList)
      .option('--p12', 'also write NAME.p12, for browsers, phones and mail programs')
      .option('--legacy', 'the .p12 in a form that programs from before 2015 can read (3DES, SHA-1)')
      .option('--password-file <file>', 'the .p12\u2019s password is its first line; - is standard input')
      .option(...OUT_OPTION),
  )
    .option(...DATA_OPTION)
    .option('--json', 'the result as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (names: string[], options: IssueOptions) => finish(await issue(names, options, io)));
}

interface IssueOptions extends PublicationOptions {
  readonly profile: string;
  readonly client?: boolean;
  readonly key?: KeySpec;
  readonly days?: number;
  readonly commonName?: string;
  readonly organization?: string;
  readonly country?: string;
  readonly mustStaple?: boolean;
  readonly permit?: readonly string[];
  readonly exclude?: readonly string[];
  readonly p12?: boolean;
  readonly legacy?: boolean;
  readonly passwordFile?: string;
  readonly out?: string;
  readonly data?: string;
  readonly json?: boolean;
}

interface IssuedFiles {
  readonly certificate: string;
  readonly key: string;
  readonly p12?: string;
}

async function issue(names: readonly string[], options: IssueOptions, io: Io): Promise<ExitCode> {
  const local = LocalAuthority.open(dataFolder(io.env, options.data));
  const files = filesFor(names[0]!, options);
  mendGroup(files.certificate);
  const existing = Object.values(files).find((file) => existsSync(file));
  if (existing !== undefined)
    throw new Failure(
      `${existing} already exists and is never overwritten: move it away, or choose another place with --out`,
    );
  const secret = options.p12
    ? await password(io, options.passwordFile, files.p12!, { isNew: true })
    : undefined;
  const issued = await issueBy(local, names, options);
  writeIssued(issued, files, options, secret);
  report(issued, files, { names, options, io, local });
  return EXIT.ok;
}

function filesFor(name: string, { out, p12 }: IssueOptions): IssuedFiles {
  const certificate = certificateFile(out, name);
  return {
    key: besideCertificate(certificate, '-key.pem'),
    certificate,
    ...(p12 ? { p12: besideCertificate(certificate, '.p12') } : {}),
  };
}

async function issueBy(
  local: LocalAuthority,
  names: readonly string[],
  options: IssueOptions,
): Promise<IssuedCertificate> {
  const what = `cannot issue a certificate for ${names.join(', ')}`;
  const isIntermediate = options.profile === 'intermediate';
  const issuer = isIntermediate ? authorityAbove(local) : { role: local.role, authority: local.authority };
  const publication = publicationOf(options);
  const authority =
    publication === undefined ? issuer.authority : issuer.authority.withPublication(publication);
  try {
    return await withDatabase(local.folder, { role: issuer.role, authority }, what, (managed) =>
      keep(
        managed,
        ...(isIntermediate
          ? intermediate(managed.authority, names, options)
          : leaf(managed.authority, names, options)),
      ),
    );
  } catch (error) {
    // What was asked for cannot stand in a certificate.
    if (error instanceof Failure && error.cause instanceof RangeError)
      throw new Failure(error.message, EXIT.usage, error);
    throw error;
  }
}

/** An intermediate stands right below the root where the root\u2019s key is at hand. */
function authorityAbove(local: LocalAuthority): {
  role: 'ca' | 'intermediate';
  authority: CertificateAuthority;
} {
  if (local.role === 'ca') return { role: 'ca', authority: local.authority };
  const { key } = authorityFiles(local.folder);
  if (!existsSync(key))
    throw new Failure(`an intermediate is issued by the root, whose key is missing: put ${key} back`);
  return { role: 'ca', authority: loadAuthority(local.folder, 'ca') };
}

type Issued = [issued: IssuedCertificate, purpose: CertificatePurpose | 'any'];

function intermediate(
  authority: CertificateAuthority,
  names: readonly string[],
  { key, days, permit = [], exclude = [], organization, country }: IssueOptions,
): Issued {
  if (names.length > 1) throw new RangeError('an intermediate has one name; limits are set with --permit');
  if (authority.certificate.extensions.basicConstraints?.pathLength === 0)
    throw new RangeError('the CA may have no CAs below it: make another one without --path-length 0');
  const subject = organization === undefined && country === undefined ? undefined : { organization, country };
  const { certificate, privateKey } = authority.issueAuthority({
    ...{ commonName: names[0]!, key, days, subject },
    ...(permit.length + exclude.length > 0
      ? { nameConstraints: { permitted: permit, excluded: exclude } }
      : {}),
  });
  return [{ certificate, certificateChain: [certificate], privateKey }, 'any'];
}

function leaf(authority: CertificateAuthority, names: readonly string[], options: IssueOptions): Issued {
  const request = requestOf(names, options);
  return [authority.issue(request), request.purpose];
}

function requestOf(names: readonly string[], options: IssueOptions): CertificateRequest {
  const { key, days, mustStaple, organization, country } = options;
  const purpose = PROFILES_BY_NAME[options.client ? 'client' : options.profile]!;
  const [first] = names as [string, ...string[]];
  // A plain name stands in the common name only; a server's must be a domain.
  const isPlain = purpose === 'ocsp-responder' || (purpose === 'client' && !/[.@:]/.test(first));
  const commonName = options.commonName ?? (isPlain ? first : undefined);
  return {
    ...{ purpose, key, days, mustStaple, commonName },
    names: isPlain ? names.slice(1) : names,
    ...(organization === undefined && country === undefined ? {} : { subject: { organization, country } }),
  };
}

function writeIssued(
  { certificateChain, privateKey }: IssuedCertificate,
  files: IssuedFiles,
  options: IssueOptions,
  secret: string | undefined,
): void {
  makePrivateFolder(dirname(files.certificate));
  const p12 = (): Uint8Array =>
    createPkcs12({
      ...{ provider: nodeCrypto, password: secret!, privateKey: privateKey!, certificates: certificateChain },
      encryption: options.legacy ? 'legacy' : 'modern',
    });
  writeGroup([
    { file: files.key, content: privateKeyToPem(privateKey!), isSecret: true },
    ...(files.p12 === undefined ? [] : [{ file: files.p12, content: p12(), isSecret: true }]),
    { file: files.certificate, content: certificateToPem(...certificateChain), isSecret: false },
  ]);
}

function report(
  { certificate }: IssuedCertificate,
  files: IssuedFiles,
  context: { names: readonly string[]; options: IssueOptions; io: Io; local: LocalAuthority },
): void {
  const { names, options, io, local } = context;
  if (options.json) {
    writeJson(io, {
      files: { ...files, ca: local.certificateFile },
      certificate: certificateReport(certificate),
    });
    return;
  }
  const kind = options.client ? 'client' : options.profile;
  const article = /^[aeiou]/.test(kind) ? 'An' : 'A';
  writeLines(io, [
    `${article} ${kind} certificate for ${names.join(', ')}, good until ${day(certificate.notAfter)}:`,
    `  ${files.certificate}`,
    `  ${files.key}  its private key: keep it to yourself`,
    ...(files.p12 === undefined ? [] : [`  ${files.p12}  both, under the password`]),
    `  ${local.certificateFile}  the CA, for the other side to trust`,
  ]);
}

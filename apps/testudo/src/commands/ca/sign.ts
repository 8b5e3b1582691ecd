import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  CertificateError,
  CertificationRequest,
  certificateToPem,
  type IssuedCertificate,
  type SigningRules,
} from '@testudo/x509';
import { Option } from 'commander';
import { EXIT, type ExitCode, Failure, systemReason } from '../../failure.ts';
import { keep, withDatabase } from '../../identity/authority-database.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { LocalAuthority } from '../../identity/local-authority.ts';
import { makePrivateFolder, writePublicFile } from '../../identity/private-files.ts';
import type { Io } from '../../io.ts';
import { styleFor } from '../../output/style.ts';
import { day } from '../../output/text.ts';
import { certificateReport } from '../../report/certificate-report.ts';
import { requestLines, requestReport } from '../../report/request-report.ts';
import {
  type CaVerb,
  DATA_OPTION,
  daysUpTo,
  nameList,
  PROFILES_BY_NAME,
  type PublicationOptions,
  publicationOf,
  withPublicationOptions,
  writeJson,
  writeLines,
} from './common.ts';
import { certificateFile, OUT_OPTION } from './output-file.ts';

/** Adds `testudo ca sign`. */
export function addSign({ ca, io, finish }: CaVerb): void {
  withPublicationOptions(
    ca
      .command('sign')
      .summary('issue a certificate for a certification request (CSR)')
      .description(
        'Checks that the request is signed with its own key, shows what it asks for and what of that is taken, and ' +
          'issues the certificate. Names are taken from the request; usages come from the profile.',
      )
      .argument('<request>', 'PKCS#10, PEM or DER')
      .addOption(
        new Option('--profile <profile>', 'what it is for')
          .choices(Object.keys(PROFILES_BY_NAME))
          .default('server'),
      )
      .option(
        '--allow <names>',
        'refuse requests for other names; *.example.test covers all names below it (default: any)',
        nameList,
      )
      .option('--keep-subject', 'take the subject as it is asked for (default: the first name)')
      .option('--strict', 'refuse requests for extensions that would not be taken')
      .option('--days <days>', 'how long it is valid (default 397)', daysUpTo())
      .option('--dry-run', 'show only')
      .option(...OUT_OPTION),
  )
    .option(...DATA_OPTION)
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  testudo ca sign www.example.test.csr\n  testudo ca sign --allow "*.example.test" --strict request.der --out www.pem',
    )
    .action(async (file: string, options: SignOptions) => finish(await sign(file, options, io)));
}

interface SignOptions extends PublicationOptions {
  readonly profile: string;
  readonly allow?: readonly string[];
  readonly keepSubject?: boolean;
  readonly strict?: boolean;
  readonly days?: number;
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly data?: string;
  readonly json?: boolean;
}

async function sign(file: string, options: SignOptions, io: Io): Promise<ExitCode> {
  const request = loadRequest(file);
  const report = requestReport(request);
  const out = certificateFile(options.out, basename(file, extname(file)));
  const style = styleFor(io.stdout, io.env);
  const isText = options.json !== true;
  if (isText)
    writeLines(io, [
      style.strong(`${file} asks for`),
      ...requestLines(report, style).map((line) => `  ${line}`),
    ]);
  proveKey(request, file);
  if (options.dryRun === true) {
    if (!isText) writeJson(io, { request: report });
    return EXIT.ok;
  }
  const local = LocalAuthority.open(dataFolder(io.env, options.data));
  if (existsSync(out))
    throw new Failure(
      `${out} already exists and is never overwritten: move it away, or choose another place with --out`,
    );
  const issued = await issueFor(request, file, local, options);
  makePrivateFolder(dirname(out));
  writePublicFile(out, certificateToPem(...issued.certificateChain));
  if (!isText) {
    writeJson(io, {
      request: report,
      files: { certificate: out, ca: local.certificateFile },
      certificate: certificateReport(issued.certificate),
    });
    return EXIT.ok;
  }
  writeLines(io, [
    '',
    `Issued, good until ${day(issued.certificate.notAfter)}:`,
    `  ${out}`,
    `  ${local.certificateFile}  the CA, for the other side to trust`,
  ]);
  return EXIT.ok;
}

/** A request in a file. Throws a `Failure`. */
function loadRequest(file: string): CertificationRequest {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new Failure(`${file}: cannot read the request: ${systemReason(error)}`, 1, error);
  }
  try {
    return CertificationRequest.parse(new Uint8Array(content));
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new Failure(`${file}: cannot use the request: ${error.message}`, 1, error);
  }
}

function proveKey(request: CertificationRequest, file: string): void {
  try {
    request.provenPublicKey(nodeCrypto);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new Failure(`${file}: nothing was issued: ${error.message}; make the request again`, 1, error);
  }
}

async function issueFor(
  request: CertificationRequest,
  file: string,
  local: LocalAuthority,
  options: SignOptions,
): Promise<IssuedCertificate> {
  const publication = publicationOf(options);
  const authority =
    publication === undefined ? local.authority : local.authority.withPublication(publication);
  const rules: SigningRules = {
    purpose: PROFILES_BY_NAME[options.profile]!,
    names: options.allow ?? 'any',
    subject: options.keepSubject ? 'as-requested' : 'common-name',
    otherExtensions: options.strict ? 'refuse' : 'ignore',
    days: options.days,
  };
  return withDatabase(
    local.folder,
    { role: local.role, authority },
    `${file}: nothing was issued`,
    (managed) => keep(managed, managed.authority.sign(request.der, rules), rules.purpose),
  );
}

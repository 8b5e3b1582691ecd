import { existsSync } from 'node:fs';
import type { KeySpec } from '@testudo/crypto';
import { EXIT, type ExitCode, Failure } from '../../failure.ts';
import { authorityFiles, hasAuthority } from '../../identity/authority-folder.ts';
import { loadCertificates } from '../../identity/certificate-files.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { LocalAuthority, localName } from '../../identity/local-authority.ts';
import type { Io } from '../../io.ts';
import { day } from '../../output/text.ts';
import { certificateReport } from '../../report/certificate-report.ts';
import {
  type CaVerb,
  DATA_OPTION,
  daysUpTo,
  KEY_OPTION,
  MOST_CA_DAYS,
  nameList,
  type PublicationOptions,
  publicationOf,
  wholeNumber,
  withPublicationOptions,
  writeJson,
  writeLines,
} from './common.ts';

/** Adds `testudo ca init`. */
export function addInit({ ca, io, finish }: CaVerb): void {
  withPublicationOptions(
    ca
      .command('init')
      .summary('make the CA')
      .description(
        'Makes the CA that `testudo up` uses, too: ca.pem, and ca-key.pem with its private key. With an intermediate, ' +
          'that one issues, and ca-key.pem may be moved to a safe place.',
      )
      .option('--name <name>', 'the name that browsers and others show')
      .option('--intermediate [name]', 'also make an intermediate, which issues')
      .option(...KEY_OPTION)
      .option('--days <days>', 'how long it is valid (default 3650)', daysUpTo(MOST_CA_DAYS))
      .option('--path-length <n>', 'how many CAs there may be below the root (default: no limit)', (text) =>
        wholeNumber(text, 0, 16, 'CAs'),
      )
      .option(
        '--permit <names>',
        'issue for these only: example.com and all names below it, 192.0.2.0/24, @example.com',
        nameList,
      )
      .option('--exclude <names>', 'never issue for these', nameList)
      .option('--organization <name>', 'the organization in its name')
      .option('--country <code>', 'the country in its name: two letters'),
  )
    .option(...DATA_OPTION)
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  testudo ca init --name "My laptop\u2019s CA"\n' +
        '  testudo ca init --name "Example Root" --intermediate "Example Issuing CA" --permit example.com,10.0.0.0/8',
    )
    .action((options: InitOptions) => finish(init(options, io)));
}

interface InitOptions extends PublicationOptions {
  readonly name?: string;
  /** True: a name is made from the root's. */
  readonly intermediate?: string | true;
  readonly key?: KeySpec;
  readonly days?: number;
  readonly pathLength?: number;
  readonly permit?: readonly string[];
  readonly exclude?: readonly string[];
  readonly organization?: string;
  readonly country?: string;
  readonly data?: string;
  readonly json?: boolean;
}

function init(options: InitOptions, io: Io): ExitCode {
  const folder = dataFolder(io.env, options.data);
  refuseExisting(folder);
  if (options.intermediate !== undefined && options.pathLength === 0)
    throw new Failure(
      '--path-length 0 leaves no room for an intermediate: leave one of the two out',
      EXIT.usage,
    );
  const { organization, country, permit = [], exclude = [] } = options;
  const local = LocalAuthority.create(folder, options.name, {
    ...{ key: options.key, days: options.days, pathLength: options.pathLength },
    intermediate: options.intermediate === true ? intermediateName(options.name) : options.intermediate,
    subject: organization === undefined && country === undefined ? undefined : { organization, country },
    ...(permit.length + exclude.length > 0
      ? { nameConstraints: { permitted: permit, excluded: exclude } }
      : {}),
    publication: publicationOf(options),
  });
  report(local, options, io);
  return EXIT.ok;
}

function refuseExisting(folder: string): void {
  hasAuthority(folder);
  const files = [authorityFiles(folder), authorityFiles(folder, 'intermediate')];
  if (files.some(({ key }) => existsSync(key)))
    throw new Failure(
      `there is already a CA in ${folder}, and its key is never overwritten: choose another folder with --data`,
    );
}

function intermediateName(root: string | undefined): string {
  return root === undefined ? localName('intermediate') : `${root.slice(0, 51)} intermediate`;
}

function report(local: LocalAuthority, options: InitOptions, io: Io): void {
  const { certificate, key } = authorityFiles(local.folder);
  const [root] = loadCertificates(certificate);
  const below = local.role === 'intermediate' ? authorityFiles(local.folder, 'intermediate') : undefined;
  const issuing = local.authority.certificate;
  if (options.json) {
    writeJson(io, {
      files: {
        ...{ certificate, key },
        ...(below === undefined ? {} : { intermediate: below.certificate, intermediateKey: below.key }),
      },
      certificate: certificateReport(root!),
      ...(below === undefined ? {} : { intermediate: certificateReport(issuing) }),
    });
    return;
  }
  writeLines(io, [
    `A new CA, "${root!.subject.commonName}", good until ${day(root!.notAfter)}:`,
    `  ${certificate}  for clients to trust`,
    `  ${key}  its private key: ${below === undefined ? 'keep it to yourself' : 'move it to a safe place'}`,
    ...(below === undefined
      ? []
      : [
          `and its intermediate, "${issuing.subject.commonName}", which issues:`,
          `  ${below.certificate}`,
          `  ${below.key}  its private key: keep it to yourself`,
        ]),
  ]);
}

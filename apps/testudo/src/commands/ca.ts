import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { certificateToPem, privateKeyToPem } from '@testudo/x509';
import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, type ExitCode, Failure, messageOf } from '../failure.ts';
import { loadCertificates } from '../identity/certificate-files.ts';
import { dataFolder } from '../identity/data-folder.ts';
import { authorityFiles, fileNameOf, LocalAuthority } from '../identity/local-authority.ts';
import { makePrivateFolder, writeNewPrivateFile, writePublicFile } from '../identity/private-files.ts';
import type { Io } from '../io.ts';
import { styleFor } from '../output/style.ts';
import { day } from '../output/text.ts';
import { certificateReport } from '../report/certificate-report.ts';
import { certificateLines } from '../report/certificate-text.ts';

/** Adds `testudo ca` and its verbs. */
export function addCa(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const ca = program
    .command('ca')
    .summary('a CA of your own: make it, issue certificates, show them')
    .description('A CA of your own. Private keys have mode 0600 and are never overwritten.')
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  testudo ca init\n  testudo ca issue www.example.test');
  ca.command('init')
    .summary('make the CA')
    .description('Makes the CA that `testudo up` uses, too: ca.pem, and ca-key.pem with its private key.')
    .option('--name <name>', 'what browsers and others call it')
    .option('--data <folder>', 'where it lives (also TESTUDO_DATA)')
    .option('--json', 'the result as JSON')
    .addHelpText('after', '\nExample:\n  testudo ca init --name "My laptop\u2019s CA"')
    .action((options: InitOptions) => finish(init(options, io)));
  ca.command('issue')
    .summary('issue a certificate')
    .description(
      'Issues a certificate with a new private key, for domains, IP addresses, or mail addresses. ' +
        'Writes NAME.pem (the certificate, then the CAs between it and the root) and NAME-key.pem.',
    )
    .argument('<name...>', 'such as www.example.test, *.example.test, 192.0.2.1')
    .option('--client', 'for a client rather than a server')
    .option('--days <days>', 'how long it is good (default 397, the longest that browsers take)', dayCount)
    .option('--out <folder>', 'where to write it (default: here)')
    .option('--data <folder>', 'where the CA lives (also TESTUDO_DATA)')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  testudo ca issue www.example.test 192.0.2.1 --out certificates\n  testudo ca issue --client alice',
    )
    .action((names: string[], options: IssueOptions) => finish(issue(names, options, io)));
  ca.command('show')
    .summary('show a certificate, or the CA')
    .description('Shows the certificates of a PEM or DER file; without a file, the CA.')
    .argument('[file]', 'certificates')
    .option('--data <folder>', 'where the CA lives (also TESTUDO_DATA)')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  testudo ca show\n  testudo ca show www.example.test.pem --json')
    .action((file: string | undefined, options: ShowOptions) => finish(show(file, options, io)));
}

interface InitOptions {
  readonly name?: string;
  readonly data?: string;
  readonly json?: boolean;
}

function init(options: InitOptions, io: Io): ExitCode {
  const folder = dataFolder(io.env, options.data);
  const { certificate, key } = authorityFiles(folder);
  if (existsSync(key)) {
    throw new Failure(
      `there is a CA in ${folder} already, and its key is never overwritten: choose another folder with --data`,
    );
  }
  const { authority } = LocalAuthority.create(folder, options.name);
  if (options.json) {
    writeJson(io, { files: { certificate, key }, certificate: certificateReport(authority.certificate) });
    return EXIT.ok;
  }
  io.stdout.write(
    `A new CA, "${authority.certificate.subject.commonName}", good until ${day(authority.certificate.notAfter)}:\n` +
      `  ${certificate}  for clients to trust\n  ${key}  its private key: keep it to yourself\n`,
  );
  return EXIT.ok;
}

interface IssueOptions {
  readonly client?: boolean;
  readonly days?: number;
  readonly out?: string;
  readonly data?: string;
  readonly json?: boolean;
}

function issue(names: readonly string[], options: IssueOptions, io: Io): ExitCode {
  const { local, files } = issuePlaces(names[0]!, options, io);
  const existing = [files.key, files.certificate].find((file) => existsSync(file));
  if (existing !== undefined) {
    throw new Failure(
      `${existing} exists already and is never overwritten: move it away, or choose another folder with --out`,
    );
  }
  let issued: ReturnType<LocalAuthority['authority']['issue']>;
  try {
    issued = local.authority.issue({ ...subjectOf(names, options.client === true), days: options.days });
  } catch (error) {
    throw new Failure(
      `cannot issue a certificate for ${names.join(', ')}: ${messageOf(error)}`,
      EXIT.usage,
      error,
    );
  }
  makePrivateFolderFor(options.out);
  writeNewPrivateFile(files.key, privateKeyToPem(issued.privateKey!));
  writePublicFile(files.certificate, certificateToPem(...issued.certificateChain));
  if (options.json) {
    writeJson(io, {
      files: { ...files, ca: local.certificateFile },
      certificate: certificateReport(issued.certificate),
    });
    return EXIT.ok;
  }
  io.stdout.write(
    `A ${options.client ? 'client' : 'server'} certificate for ${names.join(', ')}, good until ${day(issued.certificate.notAfter)}:\n` +
      `  ${files.certificate}\n  ${files.key}  its private key: keep it to yourself\n  ${local.certificateFile}  the CA, for the other side to trust\n`,
  );
  return EXIT.ok;
}

function issuePlaces(
  name: string,
  options: IssueOptions,
  io: Io,
): { local: LocalAuthority; files: { certificate: string; key: string } } {
  const local = LocalAuthority.open(dataFolder(io.env, options.data));
  const base = join(resolve(options.out ?? '.'), fileNameOf(name));
  return { local, files: { certificate: `${base}.pem`, key: `${base}-key.pem` } };
}

/** A client may have a plain name: it then stands in the common name only. */
function subjectOf(names: readonly string[], isClient: boolean) {
  if (!isClient) return { purpose: 'server', names } as const;
  const [first, ...others] = names as [string, ...string[]];
  const isPlain = !/[.@:]/.test(first);
  return { purpose: 'client', commonName: first, names: isPlain ? others : names } as const;
}

function makePrivateFolderFor(folder: string | undefined): void {
  if (folder !== undefined && !existsSync(folder)) makePrivateFolder(folder);
}

interface ShowOptions {
  readonly data?: string;
  readonly json?: boolean;
}

function show(file: string | undefined, options: ShowOptions, io: Io): ExitCode {
  const path = file ?? authorityFiles(dataFolder(io.env, options.data)).certificate;
  if (file === undefined && !existsSync(path)) {
    throw new Failure(`there is no CA in ${resolve(path, '..')}: make one with: testudo ca init`);
  }
  const reports = loadCertificates(path).map(certificateReport);
  if (options.json) {
    writeJson(io, { file: path, certificates: reports });
    return EXIT.ok;
  }
  const style = styleFor(io.stdout, io.env);
  const lines = reports.flatMap((report, i) => [
    ...(i > 0 ? [''] : []),
    style.strong(reports.length > 1 ? `${path}, ${i + 1} of ${reports.length}` : path),
    ...certificateLines(report, style).map((line) => `  ${line}`),
  ]);
  io.stdout.write(`${lines.join('\n')}\n`);
  return EXIT.ok;
}

function writeJson(io: Io, value: object): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

function dayCount(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new InvalidArgumentError('A number of days from 1 to 3650.');
}

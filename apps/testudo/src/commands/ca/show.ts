import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT, type ExitCode, Failure } from '../../failure.ts';
import { loadCertificates } from '../../identity/certificate-files.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { authorityFiles } from '../../identity/local-authority.ts';
import type { Io } from '../../io.ts';
import { styleFor } from '../../output/style.ts';
import { certificateReport } from '../../report/certificate-report.ts';
import { certificateLines } from '../../report/certificate-text.ts';
import { type CaVerb, DATA_OPTION, writeJson } from './common.ts';

/** Adds `testudo ca show`. */
export function addShow({ ca, io, finish }: CaVerb): void {
  ca.command('show')
    .summary('show a certificate, or the CA')
    .description('Shows the certificates of a PEM or DER file; without a file, the CA.')
    .argument('[file]', 'certificates')
    .option(...DATA_OPTION)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  testudo ca show\n  testudo ca show www.example.test.pem --json')
    .action((file: string | undefined, options: ShowOptions) => finish(show(file, options, io)));
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

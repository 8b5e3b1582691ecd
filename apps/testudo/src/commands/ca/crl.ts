import { join, resolve } from 'node:path';
import { encodePem } from '@testudo/codec';
import { Option } from 'commander';
import { EXIT, type ExitCode } from '../../failure.ts';
import { authorityIn } from '../../identity/authorities.ts';
import { withDatabase } from '../../identity/authority-database.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { writePublicFile } from '../../identity/private-files.ts';
import type { Io } from '../../io.ts';
import { count, day } from '../../output/text.ts';
import { crlReport } from '../../report/crl-report.ts';
import { type CaVerb, DATA_OPTION, httpUrl, wholeNumber, writeJson, writeLines } from './common.ts';

/** Adds `testudo ca crl`. */
export function addCrl({ ca, io, finish }: CaVerb): void {
  ca.command('crl')
    .summary('write the list of revoked certificates')
    .description(
      'Writes a new list (CRL) of the CA that issues: ca.crl or intermediate.crl in its folder, where `testudo ca ocsp` ' +
        'serves it.',
    )
    .option('--delta', 'only what changed since the last complete list')
    .option('--days <days>', 'until the next list is due (default 7, and 1 for a delta)', (text) =>
      wholeNumber(text, 1, 366, 'days'),
    )
    .option('--delta-url <url>', 'the delta CRLs\u2019 address to put into the list', httpUrl)
    .option('--root', 'the root\u2019s list, for its intermediates')
    .option('--out <file>', 'where to write it')
    .addOption(
      new Option(
        '--format <format>',
        'default: pem for a file of that name, else der, as CRLs are published',
      ).choices(['der', 'pem']),
    )
    .option(...DATA_OPTION)
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  testudo ca crl\n  testudo ca crl --days 30 --out list.pem\n  testudo ca crl --delta',
    )
    .action(async (options: CrlOptions) => finish(await crl(options, io)));
}

interface CrlOptions {
  readonly delta?: boolean;
  readonly days?: number;
  readonly deltaUrl?: string;
  readonly root?: boolean;
  readonly out?: string;
  readonly format?: 'der' | 'pem';
  readonly data?: string;
  readonly json?: boolean;
}

async function crl(options: CrlOptions, io: Io): Promise<ExitCode> {
  const folder = dataFolder(io.env, options.data);
  const issuer = authorityIn(folder, options.root === true);
  const { delta, days, deltaUrl } = options;
  const list = await withDatabase(folder, issuer, 'cannot make the list', (managed) =>
    managed.crl({ delta, days, freshestCrlUrls: deltaUrl === undefined ? undefined : [deltaUrl] }),
  );
  const format = options.format ?? (options.out?.endsWith('.pem') ? 'pem' : 'der');
  const name = `${issuer.role}${delta ? '-delta' : ''}.crl`;
  const file = options.out === undefined ? join(folder, name) : resolve(options.out);
  writePublicFile(file, format === 'pem' ? encodePem('X509 CRL', list.der) : list.der);
  const report = crlReport(list);
  if (options.json) {
    writeJson(io, { file, format, crl: report });
    return EXIT.ok;
  }
  writeLines(io, [
    `${delta ? 'Delta' : 'List'} ${report.number} of "${issuer.authority.certificate.subject.shown}", ${count(report.count, 'certificate')}, next due ${day(list.nextUpdate!)}:`,
    `  ${file}  ${format.toUpperCase()}`,
  ]);
  return EXIT.ok;
}

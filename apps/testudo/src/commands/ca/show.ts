import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CertificateError } from '@testudo/x509';
import { EXIT, type ExitCode, Failure } from '../../failure.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { type IdentityItem, readIdentityFile } from '../../identity/identity-file.ts';
import { authorityFiles } from '../../identity/local-authority.ts';
import { password } from '../../identity/password.ts';
import type { Io } from '../../io.ts';
import { styleFor } from '../../output/style.ts';
import { certificateReport } from '../../report/certificate-report.ts';
import { itemLines, itemReport } from '../../report/item-report.ts';
import { type CaVerb, DATA_OPTION, writeJson, writeLines } from './common.ts';

/** Adds `testudo ca show`. */
export function addShow({ ca, io, finish }: CaVerb): void {
  ca.command('show')
    .summary('show a certificate, request, CRL, key or PKCS#12 file, or the CA')
    .description(
      'Shows what is in a file, PEM or DER: certificates, certification requests, CRLs, keys (what kind, never the key), ' +
        'PKCS#12. Without a file, the CA.',
    )
    .argument('[file]', 'what to look into')
    .option(
      '--password-file <file>',
      'the password of an encrypted file is its first line; - is standard input',
    )
    .option(...DATA_OPTION)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  testudo ca show\n  testudo ca show www.example.test.pem --json\n  testudo ca show alice.p12',
    )
    .action(async (file: string | undefined, options: ShowOptions) => finish(await show(file, options, io)));
}

interface ShowOptions {
  readonly passwordFile?: string;
  readonly data?: string;
  readonly json?: boolean;
}

async function show(file: string | undefined, options: ShowOptions, io: Io): Promise<ExitCode> {
  const path = file ?? authorityFiles(dataFolder(io.env, options.data)).certificate;
  if (file === undefined && !existsSync(path)) {
    throw new Failure(`there is no CA in ${resolve(path, '..')}: make one with: testudo ca init`);
  }
  const items = await readIdentityFile(path, () =>
    password(io, options.passwordFile, path, { isNew: false }),
  );
  try {
    write(path, items, options, io);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new Failure(`${path}: ${error.message}`, EXIT.refused, error);
  }
  return EXIT.ok;
}

function write(path: string, items: readonly IdentityItem[], options: ShowOptions, io: Io): void {
  if (options.json) {
    const certificates = items.flatMap((item) =>
      item.kind === 'certificate' ? [certificateReport(item.certificate)] : [],
    );
    writeJson(io, { file: path, certificates, items: items.map(itemReport) });
    return;
  }
  const style = styleFor(io.stdout, io.env);
  writeLines(
    io,
    items.flatMap((item, i) => {
      const { title, lines } = itemLines(item, style);
      const place = items.length > 1 ? `${path}, ${i + 1} of ${items.length}` : path;
      return [
        ...(i > 0 ? [''] : []),
        `${style.strong(place)}: ${title}`,
        ...lines.map((line) => (line === '' ? '' : `  ${line}`)),
      ];
    }),
  );
}

import { existsSync } from 'node:fs';
import { toHex } from '@testudo/codec';
import type { RevocationReason } from '@testudo/x509';
import { Option } from 'commander';
import { EXIT, type ExitCode, Failure } from '../../failure.ts';
import { changeRecord, serialNumberOf } from '../../identity/authorities.ts';
import { loadCertificates } from '../../identity/certificate-files.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import type { Io } from '../../io.ts';
import { type CaVerb, DATA_OPTION, moment, writeJson, writeLines } from './common.ts';

const REASONS = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
] as const satisfies readonly RevocationReason[];

/** Adds `testudo ca revoke`. */
export function addRevoke({ ca, io, finish }: CaVerb): void {
  ca.command('revoke')
    .summary('revoke a certificate')
    .description(
      'Revokes a certificate that this CA issued, by its file or its serial number. `testudo ca ocsp` says so at once; ' +
        '`testudo ca crl` puts it on the next list.',
    )
    .argument('<file|serial>', 'the certificate, or its serial number in hexadecimal')
    .addOption(new Option('--reason <reason>', 'why').choices(REASONS))
    .option('--invalid-since <time>', 'when the key is thought to have been compromised: 2026-12-31', moment)
    .option('--release', 'lift a certificateHold instead')
    .option(...DATA_OPTION)
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  testudo ca revoke www.example.test.pem --reason keyCompromise --invalid-since 2026-11-01\n  testudo ca revoke 5f:3a:91:07',
    )
    .action(async (what: string, options: RevokeOptions) => finish(await revoke(what, options, io)));
}

interface RevokeOptions {
  readonly reason?: (typeof REASONS)[number];
  readonly invalidSince?: Date;
  readonly release?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

async function revoke(what: string, options: RevokeOptions, io: Io): Promise<ExitCode> {
  const { reason, invalidSince, release } = options;
  if (release && (reason !== undefined || invalidSince !== undefined))
    throw new Failure('--release lifts a hold: it takes neither --reason nor --invalid-since', EXIT.usage);
  if (invalidSince !== undefined && invalidSince.getTime() > Date.now())
    throw new Failure('--invalid-since is when the key was lost: give a time in the past', EXIT.usage);
  const wanted = existsSync(what) ? loadCertificates(what)[0]! : serialNumberOf(what);
  const folder = dataFolder(io.env, options.data);
  const failure = `cannot ${release ? 'release' : 'revoke'} ${what}`;
  const done = await changeRecord(folder, wanted, failure, async (managed, serialNumber) => {
    const serial = toHex(serialNumber);
    if (release) {
      await managed.release(serialNumber);
      return { serialNumber: serial, status: 'valid' } as const;
    }
    const revocation = await managed.revoke(serialNumber, { reason, invalidityDate: invalidSince });
    return { serialNumber: serial, status: 'revoked', ...revocation } as const;
  });
  if (options.json) {
    writeJson(io, done);
    return EXIT.ok;
  }
  writeLines(io, [
    done.status === 'valid'
      ? `Released: ${done.serialNumber} is valid again.`
      : `Revoked: ${done.serialNumber}, ${done.reason}.`,
    'To publish it: testudo ca crl',
  ]);
  return EXIT.ok;
}

import type { Command } from 'commander';
import type { ExitCode } from '../failure.ts';
import type { Io } from '../io.ts';
import type { CaVerb } from './ca/common.ts';
import { addCrl } from './ca/crl.ts';
import { addInit } from './ca/init.ts';
import { addIssue } from './ca/issue.ts';
import { addOcsp } from './ca/ocsp.ts';
import { addRevoke } from './ca/revoke.ts';
import { addShow } from './ca/show.ts';
import { addSign } from './ca/sign.ts';
import { addTrust } from './ca/trust.ts';
import { addVerify } from './ca/verify.ts';

/** Adds `testudo ca` and its verbs. */
export function addCa(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const ca = program
    .command('ca')
    .summary('a CA of your own: make it, issue and revoke certificates, show and verify any')
    .description(
      'A CA of your own. Private keys have mode 0600 and are never overwritten. If TESTUDO_CA_PASSPHRASE_FILE names a file, or ' +
        'TESTUDO_CA_PASSPHRASE holds a passphrase, the CA\u2019s key is encrypted with it.',
    )
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  testudo ca init\n  testudo ca issue www.example.test');
  const verb: CaVerb = { ca, io, finish };
  addInit(verb);
  addIssue(verb);
  addSign(verb);
  addRevoke(verb);
  addCrl(verb);
  addOcsp(verb);
  addShow(verb);
  addVerify(verb);
  addTrust(verb);
}

import { statSync } from 'node:fs';
import type { ListenerPlan, Plan } from '../config/plan.ts';
import { type Finding, problem } from './finding.ts';

/** Files with secrets that everybody on the machine can read, or change. Windows knows no such modes. */
export function secretFileFindings(files: Iterable<string>): Finding[] {
  if (process.platform === 'win32') return [];
  return [...new Set(files)].flatMap((file) => {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o007) === 0) return [];
    const what = (mode & 0o002) === 0 ? 'read' : (mode & 0o004) === 0 ? 'change' : 'read and change';
    return problem(`${file}: everyone on this machine can ${what} this secret: chmod 600 ${file}`);
  });
}

/** The files with secrets that a listener names. */
export function secretFilesOf({ certificates, tls }: ListenerPlan): string[] {
  return [
    ...certificates.flatMap((one) =>
      one.kind !== 'files'
        ? []
        : [one.key, ...(one.passphrase?.kind === 'file' ? [one.passphrase.file] : [])],
    ),
    ...(tls.tickets.kind === 'files' ? tls.tickets.files : []),
    ...tls.ech,
  ];
}

/** Those that belong to no listener. */
export function otherSecretFiles({ acme }: Plan): string[] {
  return acme?.externalAccount === undefined ? [] : [acme.externalAccount.macKeyFile];
}

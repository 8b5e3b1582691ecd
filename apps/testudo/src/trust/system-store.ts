import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { writePublicFile } from '../identity/private-files.ts';
import { certificatesIn, holds, run, type Store, type StoreOutcome, type TrustedRoot } from './stores.ts';

/** Where Debian, Ubuntu and Alpine keep roots. */
export interface SystemPlaces {
  /** Certificates that the administrator adds. */
  readonly folder: string;
  /** All roots in one file, which the program below writes. */
  readonly bundle: string;
  readonly program: string;
  readonly args: readonly string[];
}

export const DEBIAN: SystemPlaces = {
  folder: '/usr/local/share/ca-certificates',
  bundle: '/etc/ssl/certs/ca-certificates.crt',
  program: 'update-ca-certificates',
  args: [],
};

type Env = Readonly<Record<string, string | undefined>>;

/** The system's list of roots, by update-ca-certificates. */
export function systemStore(env: Env, places: SystemPlaces = DEBIAN): Store {
  const { folder, program, args, bundle } = places;
  const fileOf = ({ name }: TrustedRoot): string => join(folder, `${name}.crt`);
  const told = (outcome: StoreOutcome['outcome'], detail: string): StoreOutcome[] => [
    { store: 'system', place: folder, outcome, detail },
  ];
  const elsewhere = (): StoreOutcome[] =>
    told('skipped', `there is no ${folder}: this is not Debian, Ubuntu or Alpine`);
  const isInBundle = (root: TrustedRoot): boolean => holds(readText(bundle), root);
  const otherFileWith = (root: TrustedRoot): string | undefined =>
    filesIn(folder).find((file) => file !== fileOf(root) && holds(readText(file), root));
  const stillTrusted = (root: TrustedRoot): string => {
    const other = otherFileWith(root);
    return other === undefined
      ? `the root is still trusted: ${bundle} holds it`
      : `the root is still trusted, because ${other} holds it too: remove that file and run ${program} --fresh`;
  };
  const update = (...more: string[]): ReturnType<typeof run> => run(program, [...args, ...more], env);

  return {
    async install(root) {
      if (!existsSync(folder)) return elsewhere();
      const own = [fileOf(root), otherFileWith(root)].find(isThere);
      // In the list without a file it would be gone with the next update: somebody has stopped in the middle.
      if (own !== undefined && isInBundle(root)) return told('already there', own);
      try {
        writePublicFile(fileOf(root), root.pem);
      } catch (error) {
        return told('skipped', refusal(error));
      }
      const { code, problem } = await update();
      removeRemains(fileOf(root));
      if (code === 0 && isInBundle(root)) return told('installed', `${fileOf(root)}, and ${program} ran`);
      // As it was before.
      rmSync(fileOf(root), { force: true });
      return told(
        code === undefined ? 'skipped' : 'failed',
        problem || `${bundle} does not hold it after ${program}`,
      );
    },
    async uninstall(root) {
      if (!existsSync(folder)) return elsewhere();
      const leaving = `${fileOf(root)}.leaving`;
      if (!existsSync(fileOf(root)) && !existsSync(leaving))
        return isInBundle(root) ? told('failed', stillTrusted(root)) : told('not there', fileOf(root));
      try {
        // Whoever is ended in the middle has left a file that says so.
        if (existsSync(fileOf(root))) renameSync(fileOf(root), leaving);
      } catch (error) {
        return told('failed', refusal(error));
      }
      // Without --fresh it leaves the link to what is gone.
      const { code, problem } = await update('--fresh');
      // With no root left to write, the program leaves the old list as it is.
      if (code === 0 && isInBundle(root) && certificatesIn(readText(bundle)).length === 1)
        writePublicFile(bundle, '');
      if (code === 0 && !isInBundle(root)) {
        removeRemains(fileOf(root));
        return told('removed', `${fileOf(root)}, and ${program} --fresh ran`);
      }
      return told('failed', problem || stillTrusted(root));
    },
  };
}

function isThere(file: string | undefined): file is string {
  return file !== undefined && existsSync(file);
}

/** What runs that were ended in the middle have left beside a file. */
function removeRemains(file: string): void {
  for (const name of readdirSync(dirname(file)))
    if (name.startsWith(`${basename(file)}.`)) rmSync(join(dirname(file), name), { force: true });
}

/** Certificates that the administrator adds may lie in folders, too. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.crt'))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function refusal(error: unknown): string {
  const cause = (error instanceof Failure ? error.cause : error) as NodeJS.ErrnoException;
  if (cause.code === 'EACCES' || cause.code === 'EPERM') return 'only root may change it: run this with sudo';
  return (error as Error).message;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { writePublicFile } from '../identity/private-files.ts';
import { run, type Store, type StoreOutcome, type TrustedRoot } from './stores.ts';

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
  const isInBundle = ({ pem }: TrustedRoot): boolean => readText(bundle).includes(pem.trim());
  const update = (...more: string[]): ReturnType<typeof run> => run(program, [...args, ...more], env);

  return {
    async install(root) {
      if (!existsSync(folder))
        return told('skipped', `there is no ${folder}: this is not Debian, Ubuntu or Alpine`);
      if (existsSync(fileOf(root)) && isInBundle(root)) return told('already there', fileOf(root));
      try {
        writePublicFile(fileOf(root), root.pem);
      } catch (error) {
        return told('skipped', refusal(error));
      }
      const { code, problem } = await update();
      if (code === 0 && isInBundle(root)) return told('installed', `${fileOf(root)}, and ${program} ran`);
      // As it was before.
      rmSync(fileOf(root), { force: true });
      return told(
        code === undefined ? 'skipped' : 'failed',
        problem || `${bundle} does not hold it after ${program}`,
      );
    },
    async uninstall(root) {
      if (!existsSync(fileOf(root))) return told('not there', fileOf(root));
      try {
        rmSync(fileOf(root));
      } catch (error) {
        return told('failed', refusal(error));
      }
      // Without --fresh it leaves the link to what is gone.
      const { code, problem } = await update('--fresh');
      if (code === 0 && !isInBundle(root))
        return told('removed', `${fileOf(root)}, and ${program} --fresh ran`);
      return told('failed', problem || `${bundle} still holds it after ${program} --fresh`);
    },
  };
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

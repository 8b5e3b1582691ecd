import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePrivateFolder } from '../identity/private-files.ts';
import { run, type Store, type StoreOutcome, type TrustedRoot } from './stores.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Folders in HOME whose folders are profiles of Firefox and Thunderbird. */
const PROFILE_FOLDERS = [
  '.mozilla/firefox',
  '.config/mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
  '.thunderbird',
  'snap/thunderbird/common/.thunderbird',
];

/** The NSS databases in HOME: that of Chromium, which is made when it is missing, and those of Firefox and Thunderbird. */
export function nssStore(env: Env, program: string = 'certutil'): Store {
  const home = env['HOME'];
  const told = (place: string, outcome: StoreOutcome['outcome'], detail: string): StoreOutcome => ({
    ...{ store: 'nss', place, outcome, detail },
  });
  const certutil = (database: string, ...args: string[]): ReturnType<typeof run> =>
    run(program, [...args, '-d', `sql:${database}`], env);
  const has = async (database: string, root: TrustedRoot): Promise<boolean> =>
    same((await certutil(database, '-L', '-n', root.nickname, '-a')).out, root.pem);

  /** Being there is not enough: a database that is locked takes certificates, but not that they are trusted. */
  const trusts = async (database: string, root: TrustedRoot): Promise<boolean> => {
    const { out } = await certutil(database, '-L');
    const line = out.split('\n').find((one) => one.startsWith(`${root.nickname} `));
    return line?.trimEnd().endsWith('C,,') === true && has(database, root);
  };

  const installIn = async (database: string, root: TrustedRoot, files: Files): Promise<StoreOutcome> => {
    if (await trusts(database, root)) return told(database, 'already there', `as "${root.nickname}"`);
    const wasThere = await has(database, root);
    // C: trusted to issue for servers; mail and code are nobody's business here.
    const add = ['-A', '-n', root.nickname, '-t', 'C,,', '-a', '-i', files.root, '-f', files.password];
    const { code, problem } = await certutil(database, ...add);
    if (code === 0 && (await trusts(database, root)))
      return told(database, 'installed', `as "${root.nickname}"`);
    if (!wasThere) await certutil(database, '-D', '-n', root.nickname, '-f', files.password);
    return told(database, 'failed', problem || 'certutil did not add it');
  };

  const uninstallFrom = async (database: string, root: TrustedRoot, files: Files): Promise<StoreOutcome> => {
    if (!(await has(database, root))) return told(database, 'not there', `no "${root.nickname}"`);
    const { code, problem } = await certutil(
      ...([database, '-D', '-n', root.nickname, '-f', files.password] as const),
    );
    return code === 0
      ? told(database, 'removed', `"${root.nickname}"`)
      : told(database, 'failed', problem || 'certutil did not remove it');
  };

  /** Undefined when all is there to begin. */
  const hindrance = async (): Promise<StoreOutcome[] | undefined> => {
    if (home === undefined || home === '') return [told('~', 'skipped', 'HOME is not set')];
    const { code, problem } = await run(program, ['--version'], env);
    // Windows has another program of that name.
    if (process.platform === 'win32' || code === undefined)
      return [
        told(home, 'skipped', `${problem || 'not on Windows'}; on Debian: apt-get install libnss3-tools`),
      ];
    return undefined;
  };

  return {
    async install(root) {
      const no = await hindrance();
      if (no !== undefined) return no;
      const chromium = join(home!, '.pki/nssdb');
      if (!existsSync(join(chromium, 'cert9.db'))) {
        makePrivateFolder(chromium);
        const { code, problem } = await certutil(chromium, '-N', '--empty-password');
        if (code !== 0) return [told(chromium, 'failed', problem)];
      }
      return withFiles(root.pem, (files) =>
        inTurn([chromium, ...profiles(home!)], (database) => installIn(database, root, files)),
      );
    },
    async uninstall(root) {
      const no = await hindrance();
      if (no !== undefined) return no;
      const chromium = join(home!, '.pki/nssdb');
      const databases = [...(existsSync(join(chromium, 'cert9.db')) ? [chromium] : []), ...profiles(home!)];
      if (databases.length === 0) return [told(chromium, 'not there', 'there is no database')];
      return withFiles(root.pem, (files) =>
        inTurn(databases, (database) => uninstallFrom(database, root, files)),
      );
    },
  };
}

function profiles(home: string): string[] {
  return PROFILE_FOLDERS.flatMap((folder) => {
    const whole = join(home, folder);
    try {
      return readdirSync(whole)
        .map((name) => join(whole, name))
        .filter((profile) => existsSync(join(profile, 'cert9.db')));
    } catch {
      return [];
    }
  });
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

interface Files {
  readonly root: string;
  /** An empty one: where a database has a password, certutil gives up rather than asking the terminal. */
  readonly password: string;
}

/** What certutil reads: files of our own, so that it is this very certificate. */
async function withFiles<T>(pem: string, work: (files: Files) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'testudo-trust-'));
  try {
    const files: Files = { root: join(folder, 'root.pem'), password: join(folder, 'password') };
    writeFileSync(files.root, pem);
    writeFileSync(files.password, '\n');
    return await work(files);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Line ends differ. */
function same(a: string, b: string): boolean {
  const bare = (text: string): string => text.replace(/\s+/g, '');
  return bare(a) === bare(b);
}

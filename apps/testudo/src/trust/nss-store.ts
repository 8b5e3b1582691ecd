import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePrivateFolder } from '../identity/private-files.ts';
import { holds, run, type Store, type StoreOutcome, type TrustedRoot } from './stores.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Chromium's database, in HOME. */
const CHROMIUM = '.pki/nssdb';

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
  /** Each name in the database with the trust in it: `C,,`. */
  const entries = async (database: string): Promise<Entry[]> =>
    (await certutil(database, '-L')).out.split('\n').flatMap((line) => {
      const [, name, trust] = /^(.*\S)\s+(\w*,\w*,\w*)\s*$/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, trust: trust! }];
    });

  /**
   * Where this very certificate is: under our name, or under that of whoever imported it. `certutil -L -n` shows all
   * certificates of the same subject at once, so that under foreign names there may be several candidates.
   */
  const find = async (database: string, root: TrustedRoot): Promise<Entry[]> => {
    const all = await entries(database);
    const isAt = async ({ name }: Entry): Promise<boolean> =>
      holds((await certutil(database, '-L', '-n', name, '-a')).out, root);
    const own = all.find(({ name }) => name === root.nickname);
    if (own !== undefined && (await isAt(own))) return [own];
    const are = await inTurn(all, isAt);
    return all.filter((_, i) => are[i]);
  };

  /** Being there is not enough: a database that is locked takes certificates, but not that they are trusted. */
  const isTrusted = (found: readonly Entry[]): boolean =>
    found.length > 0 && found.every(({ trust }) => trust.split(',')[0]!.includes('C'));

  /** Adds it, or changes the trust in what is there already under any name: certutil goes by the certificate itself. */
  const add = (
    database: string,
    root: TrustedRoot,
    trust: string,
    files: Files,
  ): ReturnType<typeof certutil> => {
    const what = ['-n', root.nickname, '-t', trust, '-a', '-i', files.root];
    return certutil(database, '-A', ...what, '-f', files.password);
  };

  const remove = (database: string, name: string, files: Files): ReturnType<typeof certutil> =>
    certutil(database, '-D', '-n', name, '-f', files.password);

  const installIn = async (database: string, root: TrustedRoot, files: Files): Promise<StoreOutcome> => {
    const before = await find(database, root);
    if (isTrusted(before)) return told(database, 'already there', `as "${before[0]!.name}"`);
    // C: trusted to issue for servers; mail and code are nobody's business here.
    const { code, problem } = await add(database, root, 'C,,', files);
    const after = await find(database, root);
    if (code === 0 && isTrusted(after)) return told(database, 'installed', `as "${after[0]!.name}"`);
    if (before.length === 0) await remove(database, root.nickname, files);
    return told(database, 'failed', problem || 'certutil did not add it');
  };

  const uninstallFrom = async (database: string, root: TrustedRoot, files: Files): Promise<StoreOutcome> => {
    const before = await find(database, root);
    if (before.length === 0) return told(database, 'not there', `no "${root.nickname}"`);
    let [name] = before.map((entry) => entry.name) as [string];
    if (before.length > 1) {
      // Several of one subject under foreign names: the one whose trust changes now (to: never) is ours.
      const { problem } = await add(database, root, 'p,,', files);
      const now = await entries(database);
      const changed = before.find(({ name: one, trust }) =>
        now.some((entry) => entry.name === one && entry.trust !== trust),
      );
      if (changed === undefined) return told(database, 'failed', problem || severalNames(before));
      name = changed.name;
    }
    const { problem } = await remove(database, name, files);
    return (await find(database, root)).length === 0
      ? told(database, 'removed', `"${name}"`)
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
      const chromium = join(home!, CHROMIUM);
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
      const databases = home ? databasesIn(home) : [];
      if (home && databases.length === 0)
        return [told(join(home, CHROMIUM), 'not there', 'there is no database')];
      const no = await hindrance();
      if (no !== undefined) return no;
      return withFiles(root.pem, (files) =>
        inTurn(databases, (database) => uninstallFrom(database, root, files)),
      );
    },
  };
}

function databasesIn(home: string): string[] {
  const chromium = join(home, CHROMIUM);
  return [...(existsSync(join(chromium, 'cert9.db')) ? [chromium] : []), ...profiles(home)];
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

/** A name in a database, and what is trusted under it. */
interface Entry {
  readonly name: string;
  readonly trust: string;
}

function severalNames(found: readonly Entry[]): string {
  const names = found.map(({ name }) => `"${name}"`).join(', ');
  return `it is one of ${names}: remove it with certutil -D`;
}

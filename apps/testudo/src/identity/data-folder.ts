import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/**
 * Where the local CA and its certificates live: `--data`, else TESTUDO_DATA, else what a
 * configuration says (`configured`), else, when `npm start` runs a checkout,
 * `data` in it (which git ignores), else `$XDG_DATA_HOME/testudo`, which is by default `~/.local/share/testudo`.
 */
export function dataFolder(
  env: Readonly<Record<string, string | undefined>>,
  option: string | undefined,
  configured?: string | undefined,
): string {
  const chosen = option ?? given(env['TESTUDO_DATA']) ?? configured;
  if (chosen !== undefined) return resolve(chosen);
  const manifest = given(env['npm_package_json']);
  if (env['npm_lifecycle_event'] === 'start' && env['npm_package_name'] === CHECKOUT && manifest) {
    return join(dirname(manifest), 'data');
  }
  // Relative paths in XDG_DATA_HOME are to be ignored (XDG Base Directory Specification).
  const base = given(env['XDG_DATA_HOME']);
  return join(
    base?.startsWith('/') ? base : join(given(env['HOME']) ?? homedir(), '.local', 'share'),
    'testudo',
  );
}

const CHECKOUT = 'testudo-workspace';

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

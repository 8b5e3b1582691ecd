import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { requireProgram } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';
import { PROGRAM, withBuild } from './program.ts';

// A disk that gets full in the middle of a command: one clear line, and with room again all is as before.

withBuild('unshare')('a disk that is full', () => {
  const scratch = useScratch('full-disk');

  test.each([
    ['issue', 'issue x.test --data disk/data --out disk/out', 4],
    ['revoke', 'revoke disk/good.test.pem --data disk/data', 2],
    ['crl', 'crl --data disk/data --out disk/list.crl', 2],
  ])('ca %s', { timeout: 120_000 }, (name, command, pages) => {
    mkdirSync(scratch.path(`disk-${name}`), { recursive: true });
    scratch.write(
      `${name}.sh`,
      `set -e
ln -sfn disk-${name} disk
mount -t tmpfs -o size=96k none disk-${name}
run() { "$NODE" "$PROGRAM" ca "$@"; }
run init --data disk/data >/dev/null
run issue good.test --data disk/data --out disk >/dev/null
free=0
while [ $free -lt ${pages} ]; do
  cp -r disk/. kept
  dd if=/dev/zero of=disk/filler bs=4k 2>/dev/null || true
  truncate -s -$((free * 4096)) disk/filler
  code=0
  run ${command} >/dev/null 2>said || code=$?
  echo "$free $code $(wc -l <said) $(head -c 300 said)"
  rm disk/filler
  # With room again.
  [ $code -eq 0 ] || run ${command} >/dev/null
  rm -rf disk/* && cp -r kept/. disk && rm -rf kept
  free=$((free + 1))
done
`,
    );
    const said = execFileSync(
      requireProgram('unshare'),
      ['--mount', '--map-root-user', 'sh', scratch.path(`${name}.sh`)],
      {
        cwd: scratch.path('.'),
        encoding: 'utf8',
        env: { ...process.env, NODE: process.execPath, PROGRAM, NO_COLOR: '1' },
      },
    );
    const lines = said.trim().split('\n');
    expect(lines).toHaveLength(pages);
    for (const line of lines) expect(line).toMatch(/^\d (0 0\b|1 1 testudo: .*no space is left)/);
    // Where there is no room at all, it cannot be done.
    expect(lines[0]).toMatch(/^0 1 /);
  });
});

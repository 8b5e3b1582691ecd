import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram } from '../../support/programs.ts';
import type { Identities } from './identities.ts';

/** How Debian's Chromium is started for a test: without a network of its own, at home in the identities' folder. */
export function launchOptions({ folder }: Identities): {
  executablePath: string;
  env: NodeJS.ProcessEnv & { HOME: string };
  args: string[];
} {
  return {
    executablePath: requireProgram('chromium'),
    env: { ...process.env, HOME: folder },
    args: [...CHROMIUM_FLAGS, '--no-proxy-server'],
  };
}

/** As root, and without a wish of its own. */
export const CHROMIUM_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Chromium on Linux trusts what stands in the NSS database of its user. */
export function trustInChromium({ folder: home, ca }: Identities): void {
  const folder = join(home, '.pki', 'nssdb');
  mkdirSync(folder, { recursive: true });
  const certutil = (...args: string[]): unknown =>
    execFileSync(requireProgram('certutil'), ['-d', `sql:${folder}`, ...args], { stdio: 'pipe' });
  certutil('-N', '--empty-password');
  certutil('-A', '-t', 'C,,', '-n', 'interop', '-i', ca);
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { withPrograms } from '../../../../../conformance/support/programs.ts';
import { nodes, ours } from '../testing/support.ts';

/** Keys of our own that are too short for the security level: refused when they are loaded, as by Node. */

const directory = mkdtempSync(join(tmpdir(), 'testudo-strength-'));
afterAll(() => rmSync(directory, { recursive: true }));

function verdict(tls: typeof ours, options: object): string {
  try {
    tls.createSecureContext({ ca: [], ...options });
    return 'taken';
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
}

withPrograms('openssl')('RSA keys', () => {
  test.each([512, 1023, 1024, 2047, 2048])('of %i bits', (bits) => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    execFileSync('openssl', ['genrsa', '-out', key, String(bits)], { stdio: 'ignore' });
    const request = ['req', '-x509', '-new', '-key', key, '-subj', '/CN=localhost', '-sha256', '-out', cert];
    execFileSync('openssl', request, { stdio: 'ignore' });
    const own = { key: readFileSync(key), cert: readFileSync(cert) };
    for (const options of [
      own,
      ...[0, 1, 2, 3].map((level) => ({ ...own, ciphers: `ALL:@SECLEVEL=${level}` })),
    ])
      expect(verdict(ours, options)).toBe(verdict(nodes, options));
  });
});

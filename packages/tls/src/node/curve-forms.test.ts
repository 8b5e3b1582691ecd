import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  compatibleProfile,
  parseCertificates,
  rfc5280Profile,
  TrustStore,
  verifyCertificate,
  webPkiProfile,
} from '@testudo/x509';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { withPrograms } from '../../../../conformance/support/programs.ts';
import { closeAll, connected, MATRIX, nodes, ours } from './testing/support.ts';

/** Keys whose points are compressed, or whose curves are written out: the Node door takes what Node takes. */

const directory = mkdtempSync(join(tmpdir(), 'testudo-curves-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(closeAll);

interface Own {
  readonly key: string;
  readonly cert: string;
}

function own(...form: readonly string[]): Own {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const quiet: ExecFileSyncOptions = { stdio: ['pipe', 'pipe', 'ignore'] };
  const named = execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'], quiet);
  writeFileSync(key, execFileSync('openssl', ['ec', ...form], { ...quiet, input: named }));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-new', '-key', key, '-days', '100', ...subject, '-out', cert],
    quiet,
  );
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

const FORMS = [
  ['a compressed point', ['-conv_form', 'compressed']],
  ['a curve that is written out', ['-param_enc', 'explicit']],
  ['both', ['-conv_form', 'compressed', '-param_enc', 'explicit']],
] as const;

withPrograms('openssl')('forms that the openssl program writes', () => {
  describe.each(FORMS)('%s', (_form, args) => {
    // In 1.2 OpenSSL shows a compressed point to those only who name it in ec_point_formats, which RFC 8422 §5.1.2 ended.
    const pairs = MATRIX.filter(
      ([, version, server, client]) =>
        version === 'TLSv1.3' || server === client || !(args as readonly string[]).includes('compressed'),
    );
    test.each(pairs)('on both sides: %s, %s', async (_name, version, serverTls, clientTls) => {
      const [server, client] = [own(...args), own(...args)];
      const { accepted, client: socket } = await connected(
        serverTls,
        clientTls,
        { ...server, ca: client.cert, requestCert: true, rejectUnauthorized: true },
        { ...client, ca: server.cert, minVersion: version, maxVersion: version },
      );
      expect(socket.authorized).toBe(true);
      expect(accepted.authorized).toBe(true);
    });

    test('under strict, and by our own profiles, a curve has a name', async () => {
      const server = own(...args);
      const [certificate] = parseCertificates(server.cert);
      const isNamed = !(args as readonly string[]).includes('explicit');
      const context = { ca: server.cert, strict: true };
      const outcome = await connected(nodes, ours, server, context).then(
        () => 'taken',
        () => 'refused',
      );
      expect(outcome).toBe(isNamed ? 'taken' : 'refused');
      for (const profile of [rfc5280Profile, compatibleProfile, webPkiProfile]) {
        const verify = (): unknown =>
          verifyCertificate({
            provider: nodeCrypto,
            chain: [certificate!],
            trust: new TrustStore([certificate!]),
            at: new Date(),
            purpose: 'server',
            profile,
          });
        if (!isNamed)
          expect(verify).toThrow(expect.objectContaining({ code: 'unsupported-algorithm' }) as Error);
      }
    });
  });
});

import { nodeCrypto } from '@testudo/crypto/node';
import {
  type ClientOptions,
  clientConfig,
  type ServerOptions,
  serverConfig,
  type VersionName,
} from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link, listenLinks } from './support/link.ts';
import { sClient, sServer } from './support/openssl.ts';
import type { Program } from './support/program.ts';

// What one side must refuse, and the alert by which the other learns why.

cleanUpAfterTests();

const YEAR = 365 * 86_400_000;
const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const flag = (version: VersionName): string => (version === 'TLSv1.3' ? '-tls1_3' : '-tls1_2');
const only = (version: VersionName) => ({ minVersion: version, maxVersion: version });

let identities: Identities;
let strangers: Identities;
let identity: Identity;
let expired: Identity;
let misnamed: Identity;
beforeAll(() => {
  identities = new Identities();
  strangers = new Identities('Stranger');
  identity = identities.server();
  expired = identities.server('P-256', { at: new Date(Date.now() - YEAR), days: 30 });
  misnamed = identities.server('P-256', { names: ['other.example'] });
});

/** `[what, their certificate, the alert for it]` */
const CERTIFICATES = [
  ['expired', () => expired, 'certificate_expired', 'certificate expired'],
  ['for another name', () => misnamed, 'bad_certificate', 'bad certificate'],
  ['of an unknown CA', () => strangers.server(), 'unknown_ca', 'unknown ca'],
] as const;

withPrograms('openssl')('OpenSSL client, refusals', () => {
  for (const version of VERSIONS) {
    test.each(CERTIFICATES)(`${version}: it refuses a certificate %s`, async (_what, certificate, alert) => {
      const { link, program } = await meet({ credentials: [certificate().credential] }, flag(version));
      expect(await link.over).toMatchObject({ code: 'alert-received', receivedAlert: alert });
      expect(await program.exit()).not.toBe(0);
    });

    test(`${version}: no common suite`, async () => {
      const { link, program } = await meet(
        { cipherSuites: ['TLS_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'] },
        ...[
          flag(version),
          '-ciphersuites',
          'TLS_AES_256_GCM_SHA384',
          '-cipher',
          'ECDHE-ECDSA-AES256-GCM-SHA384',
        ],
      );
      await refused(link, program, 'no-common-cipher-suite', 'handshake failure');
    });

    test(`${version}: no common group`, async () => {
      const { link, program } = await meet({ groups: ['x25519'] }, flag(version), '-groups', 'X448:P-521');
      const code = version === 'TLSv1.3' ? 'no-common-group' : /^no-common-/;
      await refused(link, program, code, 'handshake failure');
    });

    test(`${version}: no common signature scheme`, async () => {
      const { link, program } = await meet({}, flag(version), '-sigalgs', 'RSA-PSS+SHA256');
      await refused(link, program, 'no-common-signature-scheme', 'handshake failure');
    });

    test(`${version}: no common application protocol`, async () => {
      const { link, program } = await meet({ alpnProtocols: ['h2'] }, flag(version), '-alpn', 'x,y');
      await refused(link, program, 'no-common-protocol', 'no application protocol');
    });

    test(`${version}: an unknown name in SNI`, async () => {
      const credentials = (): Identity['credential'][] => [];
      const { link, program } = await meet({ credentials }, flag(version));
      await refused(link, program, 'no-certificate-for-name', 'unrecognized name');
    });

    test(`${version}: no client certificate where one is required`, async () => {
      const { link, program } = await meet(requires(), flag(version));
      if (version === 'TLSv1.3') await refused(link, program, 'certificate-required', 'certificate required');
      else await refused(link, program, 'client-certificate-missing', 'handshake failure');
    });

    test(`${version}: a client certificate of an unknown CA`, async () => {
      const { cert, key } = strangers.client();
      const args = ['-cert', cert, '-key', key, '-cert_chain', cert];
      const { link, program } = await meet(requires(), flag(version), ...args);
      await refused(link, program, 'unknown-ca', 'unknown ca');
    });

    test(`${version}: a server's certificate from a client`, async () => {
      const { cert, key } = identities.server();
      const args = ['-cert', cert, '-key', key, '-cert_chain', cert];
      const { link, program } = await meet(requires(), flag(version), ...args);
      await refused(link, program, 'certificate-unsupported', 'unsupported certificate');
    });
  }

  test.each([
    ['TLSv1.1', ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'], {}],
    ['TLSv1.0', ['-tls1', '-cipher', 'DEFAULT@SECLEVEL=0'], {}],
    ['TLSv1.2 to a server of 1.3', ['-tls1_2'], only('TLSv1.3')],
    ['TLSv1.3 to a server of 1.2', ['-tls1_3'], only('TLSv1.2')],
  ])('no common version: %s', async (_what, args, options) => {
    const { link, program } = await meet(options, ...args);
    await refused(link, program, 'no-common-version', 'protocol version');
  });

  test.each([
    ['CBC', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA'],
    ['RSA key exchange', 'AES128-GCM-SHA256'],
    ['DHE', 'DHE-RSA-AES128-GCM-SHA256'],
    ['no encryption', 'NULL@SECLEVEL=0'],
  ])('TLSv1.2: only suites with %s', async (_what, cipher) => {
    const { link, program } = await meet({}, '-tls1_2', '-cipher', cipher);
    await refused(link, program, 'no-common-cipher-suite', 'handshake failure');
  });

  test('TLSv1.2: a fall back where 1.3 was possible', async () => {
    const { link, program } = await meet({}, '-tls1_2', '-fallback_scsv');
    await refused(link, program, 'inappropriate-fallback', 'inappropriate fallback');
  });

  test('a client that speaks HTTP', async () => {
    const server = await listenLinks(
      serverConfig({ provider: nodeCrypto, credentials: [identity.credential] }),
    );
    const { connect } = await import('node:net');
    const socket = connect(server.port, '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\n\r\n');
    socket.resume();
    expect(await (await server.next()).over).toMatchObject({ code: 'not-tls' });
  });
});

withPrograms('openssl')('OpenSSL server, refusals', () => {
  for (const version of VERSIONS) {
    test.each(CERTIFICATES)(
      `${version}: we refuse a certificate %s`,
      async (_what, certificate, _alert, said) => {
        const { program, port } = await sServer(certificate(), flag(version));
        const code = said.replaceAll(' ', '-');
        expect(await connectLink(port, config()).over).toMatchObject({ code });
        await program.expect(new RegExp(`${said}:.*SSL alert number`));
      },
    );

    test(`${version}: no common suite`, async () => {
      const suites = ['-ciphersuites', 'TLS_AES_256_GCM_SHA384', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
      const { port } = await sServer(identity, flag(version), ...suites);
      const cipherSuites = ['TLS_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
      await toldBy(port, { cipherSuites }, 'handshake_failure');
    });

    test(`${version}: no common group`, async () => {
      const { port } = await sServer(identity, flag(version), '-groups', 'X448:P-521');
      await toldBy(port, { groups: ['x25519'] }, 'handshake_failure');
    });

    test(`${version}: no common signature scheme`, async () => {
      const { port } = await sServer(identity, flag(version));
      await toldBy(port, { signatureSchemes: ['rsa_pss_rsae_sha256'] }, 'handshake_failure');
    });

    test(`${version}: no common application protocol`, async () => {
      const { port } = await sServer(identity, flag(version), '-alpn', 'h2');
      await toldBy(port, { alpnProtocols: ['x'] }, 'no_application_protocol');
    });

    test(`${version}: an unknown name in SNI`, async () => {
      const args = ['-servername', 'other.example', '-servername_fatal', '-cert2', identity.cert];
      const { port } = await sServer(identity, flag(version), ...args, '-key2', identity.key);
      await toldBy(port, {}, 'unrecognized_name');
    });

    test(`${version}: no client certificate where one is required`, async () => {
      const { port } = await sServer(identity, flag(version), '-Verify', '3', '-verify_return_error');
      await toldBy(port, {}, version === 'TLSv1.3' ? 'certificate_required' : 'handshake_failure');
    });

    test(`${version}: a client certificate of an unknown CA`, async () => {
      const args = ['-Verify', '3', '-verify_return_error', '-CAfile', identities.ca];
      const { port } = await sServer(identity, flag(version), ...args);
      await toldBy(port, { credentials: [strangers.client().credential] }, 'unknown_ca');
    });
  }

  test('TLSv1.1: a server that knows nothing newer', async () => {
    const { port } = await sServer(identity, '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0');
    const link = connectLink(port, config());
    const error = await link.over;
    // Either it says so itself, or it answers with a version that we refuse.
    expect([error?.code, error?.receivedAlert]).toContainEqual(
      expect.stringMatching(/^(no-common-version|protocol_version)$/),
    );
  });

  test.each([
    ['TLSv1.2', 'TLSv1.3'],
    ['TLSv1.3', 'TLSv1.2'],
  ] as const)('no common version: a server of %s, a client of %s', async (theirs, ours) => {
    const { port } = await sServer(identity, flag(theirs));
    await toldBy(port, only(ours), 'protocol_version');
  });

  test('TLSv1.2: only suites with CBC', async () => {
    const { port } = await sServer(identity, '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256');
    await toldBy(port, {}, 'handshake_failure');
  });
});

function requires(): Partial<ServerOptions> {
  return { clientCertificate: 'require', verifyCertificate: identities.verifier() };
}

function config(options: Partial<ClientOptions> = {}) {
  return clientConfig({ provider: nodeCrypto, verifyCertificate: identities.verifier(), ...options });
}

async function meet(
  options: Partial<ServerOptions>,
  ...args: string[]
): Promise<{ link: Link; program: Program }> {
  const server = await listenLinks(
    serverConfig({ provider: nodeCrypto, credentials: [identity.credential], ...options }),
  );
  const program = sClient(identities, server.port, ...args);
  return { program, link: await server.next() };
}

/** Our error, and what OpenSSL says of the alert. */
async function refused(link: Link, program: Program, code: string | RegExp, alert: string): Promise<void> {
  const error = await link.over;
  expect(error?.code).toMatch(code instanceof RegExp ? code : new RegExp(`^${code}$`));
  await program.expect(new RegExp(`${alert}:.*SSL alert number`));
  expect(await program.exit()).not.toBe(0);
}

/** The alert by which OpenSSL refuses our client; for a client's certificate, after the handshake in TLS 1.3. */
async function toldBy(port: number, options: Partial<ClientOptions>, alert: string): Promise<void> {
  const error = await connectLink(port, config(options)).over;
  expect(error).toMatchObject({ code: 'alert-received', receivedAlert: alert });
}

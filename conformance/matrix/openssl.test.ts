import { execFileSync } from 'node:child_process';
import { clientConfig, serverConfig } from '@testudo/tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { connectLink, listenLinks } from '../interop/support/link.ts';
import { sClient, sServer } from '../interop/support/openssl.ts';
import { findProgram } from '../support/find-program.ts';
import { withPrograms } from '../support/programs.ts';
import {
  combinations,
  type KeyKind,
  keyKindOf,
  OUR_PSK,
  ourOptions,
  PSK,
  PSK_HEX,
  psksFor,
} from './combinations.ts';
import { MatrixIdentities } from './identities.ts';

// Every suite in every version that this OpenSSL and we both have, both ways.

cleanUpAfterTests();

const EVERYTHING = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';
const SUITES_13 = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['TLS_AES_128_CCM_SHA256', 'TLS_AES_128_CCM_8_SHA256'],
].join(':');
const COMMON = [...['-cipher', EVERYTHING, '-psk', PSK_HEX], ...['-ciphersuites', SUITES_13]];

let identities: MatrixIdentities;
beforeAll(() => {
  identities = new MatrixIdentities();
});

const cases = combinations(suitesOfOpenssl()).map(
  (combination) => [`${combination.version}: ${combination.suite.name}`, combination] as const,
);

withPrograms('openssl')('OpenSSL', () => {
  test('has suites of every kind', () => expect(cases.length).toBeGreaterThan(100));

  describe('as the server', () => {
    const ports = new Map<KeyKind, number>();
    beforeAll(async () => {
      for (const kind of ['rsa', 'ecdsa', 'dsa'] as const) {
        const { port } = await sServer(identities.server(kind), '-rev', '-min_protocol', 'TLSv1', ...COMMON);
        ports.set(kind, port);
      }
    });

    test.each(cases)('%s', async (_, combination) => {
      const { version, suite } = combination;
      const kind = keyKindOf(suite);
      const link = connectLink(
        ports.get(kind)!,
        clientConfig({
          ...ourOptions(combination),
          verifyCertificate: identities.verifier(kind),
          psks: psksFor(combination),
        }),
      );
      expect(await link.secure).toMatchObject({ version, cipherSuite: { id: suite.id } });
      link.send('drawer\n');
      await link.expect('reward\n');
      link.close();
      expect(await link.over).toBeUndefined();
    });
  });

  describe('as the client', () => {
    test.each(cases)('%s', async (_, combination) => {
      const { version, suite } = combination;
      const server = await listenLinks(
        serverConfig({
          ...ourOptions(combination),
          credentials: [identities.server(keyKindOf(suite)).credential],
          findPsk: () => OUR_PSK,
        }),
      );
      const options = [...COMMON, '-psk_identity', PSK.identity, '-min_protocol', 'TLSv1', FLAGS[version]];
      const program = sClient(identities.all, server.port, ...options);
      program.write('drawer\n');
      const link = await server.next();
      expect(await link.secure).toMatchObject({ version, cipherSuite: { id: suite.id } });
      await program.expect(/drawer\n/);
      program.endInput();
      expect(await program.exit()).toBe(0);
      expect(program.output).toContain(`Cipher is ${suite.opensslName}`);
    });
  });
});

const FLAGS = { 'TLSv1.3': '-tls1_3', 'TLSv1.2': '-tls1_2', 'TLSv1.1': '-tls1_1', TLSv1: '-tls1' } as const;

function suitesOfOpenssl(): number[] {
  const openssl = findProgram('openssl');
  if (openssl === undefined) return [];
  const lines = execFileSync(openssl, ['ciphers', '-V', '-ciphersuites', SUITES_13, EVERYTHING], {
    encoding: 'utf8',
  }).split('\n');
  return lines
    .map((line) => /0x(\w\w),0x(\w\w)/.exec(line))
    .filter((match) => match !== null)
    .map(([, high, low]) => Number.parseInt(high! + low!, 16));
}

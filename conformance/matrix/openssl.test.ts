import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { sClient, sServer } from '../interop/support/openssl.ts';
import { findProgram } from '../support/find-program.ts';
import { withPrograms } from '../support/programs.ts';
import { type KeyKind, keyKindOf, PSK, PSK_HEX } from './combinations.ts';
import { expectAgreed, expectEcho, OurSide } from './our-side.ts';

// Every suite in every version that this OpenSSL and we both have, both ways.

const EVERYTHING = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';
const SUITES_13 = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['TLS_AES_128_CCM_SHA256', 'TLS_AES_128_CCM_8_SHA256'],
].join(':');
const COMMON = [...['-cipher', EVERYTHING, '-psk', PSK_HEX], ...['-ciphersuites', SUITES_13]];

const ours = new OurSide(suitesOfOpenssl());

withPrograms('openssl')('OpenSSL', () => {
  test('has suites of every kind', () => expect(ours.cases.length).toBeGreaterThan(100));

  describe('as the server', () => {
    const ports = new Map<KeyKind, number>();
    beforeAll(async () => {
      for (const kind of ['rsa', 'ecdsa', 'dsa'] as const) {
        const { port } = await sServer(
          ours.identities.server(kind),
          '-rev',
          '-min_protocol',
          'TLSv1',
          ...COMMON,
        );
        ports.set(kind, port);
      }
    });

    test.each(ours.cases)('%s', async (_, combination) => {
      const link = ours.connect(ports.get(keyKindOf(combination.suite))!, combination);
      await expectAgreed(link, combination);
      await expectEcho(link, 'reward\n');
    });
  });

  describe('as the client', () => {
    test.each(ours.cases)('%s', async (_, combination) => {
      const { version, suite } = combination;
      const server = await ours.listen(combination);
      const options = [...COMMON, '-psk_identity', PSK.identity, '-min_protocol', 'TLSv1', FLAGS[version]];
      const program = sClient(ours.identities.all, server.port, ...options);
      program.write('drawer\n');
      const link = await server.next();
      await expectAgreed(link, combination);
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

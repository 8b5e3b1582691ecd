import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { CipherSuite } from '@testudo/tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { gnutlsServ } from '../interop/support/gnutls.ts';
import { Program } from '../interop/support/program.ts';
import { findProgram } from '../support/find-program.ts';
import { withPrograms } from '../support/programs.ts';
import { type KeyKind, keyKindOf, PSK, PSK_HEX, psksFor } from './combinations.ts';
import { expectAgreed, expectEcho, OurSide } from './our-side.ts';

// Every suite in every version that this GnuTLS and we both have, both ways.

const listed = listOf();
const ours = new OurSide(listed.suites);

withPrograms('gnutls-serv')('GnuTLS server', () => {
  test('has suites of every kind', () => expect(ours.cases.length).toBeGreaterThan(100));

  describe('as the server', () => {
    const ports = new Map<KeyKind | 'TLSv1.3', number>();
    beforeAll(async () => {
      const keys = ours.identities.all.path('psk.txt');
      writeFileSync(keys, `${PSK.identity}:${PSK_HEX}\n`);
      for (const kind of ['rsa', 'ecdsa', 'dsa', 'TLSv1.3'] as const) {
        const is13 = kind === 'TLSv1.3';
        const { port } = await gnutlsServ(
          ours.identities.server(is13 ? 'ecdsa' : kind),
          ...['--pskpasswd', keys, '--disable-client-cert'],
          ...['--priority', is13 ? PRIORITY_13 : listed.priority],
        );
        ports.set(kind, port);
      }
    });

    test.each(ours.cases)('%s', async (_, combination) => {
      const { version, suite } = combination;
      const port = ports.get(version === 'TLSv1.3' ? version : keyKindOf(suite))!;
      const link = ours.connect(port, combination);
      await expectAgreed(link, combination);
      await expectEcho(link, 'drawer\n');
    });
  });
});

withPrograms('gnutls-cli')('GnuTLS client', () => {
  describe('as the client', () => {
    test.each(ours.cases)('%s', async (_, combination) => {
      const { version, suite } = combination;
      const server = await ours.listen(combination);
      const isPsk = psksFor(combination).length > 0;
      const program = new Program('gnutls-cli', [
        ...[
          '--port',
          String(server.port),
          '--x509cafile',
          ours.identities.all.ca,
          '--sni-hostname',
          'localhost',
        ],
        ...['--verify-hostname', 'localhost'],
        ...['--priority', version === 'TLSv1.3' ? PRIORITY_13 : listed.priority],
        ...(isPsk ? ['--pskusername', PSK.identity, '--pskkey', PSK_HEX] : []),
        '127.0.0.1',
      ]);
      program.write('drawer\n');
      const link = await server.next();
      await expectAgreed(link, combination);
      if (diesAfterwards(suite)) return;
      await program.expect(/drawer\n/);
      program.endInput();
      expect(await program.exit()).toBe(0);
      expect(await link.over).toBeUndefined();
    });
  });
});

/** gnutls-cli 3.7 is killed by SIGSEGV as it describes a finished handshake of these, with any server. */
function diesAfterwards({ keyExchange }: CipherSuite): boolean {
  return keyExchange === 'DHE_PSK' || keyExchange === 'ECDHE_PSK';
}

/** Some of what is old, as RSA-PSK, switches TLS 1.3 off. */
const PRIORITY_13 = 'NORMAL:-VERS-ALL:+VERS-TLS1.3:+AES-128-CCM:+AES-128-CCM-8';

/** The numbers of its suites, and a priority string with everything up to TLS 1.2 but SRP and GOST. */
function listOf(): { suites: number[]; priority: string } {
  const cli = findProgram('gnutls-cli');
  if (cli === undefined) return { suites: [], priority: '' };
  const text = execFileSync(cli, ['--list'], { encoding: 'utf8' });
  const suites = [...text.matchAll(/^TLS_\S+\s+0x(\w\w), 0x(\w\w)\s/gm)].map(([, high, low]) =>
    Number.parseInt(high! + low!, 16),
  );
  const names = (label: string): string[] =>
    new RegExp(`^${label}: (.*)$`, 'm')
      .exec(text)![1]!
      .split(', ')
      .map((name) => `+${name}`);
  const versions = names('Protocols').filter((name) => /^.VERS-TLS1.[012]$/.test(name));
  const signatures = [...new Set(names('PK-signatures'))];
  const parts = [
    names('Ciphers'),
    names('MACs'),
    names('Key exchange algorithms').filter((name) => !/SRP|GOST/.test(name)),
    names('Groups'),
    signatures,
  ];
  return { suites, priority: ['NONE', ...versions, ...parts.flat(), '+COMP-NULL'].join(':') };
}

import { expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { programIdentity } from './support/identity.ts';
import { sameOnBoth } from './support/same-on-both.ts';
import { startMariadb } from './support/servers.ts';
import { startNats, startProsody, startSlapd, startVsftpd } from './support/upgrading-servers.ts';

// Libraries that put TLS over a connection on which something else was said before: they hold the raw socket, too. What
// they do on ours is compared with what they do on Node's own.

const programs = programIdentity();
const both = (name: string, env = {}) => sameOnBoth(name, programs, env);

withPrograms('vsftpd')('basic-ftp and vsftpd', () => {
  test('the data connections resume the session of the control connection', async () => {
    expect(await both('basic-ftp', { PORT: await startVsftpd(programs.identity) })).toEqual({
      list: [300_000],
      download: 300_000,
      secured: true,
    });
  });
});

withPrograms('prosody')('@xmpp/client and Prosody', () => {
  test('STARTTLS and TLS at once', async () => {
    const { port, direct } = await startProsody(programs.identity);
    expect(await both('xmpp', { PORT: port, DIRECT_PORT: direct })).toEqual({
      xmpp: { secure: true, text: 20_000 },
      xmpps: { secure: true, text: 20_000 },
    });
  });
});

withPrograms('mariadbd')('mysql and MariaDB', () => {
  test('verifies by itself what it makes of a TLSSocket', async () => {
    expect(await both('mysql', { PORT: await startMariadb(programs.identity) })).toEqual({
      ssl: 'TLSv1.3',
      big: [1_000_000, 200_000],
      refused: 'HANDSHAKE_SSL_ERROR',
    });
  });
});

test('emailjs and smtp-server', async () => {
  expect(await both('emailjs')).toEqual({
    STARTTLS: [true, '=?UTF-8?Q?STARTTLS?=', true],
    SMTPS: [true, '=?UTF-8?Q?SMTPS?=', true],
  });
});

withPrograms('slapd')('ldapts and OpenLDAP', () => {
  test('StartTLS and TLS at once', async () => {
    const { ldap, ldaps } = await startSlapd(programs.identity);
    expect(await both('ldapts', { PORT: ldap, LDAPS_PORT: ldaps })).toEqual({
      STARTTLS: [1, 50_000],
      LDAPS: [1, 50_000],
      refused: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});

withPrograms('nats-server')('nats and its server', () => {
  test('the server speaks first', async () => {
    expect(await both('nats', { PORT: await startNats(programs.identity) })).toEqual({
      news: 500_000,
      tls: true,
    });
  });
});

test.each(['TLSv1.2', 'TLSv1.3'])('STARTTLS by hand: %s', async (VERSION) => {
  const results = await both('starttls', { VERSION });
  expect(Object.keys(results)).toHaveLength(12);
});

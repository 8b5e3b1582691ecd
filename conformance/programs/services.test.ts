import { expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { programIdentity } from './support/identity.ts';
import { type Mode, runApp } from './support/run.ts';
import { startDovecot, startMariadb, startMosquitto, startPostgres, startRedis } from './support/servers.ts';

// Clients of databases, brokers and mail servers, as they come from the npm registry, with the servers of Debian.

const programs = programIdentity();

async function results(name: string, mode: Mode, env: Record<string, string>): Promise<object> {
  const run = await runApp(name, mode, { ...programs, env });
  expect(run.ours).toBeGreaterThan(0);
  expect(run.nodes).toBe(0);
  return run.results;
}

withPrograms('redis-server')('ioredis and Redis', () => {
  test.each(['register', 'import'] as const)('by %s', async (mode) => {
    const env = { PORT: String(await startRedis(programs.identity)) };
    expect(await results('ioredis', mode, env)).toEqual({
      big: 1_000_000,
      count: '1000',
      news: 'hello',
    });
  });
});

withPrograms('mosquitto')('mqtt and Mosquitto', () => {
  test.each(['register', 'import'] as const)('by %s', async (mode) => {
    const env = { PORT: String(await startMosquitto(programs.identity)) };
    expect(await results('mqtt', mode, env)).toEqual({ news: 100_000 });
  });
});

withPrograms('pg_createcluster')('pg and PostgreSQL', () => {
  test('by register', async () => {
    const env = { PORT: String(await startPostgres(programs.identity)) };
    expect(await results('pg', 'register', env)).toEqual({
      ssl: 'TLSv1.3',
      big: [2_000_000, 500_000],
      pool: 190,
    });
  });
});

withPrograms('mariadbd')('mysql2 and MariaDB', () => {
  test('by register', async () => {
    const env = { PORT: String(await startMariadb(programs.identity)) };
    expect(await results('mysql2', 'register', env)).toEqual({ ssl: 'TLSv1.3', big: [1_000_000, 200_000] });
  });
});

withPrograms('dovecot')('imapflow and Dovecot', () => {
  test('by register', async () => {
    const { imap, imaps } = await startDovecot(programs.identity);
    const env = { IMAP_PORT: String(imap), IMAPS_PORT: String(imaps) };
    expect(await results('imapflow', 'register', env)).toEqual({
      IMAPS: ['IMAPS', true],
      STARTTLS: ['STARTTLS', true],
    });
  });
});

import pg from 'pg';
import { report } from '../support/program.mjs';

const client = new pg.Client({
  host: 'localhost',
  port: Number(process.env.PORT),
  user: 'postgres',
  database: 'postgres',
  ssl: true,
});
await client.connect();
const { rows } = await client.query('select version, cipher from pg_stat_ssl where pid = pg_backend_pid()');
report('ssl', rows[0].version);
const big = await client.query("select repeat('x', 2000000) as text, $1::text as given", [
  'y'.repeat(500_000),
]);
report('big', [big.rows[0].text.length, big.rows[0].given.length]);
await client.end();

const pool = new pg.Pool({
  host: 'localhost',
  port: Number(process.env.PORT),
  user: 'postgres',
  ssl: true,
  max: 4,
});
const answers = await Promise.all(
  Array.from({ length: 20 }, (_, i) => pool.query('select $1::int as n', [i])),
);
report(
  'pool',
  answers.reduce((sum, { rows: [row] }) => sum + row.n, 0),
);
await pool.end();

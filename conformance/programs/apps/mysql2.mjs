import mysql from 'mysql2/promise';
import { report } from '../support/program.mjs';

const connection = await mysql.createConnection({
  host: 'localhost',
  port: Number(process.env.PORT),
  user: 'tls',
  password: 'secret',
  ssl: {},
});
const [[version]] = await connection.query("show session status like 'Ssl_version'");
report('ssl', version.Value);
const [[big]] = await connection.query("select repeat('x', 1000000) as text, length(?) as given", [
  'y'.repeat(200_000),
]);
report('big', [big.text.length, Number(big.given)]);
await connection.end();

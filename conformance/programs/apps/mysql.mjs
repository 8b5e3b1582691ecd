import { promisify } from 'node:util';
import mysql from 'mysql';
import { report } from '../support/program.mjs';

const connection = mysql.createConnection({
  host: 'localhost',
  port: Number(process.env.PORT),
  user: 'tls',
  password: 'secret',
  ssl: {},
});
const query = promisify(connection.query.bind(connection));
const [version] = await query("show session status like 'Ssl_version'");
report('ssl', version.Value);
const [big] = await query("select repeat('x', 1000000) as text, length(?) as given", ['y'.repeat(200_000)]);
report('big', [big.text.length, Number(big.given)]);
await promisify(connection.end.bind(connection))();

// A certificate of an authority that it does not know.
const other = mysql.createConnection({
  host: 'localhost',
  port: Number(process.env.PORT),
  user: 'tls',
  ssl: { ca: [] },
});
const refused = await new Promise((resolve) => other.connect(resolve));
report('refused', refused === null ? 'no' : refused.code);
other.destroy();

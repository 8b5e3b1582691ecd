import { Client } from 'ldapts';
import { report } from '../support/program.mjs';

const suffix = 'dc=example,dc=org';
for (const [name, url] of [
  ['STARTTLS', `ldap://localhost:${process.env.PORT}`],
  ['LDAPS', `ldaps://localhost:${process.env.LDAPS_PORT}`],
]) {
  const client = new Client({ url, timeout: 10_000 });
  if (name === 'STARTTLS') await client.startTLS({});
  await client.bind(`cn=admin,${suffix}`, 'secret');
  if (name === 'STARTTLS' && process.env.ROUND === 'node') {
    await client.add(suffix, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' });
  }
  const o = `${name} ${process.env.ROUND}`;
  await client.add(`o=${o},${suffix}`, {
    objectClass: 'organization',
    o,
    description: 'x'.repeat(50_000),
  });
  const { searchEntries } = await client.search(suffix, { scope: 'sub', filter: `(o=${o})` });
  report(name, [searchEntries.length, searchEntries[0].description.length]);
  await client.unbind();
}
const refused = new Client({
  url: `ldaps://127.0.0.1:${process.env.LDAPS_PORT}`,
  tlsOptions: { servername: 'other.example' },
});
report(
  'refused',
  await refused.bind('', '').then(
    () => 'no',
    (error) => error.code,
  ),
);

// Packs what the tests name out of NIST's PKITS_data.zip, unpacked: a folder with `certs` and `crls`. Writes one JSON object of
// base64 by file name, compressed.
//   node conformance/x509/pkits/pack.mjs folder

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('pack.mjs takes the folder that holds certs and crls');

const rows = readFileSync(new URL('tests.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\d/.test(line))
  .map((line) => line.split('|').map((field) => field.trim()));

const packed = {
  certificates: files('certs', 'crt', ['TrustAnchorRootCertificate', ...namesIn(2)]),
  lists: files('crls', 'crl', ['TrustAnchorRootCRL', ...namesIn(3)]),
};
const target = new URL('../../vectors/pkits/pkits.json.gz', import.meta.url);
writeFileSync(target, gzipSync(JSON.stringify(packed), { level: 9 }));

function namesIn(column) {
  return rows.flatMap((fields) => fields[column].split(' ').filter(Boolean));
}

function files(kind, ending, names) {
  const sorted = [...new Set(names)].sort();
  return Object.fromEntries(
    sorted.map((name) => [name, readFileSync(join(folder, kind, `${name}.${ending}`)).toString('base64')]),
  );
}

// @ts-check
// A CA of your own, with a root that can stay offline, an intermediate that issues, and names beyond which neither can go.
//
//     node examples/custom-ca.mjs [folder]

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto as provider } from '@testudo/crypto/node';
import {
  CertificateError,
  certificateToPem,
  createCertificateAuthority,
  peerNameOf,
  privateKeyToPem,
  TrustStore,
  verifyCertificate,
} from '@testudo/x509';

const [folder = 'example-ca'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const root = createCertificateAuthority({
  provider,
  commonName: 'Example Root',
  days: 3650,
  nameConstraints: { permitted: ['corp.example'] },
});
const issuing = root.issueAuthority({ commonName: 'Example Issuing CA', days: 365 });

for (const name of ['www.corp.example', 'www.elsewhere.example']) {
  const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
  const issued = issuing.issue({ purpose: 'server', names: [name], days: 90, publicKey: key.publicKey });
  writeFileSync(join(folder, `${name}.pem`), certificateToPem(...issued.certificateChain));
  writeFileSync(join(folder, `${name}.key`), privateKeyToPem(key), { mode: 0o600 });
  try {
    verifyCertificate({
      provider,
      chain: issued.certificateChain,
      trust: new TrustStore([root.certificate]),
      at: new Date(),
      purpose: 'server',
      name: peerNameOf(name),
    });
    console.log(`${name}: good`);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    console.log(`${name}: ${error.code}`);
  }
}

writeFileSync(join(folder, 'root.pem'), certificateToPem(root.certificate));
writeFileSync(join(folder, 'root.key'), privateKeyToPem(root.privateKey), { mode: 0o600 });
console.log(
  `openssl verify -CAfile ${folder}/root.pem -untrusted ${folder}/www.corp.example.pem ${folder}/www.corp.example.pem`,
);

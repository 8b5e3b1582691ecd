import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';

/** The name that every client asks for and checks. */
export const SERVER_NAME = 'bench.test';

/** One certificate for all: ECDSA P-256, issued straight by a root of the same kind. PEM. */
export function makeMaterial() {
  const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Bench Root' });
  const issued = authority.issue({ purpose: 'server', names: [SERVER_NAME] });
  return {
    ca: certificateToPem(authority.certificate),
    cert: certificateToPem(issued.certificate),
    key: privateKeyToPem(issued.privateKey),
  };
}

import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';
import { SERVER_NAME } from './settings.mjs';

/** One certificate for all servers and one for all clients: ECDSA P-256, issued straight by a root of the same kind. PEM. */
export function makeMaterial() {
  const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Bench Root' });
  const identity = (purpose, name) => {
    const { certificate, privateKey } = authority.issue({ purpose, names: [name] });
    return { cert: certificateToPem(certificate), key: privateKeyToPem(privateKey) };
  };
  return {
    ca: certificateToPem(authority.certificate),
    server: identity('server', SERVER_NAME),
    client: identity('client', 'client.test'),
  };
}

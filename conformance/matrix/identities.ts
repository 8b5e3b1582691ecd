import { writeFileSync } from 'node:fs';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { type CertificateVerifier, credential } from '@testudo/tls';
import { certificateToPem, privateKeyToPem } from '@testudo/x509';
import { Identities, type Identity } from '../interop/support/identities.ts';
import type { KeyKind } from './combinations.ts';

const KEYS: Readonly<Record<KeyKind, KeySpec>> = {
  rsa: { type: 'rsa', bits: 2048 },
  ecdsa: { type: 'ec', curve: 'secp256r1' },
  dsa: { type: 'dsa', bits: 2048 },
};

/** One server's certificate of each kind right under a root, which is an RSA one: GnuTLS takes no chain of mixed kinds with DSA. */
export class MatrixIdentities {
  readonly all: Identities = new Identities('Matrix');
  readonly #servers = new Map<KeyKind, Identity>();

  server(kind: KeyKind): Identity {
    let identity = this.#servers.get(kind);
    if (identity === undefined) {
      identity = this.#issue(kind);
      this.#servers.set(kind, identity);
    }
    return identity;
  }

  /** Path validation takes no DSA keys at all. */
  verifier(kind: KeyKind): CertificateVerifier {
    return kind === 'dsa' ? () => ({ accepted: true }) : this.all.verifier();
  }

  #issue(kind: KeyKind): Identity {
    const { certificate, privateKey } = this.all.root.issue({
      purpose: 'server',
      names: ['localhost', '127.0.0.1'],
      key: KEYS[kind],
    });
    const [cert, key] = [this.all.path(`${kind}.pem`), this.all.path(`${kind}.key`)];
    writeFileSync(cert, certificateToPem(certificate));
    writeFileSync(key, privateKeyToPem(privateKey!), { mode: 0o600 });
    return {
      credential: credential(nodeCrypto, [certificate.der], privateKey!),
      cert,
      key,
      leaf: certificate,
    };
  }
}

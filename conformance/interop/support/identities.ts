import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CryptoProvider, PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { type CertificateVerifier, type Credential, credential, verifyWith } from '@testudo/tls';
import {
  type Certificate,
  type CertificateAuthority,
  certificateToPem,
  createCertificateAuthority,
  privateKeyToPem,
  TrustStore,
} from '@testudo/x509';
import { cleanUp } from './clean-up.ts';

export const KEY_TYPES = ['P-256', 'P-384', 'P-521', 'RSA', 'RSA-PSS', 'Ed25519', 'Ed448'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** A certificate with its key: for us, and as files for programs. */
export interface Identity {
  readonly credential: Credential;
  /** Path of a PEM file: the leaf, then the intermediate. */
  readonly cert: string;
  readonly key: string;
  readonly leaf: Certificate;
}

/** A root, an intermediate, and what they have issued; files lie in a folder that is removed afterwards. */
export class Identities {
  readonly folder: string;
  readonly root: CertificateAuthority;
  /** Path of the root's PEM file. */
  readonly ca: string;
  readonly #intermediate: CertificateAuthority;
  #count = 0;

  /** @param owner in the CAs' names: two CAs of one name are told apart by their signatures only. */
  constructor(owner = 'Interop') {
    this.folder = mkdtempSync(join(tmpdir(), 'interop-'));
    cleanUp(() => rmSync(this.folder, { recursive: true }));
    this.root = createCertificateAuthority({ provider: nodeCrypto, commonName: `${owner} root` });
    this.#intermediate = this.root.issueAuthority({ commonName: `${owner} intermediate` });
    this.ca = this.path('ca.pem');
    writeFileSync(this.ca, certificateToPem(this.root.certificate));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Trusts our root, and wants the name. */
  verifier(provider: CryptoProvider = nodeCrypto): CertificateVerifier {
    return verifyWith(provider, () => new TrustStore([this.root.certificate]));
  }

  /** For `localhost` and 127.0.0.1, unless said otherwise. */
  server(
    type: KeyType = 'P-256',
    options: { names?: readonly string[]; at?: Date; days?: number } = {},
  ): Identity {
    return this.#issue(type, 'server', { names: ['localhost', '127.0.0.1'], ...options });
  }

  client(type: KeyType = 'P-256', commonName: string = 'somebody'): Identity {
    return this.#issue(type, 'client', { commonName });
  }

  #issue(
    type: KeyType,
    purpose: 'server' | 'client',
    options: { names?: readonly string[]; commonName?: string; at?: Date; days?: number },
  ): Identity {
    const key = makeKey(type);
    const issued = this.#intermediate.issue({ purpose, publicKey: key.publicKey, ...options });
    const name = `${purpose}-${++this.#count}`;
    const [cert, keyFile] = [this.path(`${name}.pem`), this.path(`${name}.key`)];
    writeFileSync(cert, certificateToPem(...issued.certificateChain));
    writeFileSync(keyFile, privateKeyToPem(key), { mode: 0o600 });
    const chain = issued.certificateChain.map(({ der }) => der);
    return { credential: credential(nodeCrypto, chain, key), cert, key: keyFile, leaf: issued.certificate };
  }
}

function makeKey(type: KeyType): PrivateKey {
  switch (type) {
    case 'P-256':
      return nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' });
    case 'P-384':
      return nodeCrypto.generateKey({ type: 'ec', curve: 'secp384r1' });
    case 'P-521':
      return nodeCrypto.generateKey({ type: 'ec', curve: 'secp521r1' });
    case 'RSA':
      return nodeCrypto.generateKey({ type: 'rsa', bits: 2048 });
    case 'RSA-PSS': {
      const { privateKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
      return nodeCrypto.importPrivateKey(privateKey.export({ format: 'der', type: 'pkcs8' }));
    }
    case 'Ed25519':
      return nodeCrypto.generateKey({ type: 'ed25519' });
    case 'Ed448':
      return nodeCrypto.generateKey({ type: 'ed448' });
  }
}

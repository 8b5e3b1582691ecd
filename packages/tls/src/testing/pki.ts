import type { CryptoProvider, KeySpec, PrivateKey } from '@testudo/crypto';
import { type CertificateAuthority, createCertificateAuthority, TrustStore } from '@testudo/x509';
import { verifyWith } from '../certificates/certificate-verifier.ts';
import { type Credential, credential } from '../certificates/credential.ts';
import type { CertificateVerifier } from '../certificates/verdict.ts';

export const SERVER_NAME = 'server.example';

/** Keys a certificate can hold, by the names the tests use. */
export const KEYS = {
  p256: { type: 'ec', curve: 'secp256r1' },
  p384: { type: 'ec', curve: 'secp384r1' },
  p521: { type: 'ec', curve: 'secp521r1' },
  ed25519: { type: 'ed25519' },
  ed448: { type: 'ed448' },
  rsa: { type: 'rsa', bits: 2048 },
} as const satisfies Record<string, KeySpec>;

/** Keys that need schemes which are no default. */
export const UNUSUAL_KEYS = {
  brainpool: { type: 'ec', curve: 'brainpoolP256r1' },
  mldsa44: { type: 'ml-dsa-44' },
  mldsa65: { type: 'ml-dsa-65' },
  mldsa87: { type: 'ml-dsa-87' },
  dsa: { type: 'dsa', bits: 2048 },
} as const satisfies Record<string, KeySpec>;

export type KeyName = keyof typeof KEYS | keyof typeof UNUSUAL_KEYS;

interface Identity {
  readonly chain: readonly Uint8Array[];
  readonly key: PrivateKey;
}

/** A CA, another CA that nobody trusts, and what they issued: each made once, when it is first asked for. */
export class TestPki {
  readonly authority: CertificateAuthority;
  readonly #stranger: CertificateAuthority;
  readonly #provider: CryptoProvider;
  readonly #issued = new Map<string, Identity>();

  /** @param provider one that can make RSA keys. */
  constructor(provider: CryptoProvider) {
    this.#provider = provider;
    this.authority = createCertificateAuthority({ provider, commonName: 'Test CA' });
    this.#stranger = createCertificateAuthority({ provider, commonName: 'Stranger CA' });
  }

  server(
    key: KeyName = 'p256',
    options: { provider?: CryptoProvider; name?: string; trusted?: boolean } = {},
  ): Credential {
    return this.#credential('server', key, { name: SERVER_NAME, ...options });
  }

  client(key: KeyName = 'p256', options: { provider?: CryptoProvider; trusted?: boolean } = {}): Credential {
    return this.#credential('client', key, { name: 'client.example', ...options });
  }

  verifier(provider: CryptoProvider = this.#provider): CertificateVerifier {
    const trust = new TrustStore([this.authority.certificate]);
    return verifyWith(provider, () => trust);
  }

  #credential(
    purpose: 'server' | 'client',
    key: KeyName,
    options: { name: string; provider?: CryptoProvider; trusted?: boolean },
  ): Credential {
    const { chain, key: privateKey } = this.#identity(purpose, key, options.name, options.trusted ?? true);
    const provider = options.provider ?? this.#provider;
    const imported = provider.importPrivateKey(privateKey.exportPkcs8());
    return credential(provider, chain, imported);
  }

  #identity(purpose: 'server' | 'client', key: KeyName, name: string, trusted: boolean): Identity {
    const id = `${purpose} ${key} ${name} ${trusted}`;
    const known = this.#issued.get(id);
    if (known !== undefined) return known;
    const authority = trusted ? this.authority : this.#stranger;
    const issued = authority.issue({ purpose, names: [name], key: { ...KEYS, ...UNUSUAL_KEYS }[key] });
    const identity = {
      chain: issued.certificateChain.map((certificate) => certificate.der),
      key: issued.privateKey!,
    };
    this.#issued.set(id, identity);
    return identity;
  }
}

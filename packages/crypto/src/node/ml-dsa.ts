import { type ED25519KeyPairOptions, generateKeyPairSync } from 'node:crypto';
import { MlDsa } from '../noble-ml-dsa.ts';
import type { MlDsaName } from '../provider.ts';
import { nobleMlDsa } from './noble.ts';

type DerEncoding = ED25519KeyPairOptions<'der', 'der'>;

/** Whether Node and its OpenSSL have ML-DSA (24.6, with OpenSSL 3.5), which is ten times as fast as noble's. */
export function hasMlDsa(): boolean {
  known ??= isThere();
  return known;
}

export const mlDsa: MlDsa = new MlDsa(nobleMlDsa);

export function generateNativeMlDsa(name: MlDsaName, encoding: DerEncoding): { readonly privateKey: Buffer } {
  return generate(name, encoding);
}

let known: boolean | undefined;

function isThere(): boolean {
  try {
    generate('ml-dsa-44', {
      publicKeyEncoding: { format: 'der', type: 'spki' },
      privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    });
    return true;
  } catch {
    return false;
  }
}

/** What the types of Node 20 do not know. */
const generate = generateKeyPairSync as unknown as (
  type: MlDsaName,
  encoding: DerEncoding,
) => { readonly privateKey: Buffer };

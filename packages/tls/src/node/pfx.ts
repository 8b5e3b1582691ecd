import { bytesEqual } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Certificate, CertificateError, parsePkcs12 } from '@testudo/x509';
import type { SecureContextOptions } from './context-options.ts';
import { nodeError } from './errors.ts';
import type { OwnIdentity, Places } from './load.ts';
import { bytesOf } from './openssl-pem.ts';
import { asNode } from './words-of-node.ts';

type Bytes = string | NodeJS.ArrayBufferView;
type Pair = { readonly buf?: unknown; readonly passphrase?: Bytes | null };

/**
 * Puts what is in the option `pfx` to the other keys, and gives the certificates beside it, which are then trusted as if they
 * stood in `ca`. Throws what Node throws: `mac verify failure` for a wrong passphrase.
 */
export function loadPfx(options: SecureContextOptions, places: Places): readonly Certificate[] {
  const { pfx } = options as { pfx?: unknown };
  if (pfx === undefined || pfx === null) return [];
  const passphrase = options.passphrase as Bytes | undefined;
  const authorities: Certificate[] = [];
  const list: readonly unknown[] = Array.isArray(pfx) ? pfx.filter(() => true) : [{ buf: pfx, passphrase }];
  for (const one of list) {
    const pair = one as Pair;
    const bytes = Array.isArray(pfx) ? pair.buf || one : pfx;
    const secret = pair.passphrase || passphrase;
    const { leaf, others, privateKey } = asNode({ pfx: [bytes], passphrase: secret }, () =>
      read(bytes, secret ?? ''),
    );
    places.set({ leaf, others: others.map(({ der }) => der), privateKey });
    authorities.push(...others);
  }
  return authorities;
}

function read(
  bytes: unknown,
  passphrase: Bytes,
): Omit<OwnIdentity, 'others'> & { readonly others: readonly Certificate[] } {
  if (typeof bytes !== 'string' && !ArrayBuffer.isView(bytes)) {
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', 'Unable to load PFX certificate');
  }
  const password = bytesOf(passphrase).toString();
  // Node takes files without a code over their content, too.
  const { keys, certificates } = parsePkcs12(bytesOf(bytes), {
    provider: nodeCrypto,
    password,
    requiresMac: false,
  });
  const privateKey = keys[0]?.privateKey;
  const all = certificates.map(({ certificate }) => certificate);
  const leaf = privateKey && all.find(({ spki }) => bytesEqual(spki, privateKey.publicKey.spki));
  if (privateKey === undefined || leaf === undefined) {
    throw new CertificateError('malformed', 'the PKCS#12 file holds no key with its certificate');
  }
  return { leaf, others: all.filter((one) => one !== leaf), privateKey };
}

import { systemCrypto } from '@testudo/crypto/openssl';
import { type Certificate, CertificateError, parsePkcs12 } from '@testudo/x509';
import { nodeOriginals } from '../as-node/replaceable-members.ts';
import type { SecureContextOptions } from '../context/context-options.ts';
import { hasKey, type OwnIdentity, type Places } from './load-identities.ts';
import { bytesOf } from './openssl-pem.ts';

type Bytes = string | NodeJS.ArrayBufferView;
type Pair = { readonly buf?: unknown; readonly passphrase?: Bytes | null };

/**
 * Puts what is in the option `pfx` to the other keys, and gives the certificates beside it, which are then trusted as if they
 * stood in `ca`. Throws what the Node that runs throws, `mac verify failure` for a wrong passphrase: which codes and
 * ciphers are taken is for its OpenSSL to say.
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
    judge(Array.isArray(pfx) ? [one] : pfx, passphrase);
    const { leaf, others, privateKey } = read(bytes as Bytes, secret || '');
    places.set({ leaf, others: others.map(({ der }) => der), privateKey });
    authorities.push(...others);
  }
  return authorities;
}

/** Throws what Node throws. Whether what is inside is strong enough is judged later, with the program's own level. */
function judge(pfx: unknown, passphrase: unknown): void {
  nodeOriginals.createSecureContext({ pfx, passphrase, ca: [], ciphers: 'DEFAULT:@SECLEVEL=0' });
}

function read(
  bytes: Bytes,
  passphrase: Bytes,
): Omit<OwnIdentity, 'others'> & { readonly others: readonly Certificate[] } {
  const password = bytesOf(passphrase);
  // To OpenSSL it is a string of C. Whether a code over the content is needed was judged above.
  const end = password.indexOf(0);
  const { keys, certificates } = parsePkcs12(bytesOf(bytes), {
    provider: systemCrypto(),
    password: end < 0 ? password : password.subarray(0, end),
    requiresMac: false,
    allowsTrailingBytes: true,
    maxKeys: 1,
  });
  const privateKey = keys[0]?.privateKey;
  const all = certificates.map(({ certificate }) => certificate);
  const leaf = privateKey && all.find((one) => hasKey(one, privateKey));
  if (privateKey === undefined || leaf === undefined) {
    throw new CertificateError('malformed', 'the PKCS#12 file holds no key with its certificate');
  }
  return { leaf, others: all.filter((one) => one !== leaf), privateKey };
}

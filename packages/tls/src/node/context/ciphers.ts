import { constants } from 'node:crypto';
import { systemCrypto } from '@testudo/crypto/openssl';
import { groupByName } from '../../groups/index.ts';
import { SIGNATURE_SCHEMES, type SignatureScheme } from '../../signature-schemes.ts';
import { CIPHER_SUITES, type CipherSuite } from '../../suites/index.ts';
import { live, nodeOriginals } from '../as-node/replaceable-members.ts';
import { nodeError } from '../errors/errors.ts';

/** The suites that are used when nothing is asked for, as Node has them; its flag `--tls-cipher-list` counts. */
export const DEFAULT_CIPHERS: string = nodeOriginals.DEFAULT_CIPHERS;

/** The list that counts where the option is not given: programs may replace it (`tls.DEFAULT_CIPHERS = …`). */
export function currentCiphers(): string {
  return live.tls?.DEFAULT_CIPHERS ?? DEFAULT_CIPHERS;
}

/** Whether a list is what is used when nobody chooses: then a server leaves out what {@link isForServers} refuses. */
export function isDefaultList(list: string): boolean {
  return list === constants.defaultCoreCipherList || /^DEFAULT(:?@SECLEVEL=[1-5])?$/.test(list);
}

/**
 * Whether a server has this suite where nobody asked for it. RSA key transport and CBC need code whose flow does not depend on
 * secrets, which JavaScript can hope for and not promise: so they come by name only.
 */
export function isForServers({ keyExchange, cipher }: CipherSuite): boolean {
  return cipher.kind === 'aead' && !keyExchange.startsWith('RSA');
}

/** The groups that are used when nothing is asked for: see `config/defaults.ts`. */
export const DEFAULT_ECDH_CURVE = 'auto';

/** The names of all suites that can be asked for, lower case, as `node:tls` gives them. */
export function getCiphers(): string[] {
  return CIPHER_SUITES.filter((suite) => !suite.isLegacy)
    .map((suite) => suite.opensslName.toLowerCase())
    .sort();
}

/**
 * `auto`, or names between colons. As OpenSSL 3.5, it takes `/` between them, too, `*` before one, which is of no effect, and
 * `?` (passed over when it is not known). Throws as Node does for another name that is not known.
 */
export function parseCurves(list: string): string[] | undefined {
  if (list === 'auto') return undefined;
  const names = list.split(/[:/]/).flatMap((text) => {
    const [, marks = '', name = ''] = /^([*?]*)(.*)$/.exec(text) ?? [];
    const group = groupByName(name);
    if (group?.available(systemCrypto())) return [group.name];
    if (marks.includes('?') && name !== '') return [];
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', `Failed to set ECDH curve: ${name} is not available`);
  });
  if (names.length > 0) return names;
  throw nodeError('ERR_CRYPTO_OPERATION_FAILED', 'Failed to set ECDH curve: none of them is available');
}

/** `rsa_pss_rsae_sha256`, or the older `RSA+SHA256`, between colons. Throws for a name that is not known. */
export function parseSignatureAlgorithms(list: string, legacy: boolean = false): string[] {
  return list.split(':').flatMap((name) => {
    const wanted = name.toLowerCase();
    const found = SIGNATURE_SCHEMES.filter(
      (scheme) => (legacy || !scheme.isLegacy) && names(scheme).includes(wanted),
    );
    // As OpenSSL: the older notation stands for one scheme, the first that has this key and hash.
    if (found.length > 0) return found.slice(0, 1).map((scheme) => scheme.name);
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', `Failed to set sigalgs: ${name} is not known`);
  });
}

function names(scheme: SignatureScheme): string[] {
  const { algorithm } = scheme;
  // The older notation is older than Brainpool's schemes, and than those that clients may have in TLS 1.3 only.
  const isNewer = scheme.name.includes('brainpool') || scheme.name.endsWith('_legacy');
  if (!('hash' in algorithm) || isNewer) return [scheme.name.toLowerCase()];
  const key = { dsa: 'dsa', ecdsa: 'ecdsa', 'rsa-pkcs1': 'rsa', 'rsa-pss': 'rsa-pss' }[algorithm.name];
  return [scheme.name.toLowerCase(), `${key}+${algorithm.hash}`];
}

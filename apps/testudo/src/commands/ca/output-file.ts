import { statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { fileNameOf } from '../../identity/local-authority.ts';

/** `--out` of whatever writes a certificate. */
export const OUT_OPTION: readonly [string, string] = [
  '--out <place>',
  'a folder, or with .pem, .crt or .cer at its end the certificate\u2019s file (default: here, by its name)',
];

/**
 * The file for a certificate: `out` where that names one, else NAME.pem in the folder `out`, which need not exist yet.
 * @param name what the certificate is called.
 */
export function certificateFile(out: string | undefined, name: string): string {
  const place = resolve(out ?? '.');
  const isFolder = out?.endsWith('/') || statSync(place, { throwIfNoEntry: false })?.isDirectory();
  const isFile = !isFolder && /^\.(pem|crt|cer)$/i.test(extname(place));
  return isFile ? place : join(place, `${fileNameOf(name)}.pem`);
}

/** Files that belong to a certificate's: `www.pem` has `www-key.pem` and `www.p12`. */
export function besideCertificate(file: string, ending: '-key.pem' | '.p12'): string {
  return `${file.slice(0, file.length - extname(file).length)}${ending}`;
}

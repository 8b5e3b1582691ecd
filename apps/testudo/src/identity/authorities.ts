import { existsSync } from 'node:fs';
import { fromHex } from '@testudo/codec';
import { type Certificate, type CertificateAuthority, type ManagedAuthority, serialKey } from '@testudo/x509';
import { EXIT, Failure } from '../failure.ts';
import { isIssuedBy, openDatabase, withDatabase } from './authority-database.ts';
import { type AuthorityRole, authorityFiles, databaseFile, loadAuthority } from './authority-folder.ts';
import { LocalAuthority } from './local-authority.ts';

export interface FolderAuthority {
  readonly role: AuthorityRole;
  readonly authority: CertificateAuthority;
}

/** The CAs of a data folder whose keys are at hand: the one that issues, then the root above it. Throws a `Failure`. */
export function authoritiesIn(folder: string): [FolderAuthority, ...FolderAuthority[]] {
  const { role, authority } = LocalAuthority.open(folder);
  const hasRoot = role === 'intermediate' && existsSync(authorityFiles(folder).key);
  return [
    { role, authority },
    ...(hasRoot ? [{ role: 'ca', authority: loadAuthority(folder, 'ca') } as const] : []),
  ];
}

/** The CA that issues, or the root: `wantsRoot`. Throws a `Failure` when the root's key is not at hand. */
export function authorityIn(folder: string, wantsRoot: boolean): FolderAuthority {
  const all = authoritiesIn(folder);
  const wanted = wantsRoot ? all.find(({ role }) => role === 'ca') : all[0];
  if (wanted !== undefined) return wanted;
  throw new Failure(`the root\u2019s key is missing: put ${authorityFiles(folder).key} back`);
}

/** Changes something about a certificate, in the database of the CA that issued it. Throws a `Failure`. */
export async function changeRecord<T>(
  folder: string,
  wanted: Certificate | Uint8Array,
  what: string,
  change: (managed: ManagedAuthority, serialNumber: Uint8Array) => Promise<T>,
): Promise<T> {
  const serialNumber = wanted instanceof Uint8Array ? wanted : wanted.serialNumber;
  const issuer = await issuerOf(folder, wanted);
  return withDatabase(folder, issuer, what, async (managed) => {
    const isNew = (await managed.database.get(serialKey(serialNumber))) === undefined;
    // What another program issued with the CA's key is the CA's, too.
    if (isNew && !(wanted instanceof Uint8Array)) await managed.database.add({ certificate: wanted });
    return change(managed, serialNumber);
  });
}

/** For a serial number: whoever remembers it. */
async function issuerOf(folder: string, wanted: Certificate | Uint8Array): Promise<FolderAuthority> {
  const all = authoritiesIn(folder);
  for (const one of all) {
    const isIts =
      wanted instanceof Uint8Array
        ? (await (await openDatabase(databaseFile(folder, one.role))).get(serialKey(wanted))) !== undefined
        : isIssuedBy(wanted, one.authority.certificate);
    if (isIts) return one;
  }
  if (wanted instanceof Uint8Array) return all[0];
  const names = all.map(({ authority }) => `"${authority.certificate.subject.shown}"`).join(' or ');
  throw new Failure(`the certificate was not issued by ${names}: only its own CA can revoke it`);
}

/** A serial number as people write it: hexadecimal, also with colons or `0x`. Throws a `Failure`. */
export function serialNumberOf(text: string): Uint8Array {
  const digits = text.replace(/^0x/i, '').replace(/[:\s]/g, '').toLowerCase();
  if (!/^[0-9a-f]{1,42}$/.test(digits))
    throw new Failure(`${text} is neither a file nor a serial number in hexadecimal`, EXIT.usage);
  const bare = digits.replace(/^0+(?=.)/, '');
  const even = bare.length % 2 === 0 ? bare : `0${bare}`;
  // Two's complement: a positive number does not begin with a set bit.
  return fromHex(/^[89a-f]/.test(even) ? `00${even}` : even);
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { der, fromHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { createPkcs12, parseCertificates, parsePrivateKey } from '@testudo/x509';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { withPrograms } from '../../../../conformance/support/programs.ts';
import { ca, closeAll, connected, issue, nodes, ours, serverIdentity } from './testing/support.ts';
import type { TlsOptions } from './types.ts';

/** Which PFX files are taken, and what is said of those that are not: as the Node that runs. */

const directory = mkdtempSync(join(tmpdir(), 'testudo-pfx-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(closeAll);

const files = {
  key: join(directory, 'key.pem'),
  cert: join(directory, 'cert.pem'),
  ca: join(directory, 'ca.pem'),
  password: join(directory, 'password'),
  out: join(directory, 'out.p12'),
};
writeFileSync(files.key, serverIdentity.key);
writeFileSync(files.cert, serverIdentity.cert);
writeFileSync(files.ca, ca);

type Options = Parameters<typeof ours.createSecureContext>[0];

/** A file that `openssl pkcs12` makes; undefined where it cannot. */
function exported(args: readonly string[] = [], password: string | Uint8Array = 'x'): Buffer | undefined {
  writeFileSync(files.password, password);
  const fixed = ['pkcs12', '-export', '-inkey', files.key, '-in', files.cert, '-out', files.out];
  const passout = ['-passout', password.length === 0 ? 'pass:' : `file:${files.password}`];
  const { status } = spawnSync('openssl', [...fixed, ...passout, ...args], { stdio: 'ignore' });
  return status === 0 ? readFileSync(files.out) : undefined;
}

function verdict(tls: typeof ours, options: Options): string {
  try {
    tls.createSecureContext({ ca, ...options });
    return 'taken';
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    return `${code}: ${message}`;
  }
}

function sameVerdict(options: Options): string {
  const expected = verdict(nodes, options);
  expect(verdict(ours, options)).toBe(expected);
  return expected;
}

/** The same verdict as Node's, and where it is taken it serves. Gives the verdict. */
async function alike(options: Options): Promise<string> {
  const expected = sameVerdict(options);
  if (expected !== 'taken') return expected;
  const server = { key: undefined, cert: undefined, ...options } as unknown as TlsOptions;
  const { client } = await connected(ours, nodes, server, { ca });
  expect(client.authorized).toBe(true);
  return expected;
}

const HASHES = [
  ...['md5', 'sha1', 'ripemd160', 'sha224', 'sha256', 'sha384', 'sha512', 'sha512-224', 'sha512-256'],
  ...['sha3-224', 'sha3-256', 'sha3-384', 'sha3-512', 'md5-sha1'],
];
const CIPHERS = [
  ...['aes', 'aria', 'camellia'].flatMap((name) => [128, 192, 256].map((bits) => `${name}-${bits}-cbc`)),
  ...['des-ede3-cbc', 'sm4-cbc', 'des-cbc', 'bf-cbc', 'cast5-cbc', 'seed-cbc', 'rc2-cbc'],
  ...['PBE-SHA1-3DES', 'PBE-SHA1-2DES', 'PBE-SHA1-RC2-40', 'PBE-SHA1-RC2-128', 'PBE-SHA1-RC4-128'],
  ...['PBE-MD5-DES', 'PBE-SHA1-DES', 'NONE'],
];

withPrograms('openssl')('files of the openssl program are taken as by Node', () => {
  test.each(HASHES)('code with %s', async (hash) => {
    const pfx = exported(['-macalg', hash]);
    if (pfx === undefined) return;
    const expected = await alike({ pfx, passphrase: 'x' });
    if (hash !== 'md5-sha1') expect(expected).toBe('taken');
    expect(await alike({ pfx, passphrase: 'y' })).not.toBe('taken');
  });

  test.each(CIPHERS)('encrypted with %s', async (cipher) => {
    const providers = ['-provider', 'legacy', '-provider', 'default'];
    for (const args of [
      ['-keypbe', cipher],
      ['-certpbe', cipher],
      ['-keypbe', cipher, '-certpbe', cipher, '-certfile', files.ca],
    ]) {
      const pfx = exported([...args, ...providers]);
      if (pfx !== undefined) await alike({ pfx, passphrase: 'x' });
    }
  });

  test.each([
    ['-legacy'],
    ['-nomac'],
    ['-nomac', '-keypbe', 'NONE', '-certpbe', 'NONE'],
    ['-noiter'],
    ['-nomaciter'],
    ['-nokeys'],
    ['-nocerts'],
    ['-descert'],
    ['-name', 'Zürich'],
    ['-CSP', 'Microsoft Enhanced Cryptographic Provider v1.0', '-keyex'],
    ['-keysig'],
    ['-LMK'],
    ['-iter', '1'],
    ['-iter', '100000'],
  ])('%s %s %s', async (...args) => {
    const pfx = exported(args.filter((one) => one !== undefined));
    if (pfx === undefined) return;
    await alike({ pfx, passphrase: 'x' });
    await alike({ pfx });
    await alike({ pfx, passphrase: '' });
  });

  const PRFS = ['MD5', 'SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512', 'SHA512-224', 'SHA512-256'];
  test.each(PRFS)('PBES2 with hmacWith%s', async (prf) => {
    // The program has no option for it in a PFX: the key is taken from one that is encrypted by itself, without a code.
    const args = ['pkcs8', '-topk8', '-in', files.key, '-outform', 'DER', '-passout', 'pass:x'];
    const { status, stdout } = spawnSync('openssl', [
      ...args,
      '-v2',
      'aes-256-cbc',
      '-v2prf',
      `hmacWith${prf}`,
    ]);
    if (status !== 0) return;
    const bags = [bag('1.2.840.113549.1.12.10.1.2', stdout), certificateBag(serverIdentity.cert)];
    await alike({ pfx: authenticated(bags, 'x'), passphrase: 'x' });
  });

  const KEY = '🔑';
  const PASSWORDS: readonly (readonly [string, string | Uint8Array])[] = [
    ['none', ''],
    ['umlauts', 'pässwörd'],
    ['of another plane', KEY],
    ['long', 'x'.repeat(400)],
    ['of Latin-1 bytes', Buffer.from('pässwörd', 'latin1')],
    ['of bytes that are no text', Buffer.from('fffe80c1', 'hex')],
    ['of a lone surrogate in UTF-8', Buffer.from('eda081', 'hex')],
    ['of overlong UTF-8', Buffer.from('c1a1', 'hex')],
    ['with a byte order mark', Buffer.from('efbbbf78', 'hex')],
  ];
  describe.each([
    ['PBES2', []],
    ['the schemes of PKCS#12', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
  ] as const)('%s, password', (_scheme, args) => {
    test.each(PASSWORDS)('%s', async (_what, password) => {
      const pfx = exported(args, password)!;
      const bytes = Buffer.from(password);
      const forms: unknown[] = [
        bytes,
        new Uint8Array(Buffer.concat([Buffer.from('>>'), bytes])).subarray(2),
        bytes.toString(),
        bytes.toString('latin1'),
        Buffer.concat([bytes, Buffer.from('\0more')]),
        `${bytes} `,
        ...[undefined, null, '', Buffer.alloc(0), 0, 1, true],
      ];
      for (const passphrase of forms) {
        sameVerdict({ pfx, passphrase: passphrase as never });
        sameVerdict({ pfx: [{ buf: pfx as never, passphrase: passphrase as never }] });
        sameVerdict({ pfx: [{ buf: pfx as never }], passphrase: passphrase as never });
      }
      expect(await alike({ pfx, passphrase: bytes as never })).toBe('taken');
    });
  });

  const BEHIND: Readonly<Record<string, (good: Buffer) => unknown>> = {
    'as it is': (good) => good,
    'bytes behind it': (good) => Buffer.concat([good, Buffer.from('behind')]),
    'a line feed behind it': (good) => Buffer.concat([good, Buffer.from('\n')]),
    'zeros behind it': (good) => Buffer.concat([good, Buffer.alloc(5000)]),
    twice: (good) => Buffer.concat([good, good]),
    'bytes before it': (good) => Buffer.concat([Buffer.from('\n'), good]),
    cut: (good) => good.subarray(0, -1),
    'a DataView': (good) => new DataView(new Uint8Array(good).buffer),
    'in Base64': (good) => good.toString('base64'),
    'as text': (good) => good.toString('latin1'),
    'one bit changed': (good) => {
      const changed = Buffer.from(good);
      changed[300]! ^= 1;
      return changed;
    },
    nothing: () => Buffer.alloc(0),
    'no bytes': () => 5,
  };
  test.each(Object.entries(BEHIND))('%s', async (_what, change) => {
    const pfx = change(exported()!);
    await alike({ pfx: pfx as never, passphrase: 'x' });
    await alike({ pfx: [pfx] as never, passphrase: 'x' });
  });
});

const NONE = { provider: nodeCrypto, password: 'x', iterations: 2048 };

test.each(['pkcs12', 'pbmac1'] as const)('code of the kind %s (RFC 9579)', async (mac) => {
  const [privateKey, certificates] = [
    parsePrivateKey(serverIdentity.key, nodeCrypto),
    parseCertificates(serverIdentity.cert),
  ];
  const pfx = Buffer.from(createPkcs12({ ...NONE, privateKey, certificates, mac }));
  await alike({ pfx, passphrase: 'x' });
  expect(await alike({ pfx, passphrase: 'y' })).not.toBe('taken');
});

describe('several keys', () => {
  const mine = plainKey(serverIdentity.key);
  const another = issue();
  const other = plainKey(another.key);
  const myCert = certificateBag(serverIdentity.cert);
  const otherCert = certificateBag(another.cert);
  const strange = bag('1.2.840.113549.1.12.10.1.1', fromHex('3003020101'));
  test.each([
    ['one', [mine, myCert]],
    ['the certificate first', [myCert, mine]],
    ['another key behind it', [mine, other, myCert]],
    ['another key before it', [other, mine, myCert]],
    ['two of each', [mine, other, otherCert, myCert]],
    ['two of each, crosswise', [other, mine, myCert, otherCert]],
    ['what is no key behind it', [mine, myCert, strange]],
    ['what is no key before it', [strange, mine, myCert]],
    ['its certificate twice', [mine, myCert, myCert]],
    ['the other certificate only', [mine, otherCert]],
    ['no key', [myCert]],
    ['no certificate', [mine]],
    ['nothing', []],
  ])('%s', async (_what, bags) => {
    await alike({ pfx: authenticated(bags) });
  });
});

function bag(type: string, value: Uint8Array): Uint8Array {
  return der.sequence(der.oid(type), der.explicit(0, value));
}

function plainKey(pem: string): Uint8Array {
  return bag('1.2.840.113549.1.12.10.1.1', parsePrivateKey(pem, nodeCrypto).exportPkcs8());
}

function certificateBag(pem: string): Uint8Array {
  const [certificate] = parseCertificates(pem);
  return bag('1.2.840.113549.1.12.10.1.3', bag('1.2.840.113549.1.9.22.1', der.octetString(certificate!.der)));
}

/** A file of such bags; its code has the HMAC of PKCS#12 with one iteration, or there is none without a password. */
function authenticated(bags: readonly Uint8Array[], password?: string): Buffer {
  const data = (bytes: Uint8Array): Uint8Array => bag('1.2.840.113549.1.7.1', der.octetString(bytes));
  const safe = der.sequence(data(der.sequence(...bags)));
  if (password === undefined) return Buffer.from(der.sequence(der.integer(3), data(safe)));
  const salt = Buffer.alloc(8, 1);
  // RFC 7292 §B.2, where one block of the hash is enough: H(ID block, salt, password), each filled up to 64 bytes.
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const key = nodeCrypto.digest(
    'sha1',
    Buffer.concat([Buffer.alloc(64, 3), Buffer.alloc(64, salt), Buffer.alloc(64, text)]),
  );
  const digest = der.sequence(
    der.sequence(der.oid('1.3.14.3.2.26'), der.nullValue()),
    der.octetString(nodeCrypto.hmac('sha1', key, safe)),
  );
  return Buffer.from(
    der.sequence(der.integer(3), data(safe), der.sequence(digest, der.octetString(salt), der.integer(1))),
  );
}

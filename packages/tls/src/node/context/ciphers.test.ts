import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { withPrograms } from '../../../../../conformance/support/programs.ts';
import { CIPHER_SUITES, isSuite13 } from '../../suites/index.ts';
import { COUNTS_SHORT_TAGS } from '../as-node/running-node.ts';
import { parseCipherList } from './cipher-list.ts';
import { parseCurves, parseSignatureAlgorithms } from './ciphers.ts';

const OURS = new Set(
  CIPHER_SUITES.filter((suite) => !isSuite13(suite) && !suite.isLegacy).map((suite) => suite.opensslName),
);

/** Debian's OpenSSL is built without some of them, and counts short tags in its own way. */
const KNOWN: ReadonlySet<string> = new Set(
  (everyOpenssl()?.filter((name) => OURS.has(name)) ?? [...OURS]).filter(
    (name) => !(COUNTS_SHORT_TAGS && name.endsWith('CCM8')),
  ),
);

function everyOpenssl(): string[] | undefined {
  try {
    const command = ['ciphers', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'];
    return execFileSync('openssl', command, { encoding: 'utf8' }).trim().split(':');
  } catch {
    return undefined;
  }
}

/** The suites of TLS 1.2 in a list, by OpenSSL's names. */
function ours(list: string): string[] {
  return parseCipherList(list)
    .suites.map((suite) => suite.opensslName)
    .filter((name) => KNOWN.has(name));
}

/** What the openssl program makes of it, without what we do not have. */
function openssls(list: string): string[] {
  try {
    const text = execFileSync('openssl', ['ciphers', list], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text
      .trim()
      .split(':')
      .filter((name) => KNOWN.has(name));
  } catch {
    return [];
  }
}

withPrograms('openssl')('as the openssl program', () => {
  test.each([
    'ALL',
    'HIGH:!aNULL:!MD5',
    'ECDHE+AESGCM',
    'ECDHE+CHACHA20:ECDHE+AESGCM',
    'EECDH+AES128:!aRSA',
    'HIGH:!ECDSA',
    'HIGH:-aECDSA',
    'AESGCM:+AES256',
    'ALL:!AES256',
    'aRSA+AES256',
    'CHACHA20:!ECDSA',
    'ECDHE-RSA-AES128-GCM-SHA256:HIGH',
    'RC4:DES:ECDHE-RSA-AES256-GCM-SHA384',
    'kRSA',
    'RSA+AESGCM',
    'DHE+AES256:!PSK',
    'ECDHE+SHA384',
    'AES+SHA',
    'ECDHE+AESCCM',
    'ALL:!kRSA:!PSK:!DHE',
    'aPSK',
    'kDHEPSK:kRSAPSK:kECDHEPSK',
    'CAMELLIA:ARIA',
    'TLSv1.2+kRSA',
    'SSLv3+kRSA',
    ...(COUNTS_SHORT_TAGS ? [] : ['AESCCM8']),
    'SUITEB128',
    'SUITEB192',
    'COMPLEMENTOFALL:AES128-SHA',
    'ALL:!kRSA:@STRENGTH',
    'ECDHE+SHA1',
    'ALL:-AES256:!CAMELLIA:+AESGCM',
    'DEFAULT',
    'DEFAULT:!kRSA',
    'DEFAULT:CAMELLIA:ARIA',
    'DEFAULT:-AES128:AES128',
    'ALL:!COMPLEMENTOFDEFAULT:!eNULL',
    'ALL:-ECDHE:ECDHE+CHACHA20:ECDHE',
    'AES128-SHA:ALL:-kRSA:+ECDHE:@STRENGTH:CHACHA20',
    'HIGH:+AES:+SHA:-SHA256:SHA256+AES256',
  ])('%s means the same suites, in the same order', (list) => {
    expect(ours(list)).toEqual(openssls(list));
  });

  test.each([
    'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:+ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256,NONSENSE ECDHE-ECDSA-CHACHA20-POLY1305',
    'AES128-SHA:AES256-SHA:ECDHE-RSA-AES128-SHA:@STRENGTH',
    'AES128-SHA:@STRENGTH:AES256-SHA',
    'AES128-SHA@STRENGTH:AES256-SHA256;AES128-SHA256',
  ])('%s keeps that order', (list) => {
    expect(ours(list)).toEqual(openssls(list));
  });
});

withPrograms('openssl')('a security level', () => {
  /** Without those that OpenSSL counts in another way since 3.2, and those that it wants a callback for. */
  const lists = ['ALL:!CCM8:!PSK', 'HIGH:!PSK', 'ECDHE:kRSA:DHE'];

  test.each([0, 1, 2, 3, 4, 5].flatMap((level) => lists.map((list) => [level, list] as const)))(
    '%i leaves of %s what it leaves with OpenSSL',
    (level, list) => {
      const command = `${list}:!AESCCM8:!aDSS:@SECLEVEL=${level}`;
      const text = execFileSync('openssl', ['ciphers', '-s', '-tls1_2', command], { encoding: 'utf8' });
      const theirs = text.trim().split(':');
      expect(new Set(ours(command))).toEqual(new Set(theirs.filter((name) => KNOWN.has(name))));
    },
  );
});

describe('cipher lists', () => {
  test('a security level may follow a word at once, and the last one counts', () => {
    expect(parseCipherList('DEFAULT@SECLEVEL=0').securityLevel).toBe(0);
    expect(parseCipherList('@SECLEVEL=1:HIGH@SECLEVEL=2').securityLevel).toBe(2);
    expect(parseCipherList('HIGH').securityLevel).toBeUndefined();
  });

  test('what needs @testudo/tls/legacy comes by a group only with it', () => {
    for (const list of ['eNULL', 'RC4', 'aDSS']) {
      // OpenSSL is built without RC4.
      if (list === 'RC4') expect(() => parseCipherList(`${list}@SECLEVEL=0`)).toThrow('no cipher match');
      else expect(parseCipherList(`${list}@SECLEVEL=0`).suites.every(isSuite13)).toBe(true);
      const { suites } = parseCipherList(list, true);
      expect(suites.filter(({ minVersion }) => minVersion < 0x0304).every((suite) => suite.isLegacy)).toBe(
        true,
      );
    }
  });

  test('anonymous suites never come by a group', () => {
    for (const list of ['aNULL', 'ADH', 'AECDH']) {
      expect(parseCipherList(list, true).suites.every(isSuite13)).toBe(true);
    }
    expect(parseCipherList('ALL', true).suites.some(({ name }) => name.includes('anon'))).toBe(false);
  });

  test.each(['HIGH:@FOO', 'HIGH@SECLEVEL=6', '@SECLEVEL', '@strength'])('%s is refused', (list) => {
    expect(() => parseCipherList(list)).toThrow(expect.objectContaining({ code: 'ERR_SSL_INVALID_COMMAND' }));
  });

  test('a tag of 8 bytes is too short but for level 0, since OpenSSL counts it', () => {
    expect(ours('AESCCM8').length === 0).toBe(COUNTS_SHORT_TAGS);
    expect(parseCipherList('AESCCM8@SECLEVEL=0').suites.length).toBeGreaterThan(3);
  });

  test('a banned suite does not come back', () => {
    expect(
      ours('!ECDHE-RSA-AES128-GCM-SHA256:ECDHE+aRSA+AES128+AESGCM:ECDHE-ECDSA-AES128-GCM-SHA256'),
    ).toEqual(['ECDHE-ECDSA-AES128-GCM-SHA256']);
  });

  test('of a group, what has forward secrecy comes first, and AEADs before the rest', () => {
    const list = ours('ALL:!PSK');
    expect(list[0]).toMatch(/^ECDHE-.*(GCM|POLY1305|CCM8?)/);
    expect(list.findIndex((name) => /^AES128-GCM/.test(name))).toBeGreaterThan(
      list.findIndex((name) => /^ECDHE-RSA-AES256-SHA384/.test(name)),
    );
  });

  test('IANA names are taken', () => {
    expect(ours('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256')).toEqual(['ECDHE-RSA-AES128-GCM-SHA256']);
  });

  test('suites of TLS 1.3 come by name only, and by default when none is named', () => {
    const names = (list: string): string[] => parseCipherList(list).suites.map(({ name }) => name);
    expect(names('TLS_CHACHA20_POLY1305_SHA256')).toEqual(['TLS_CHACHA20_POLY1305_SHA256']);
    expect(names('CHACHA20').slice(0, 3)).toEqual([
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_AES_128_GCM_SHA256',
    ]);
  });

  test.each(['FOO', '', ':', '!ALL', 'ECDHE+FOO', 'aNULL+FOO', '!aNULL', 'ALL:!ALL', 'ecdhe'])(
    '%j leaves nothing',
    (list) => {
      expect(() => parseCipherList(list)).toThrow(
        expect.objectContaining({ code: 'ERR_SSL_NO_CIPHER_MATCH' }),
      );
    },
  );
});

describe('curves', () => {
  test('come by the names of IANA, NIST and OpenSSL', () => {
    expect(parseCurves('P-256:X25519:secp384r1:prime256v1')).toEqual([
      'secp256r1',
      'x25519',
      'secp384r1',
      'secp256r1',
    ]);
    expect(parseCurves('auto')).toBeUndefined();
  });

  test('come with the marks of OpenSSL 3.5', () => {
    expect(parseCurves('*X25519MLKEM768/?nonsense:*X25519:?P-256')).toEqual([
      'X25519MLKEM768',
      'x25519',
      'secp256r1',
    ]);
  });

  test.each(['foo', '', 'P-256:foo', 'P-256:', '?foo', '?', '*foo', 'P-256:?'])('%j is refused', (list) => {
    expect(() => parseCurves(list)).toThrow(expect.objectContaining({ code: 'ERR_CRYPTO_OPERATION_FAILED' }));
  });
});

describe('signature algorithms', () => {
  test('come by their names in TLS 1.3 and in OpenSSL\u2019s old notation', () => {
    expect(parseSignatureAlgorithms('rsa_pss_rsae_sha256:ed25519')).toEqual([
      'rsa_pss_rsae_sha256',
      'ed25519',
    ]);
    expect(parseSignatureAlgorithms('ECDSA+SHA256:RSA+SHA384')).toEqual([
      'ecdsa_secp256r1_sha256',
      'rsa_pkcs1_sha384',
    ]);
    expect(parseSignatureAlgorithms('RSA-PSS+SHA512')).toEqual(['rsa_pss_rsae_sha512']);
  });

  test('SHA-1 comes where legacy is allowed', () => {
    expect(parseSignatureAlgorithms('RSA+SHA1', true)).toEqual(['rsa_pkcs1_sha1']);
  });

  test.each(['foo', '', 'RSA+MD5', 'ECDSA+SHA1'])('%j is refused', (list) => {
    expect(() => parseSignatureAlgorithms(list)).toThrow(/is not known/);
  });
});

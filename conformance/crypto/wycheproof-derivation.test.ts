import { toHex } from '@testudo/codec';
import { CryptoError, type HashName } from '@testudo/crypto';
import { describe, test } from 'vitest';
import { PROVIDERS } from './providers.ts';
import { type Case, runWycheproof } from './wycheproof.ts';

describe.each(PROVIDERS)('HKDF and HMAC of the $name provider agree with Wycheproof', (provider) => {
  function hkdf(testCase: Case, hash: HashName): string | undefined {
    const key = provider.hkdfExtract(hash, testCase.bytes('salt'), testCase.bytes('ikm'));
    let derived: string;
    try {
      derived = toHex(provider.hkdfExpand(hash, key, testCase.bytes('info'), testCase.number('size')));
    } catch (error) {
      if (!(error instanceof CryptoError && error.code === 'bad-length')) return `threw ${error}`;
      return testCase.result === 'invalid' ? undefined : 'refused';
    }
    if (testCase.result === 'invalid') return 'derived';
    return derived === testCase.text('okm') ? undefined : `derived ${derived}`;
  }

  function hmac(testCase: Case, hash: HashName): string | undefined {
    const whole = provider.hmac(hash, testCase.bytes('key'), testCase.bytes('msg'));
    const tag = whole.subarray(0, testCase.number('tagSize') / 8);
    const matches = provider.equal(tag, testCase.bytes('tag'));
    return matches === (testCase.result === 'valid') ? undefined : `gave ${toHex(whole)}`;
  }

  test.each([
    ['sha256', 86],
    ['sha384', 83],
  ] as const)('HKDF %s', (hash, count) => runWycheproof(`hkdf_${hash}`, count, (c) => hkdf(c, hash)));

  test.each([
    ['sha1', 170],
    ['sha256', 174],
    ['sha384', 174],
  ] as const)('HMAC %s', (hash, count) => runWycheproof(`hmac_${hash}`, count, (c) => hmac(c, hash)));
});

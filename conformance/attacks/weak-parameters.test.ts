import { concat, encode } from '@testudo/codec';
import { type ClientOptions, cipherSuiteByName, credential, groupById } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { describe, expect, test } from 'vitest';
import {
  encodeMessage,
  outcomeOf,
  PuppetServer12,
  refused,
  serverDhParams,
  serverKeyExchange,
} from '#tls/testing';
import { pki, provider, victimClient } from './support.ts';

// FREAK (CVE-2015-0204) and Logjam (CVE-2015-4000): what is left of the export rules of the 1990s, by which who sits on the wire
// has both sides use keys that he can break in time. What he then sends to the client is sent here.

const EXCHANGE = serverKeyExchange(serverDhParams as never, 'named');

/** A server, or who poses as it, that has the client take `suite`. */
function server(
  suite: string,
  options: Partial<ClientOptions> = {},
  own = pki.server('rsa'),
): PuppetServer12 {
  const end = victimClient({ maxVersion: 'TLSv1.2', cipherSuites: [suite], ...options });
  const puppet = new PuppetServer12(provider, end, own);
  puppet.suite = cipherSuiteByName(suite)!;
  puppet.send(puppet.serverHello());
  return puppet.send(puppet.certificate());
}

/** ServerKeyExchange with these numbers, well signed. */
function dh(
  puppet: PuppetServer12,
  prime: Uint8Array,
  generator: Uint8Array,
  publicValue: Uint8Array,
): Uint8Array {
  const params = { prime, generator, publicValue };
  const encodedParams = encode(serverDhParams, params);
  const content = concat(puppet.clientRandom, puppet.serverRandom, encodedParams);
  const signature = puppet.credential.sign(
    { name: 'rsa-pss', hash: 'sha256', saltLength: 32 } as never,
    content,
  );
  return encodeMessage(EXCHANGE, {
    params,
    encodedParams,
    signed: { algorithm: 0x0804, signature: signature as Uint8Array },
  } as never);
}

const TWO = Uint8Array.of(2);
const number = (bits: number) => {
  const bytes = provider.randomBytes(bits / 8);
  bytes[0]! |= 0x80;
  bytes[bytes.length - 1]! |= 1;
  return bytes;
};

describe('FREAK', () => {
  test('a short key for an RSA suite, in a ServerKeyExchange, is out of place', () => {
    const puppet = server('TLS_RSA_WITH_AES_128_GCM_SHA256');
    puppet.send(dh(puppet, number(512), Uint8Array.of(1, 0, 1), TWO));
    expect(outcomeOf(puppet)).toEqual(refused('unexpected-message'));
  });

  test.each([
    [0x0003, 'TLS_RSA_EXPORT_WITH_RC4_40_MD5'],
    [0x0006, 'TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5'],
    [0x0008, 'TLS_RSA_EXPORT_WITH_DES40_CBC_SHA'],
    [0x0014, 'TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA'],
    [0x0019, 'TLS_DH_anon_EXPORT_WITH_DES40_CBC_SHA'],
    [0x0060, 'TLS_RSA_EXPORT1024_WITH_RC4_56_MD5'],
  ])('suite 0x%i (%s) cannot be chosen, nor asked for, not even with legacy', (id, name) => {
    expect(() => victimClient({ legacy, maxVersion: 'TLSv1.2', cipherSuites: [name] })).toThrow(
      /no cipher suite/,
    );
    const end = victimClient({ legacy, maxVersion: 'TLSv1.2' });
    const puppet = new PuppetServer12(provider, end, pki.server('rsa'));
    puppet.send(puppet.serverHello((hello) => Object.assign(hello, { cipherSuite: id })));
    expect(outcomeOf(puppet)).toEqual(refused('illegal-parameter'));
  });

  test('a certificate with a key of 512 bits is not encrypted to', () => {
    const issued = pki.authority.issue({
      purpose: 'server',
      names: ['server.example'],
      key: { type: 'rsa', bits: 512 } as never,
    });
    const own = credential(
      provider,
      issued.certificateChain.map(({ der }) => der),
      issued.privateKey!,
    );
    const puppet = server(
      'TLS_RSA_WITH_AES_128_GCM_SHA256',
      { verifyCertificate: () => ({ accepted: true }) },
      own,
    );
    puppet.send(puppet.helloDone());
    expect(outcomeOf(puppet)).toEqual(refused('weak-parameters'));
  });
});

describe('Logjam', () => {
  const suite = 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256';

  test.each([512, 768, 1024, 1536])('a group of %i bits is refused', (bits) => {
    const puppet = server(suite);
    puppet.send(dh(puppet, number(bits), TWO, number(bits).fill(0, 0, 1)));
    puppet.send(puppet.helloDone());
    expect(outcomeOf(puppet)).toEqual(refused('weak-parameters'));
  });

  test('with legacy 1,024 bits are the least', () => {
    const puppet = server(suite, { legacy });
    puppet.send(dh(puppet, number(768), TWO, number(768).fill(0, 0, 1)));
    puppet.send(puppet.helloDone());
    expect(outcomeOf(puppet)).toEqual(refused('weak-parameters'));
  });

  test.each([
    [
      'leading zeros make no group longer',
      (n: Uint8Array) => concat(new Uint8Array(192), n.subarray(0, 64)),
      'weak-parameters',
    ],
    ['an even number is no prime', (n: Uint8Array) => n.fill(0xfe, 255), 'illegal-parameter'],
    ['a number of 8 KiB is too much work', () => number(65_536), 'illegal-parameter'],
  ] as const)('%s', (_what, change, code) => {
    const puppet = server(suite);
    const prime = change(Buffer.from(number(2048)));
    puppet.send(dh(puppet, prime, TWO, number(1024)));
    puppet.send(puppet.helloDone());
    expect(outcomeOf(puppet)).toEqual(refused(code));
  });

  test('a group that is good gets further: it is the group that was refused', () => {
    const { prime, generator } = goodGroup();
    const puppet = server(suite);
    puppet.send(dh(puppet, prime, generator, Uint8Array.of(4)));
    // The puppet would not understand the answer.
    puppet.end.connection.receive(puppet.sealed(22, puppet.helloDone()));
    expect(puppet.end.errors).toEqual([]);
    expect(puppet.end.log).toContain('sent client_key_exchange');
  });

  test.each(['0', '1', 'p - 1', 'p', 'p + 1'])('the value %s of a good group is refused', (value) => {
    const { prime, generator } = goodGroup();
    const values: Record<string, Uint8Array> = {
      '0': Uint8Array.of(0),
      '1': Uint8Array.of(1),
      'p - 1': plus(prime, -1),
      p: prime,
      'p + 1': plus(prime, 1),
    };
    const puppet = server(suite);
    puppet.send(dh(puppet, prime, generator, values[value]!));
    puppet.send(puppet.helloDone());
    expect(outcomeOf(puppet)).toEqual(refused('bad-key-share'));
  });
});

/** ffdhe2048 (RFC 7919 §A.1), as the engine's own table has it. */
function goodGroup(): { prime: Uint8Array; generator: Uint8Array } {
  return groupById(0x0100) as unknown as { prime: Uint8Array; generator: Uint8Array };
}

function plus(number: Uint8Array, summand: number): Uint8Array {
  const sum = (BigInt(`0x${Buffer.from(number).toString('hex')}`) + BigInt(summand)).toString(16);
  return Buffer.from(sum.padStart(2 * number.length, '0'), 'hex');
}

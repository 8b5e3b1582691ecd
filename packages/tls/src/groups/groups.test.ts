import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { TLS12, TLS13 } from '../versions.ts';
import { GROUPS, groupByName, groupFits } from './index.ts';

const pki = new TestPki(nodeCrypto);
const available = GROUPS.filter((group) => group.available(nodeCrypto));

function meet(client: readonly string[], server: readonly string[], maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  return new Pair(
    clientEnd(
      clientConfig({
        provider: nodeCrypto,
        verifyCertificate: pki.verifier(),
        groups: client,
        maxVersion,
      }),
    ),
    serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server('rsa')], groups: server })),
  ).pump();
}

test.each([
  // IANA, TLS Supported Groups.
  ['secp256r1', 23],
  ['secp384r1', 24],
  ['secp521r1', 25],
  ['brainpoolP256r1', 26],
  ['brainpoolP384r1', 27],
  ['brainpoolP512r1', 28],
  ['x25519', 29],
  ['x448', 30],
  ['brainpoolP256r1tls13', 31],
  ['brainpoolP384r1tls13', 32],
  ['brainpoolP512r1tls13', 33],
  ['ffdhe2048', 256],
  ['ffdhe3072', 257],
  ['ffdhe4096', 258],
  ['ffdhe6144', 259],
  ['ffdhe8192', 260],
  ['MLKEM768', 513],
  ['MLKEM1024', 514],
  ['SecP256r1MLKEM768', 4587],
  ['X25519MLKEM768', 4588],
  ['SecP384r1MLKEM1024', 4589],
])('%s is number %i', (name, id) => {
  expect(groupByName(name)?.id).toBe(id);
});

describe.each(available)('$name', (group) => {
  test('both sides get the same secret', () => {
    const mine = group.start(nodeCrypto);
    const { share, secret } = group.respond(nodeCrypto, mine.share);
    expect(mine.finish(share)).toEqual(secret);
    expect(secret.some((byte) => byte !== 0)).toBe(true);
  });

  test('a share that is too short, too long or empty is refused', () => {
    const mine = group.start(nodeCrypto);
    const { share } = group.respond(nodeCrypto, mine.share);
    const wrong = (bytes: Uint8Array) => [
      bytes.subarray(1),
      bytes.subarray(0, -1),
      Uint8Array.of(...bytes, 0),
      new Uint8Array(0),
    ];
    for (const bad of wrong(share)) expect(() => mine.finish(bad)).toThrow(/bytes/);
    for (const bad of wrong(mine.share)) expect(() => group.respond(nodeCrypto, bad)).toThrow(/bytes/);
  });

  test('a share of zeros is refused, or gives what nobody else has', () => {
    const mine = group.start(nodeCrypto);
    const zeros = new Uint8Array(group.respond(nodeCrypto, mine.share).share.length);
    // ML-KEM rejects implicitly (FIPS 203 §6.3): a ciphertext of zeros gives a secret that depends on the key.
    if (group.kind === 'kem') expect(mine.finish(zeros)).not.toEqual(group.start(nodeCrypto).finish(zeros));
    else expect(() => mine.finish(zeros)).toThrow();
  });
});

test('the other provider gets the same secrets, but for finite fields, which it takes long for', () => {
  const common = available.filter((group) => group.available(portableCrypto) && !/ffdhe/.test(group.name));
  expect(common.length).toBeGreaterThan(8);
  for (const group of common) {
    const mine = group.start(nodeCrypto);
    const { share, secret } = group.respond(portableCrypto, mine.share);
    expect([group.name, mine.finish(share)]).toEqual([group.name, secret]);
  }
});

test.each([
  ['SecP256r1MLKEM768', 65 + 1184, 65 + 1088, 64],
  ['X25519MLKEM768', 1184 + 32, 1088 + 32, 64],
  ['SecP384r1MLKEM1024', 97 + 1568, 97 + 1568, 80],
  ['MLKEM768', 1184, 1088, 32],
  ['MLKEM1024', 1568, 1568, 32],
])('%s has shares of %i and %i bytes and a secret of %i', (name, client, server, secret) => {
  const group = groupByName(name)!;
  const mine = group.start(nodeCrypto);
  const answer = group.respond(nodeCrypto, mine.share);
  expect([mine.share.length, answer.share.length, answer.secret.length]).toEqual([client, server, secret]);
  // The uncompressed point of NIST's curves comes first (draft-ietf-tls-ecdhe-mlkem §3).
  if (name.startsWith('SecP')) expect([mine.share[0], answer.share[0]]).toEqual([4, 4]);
});

test.each(['ffdhe3072', 'ffdhe4096', 'ffdhe6144', 'ffdhe8192'])('TLS 1.3 with %s', (name) => {
  const pair = meet([name], [name], 'TLSv1.3');
  expect([...pair.client.errors, ...pair.server.errors]).toEqual([]);
  expect(pair.client.info).toMatchObject({ version: 'TLSv1.3', group: { name } });
});

describe('versions', () => {
  test('Brainpool curves of RFC 7027 are for TLS 1.2, those of RFC 8734 for TLS 1.3', () => {
    for (const group of GROUPS.filter(({ name }) => name.startsWith('brainpool')))
      expect([group.name, groupFits(group, TLS12), groupFits(group, TLS13)]).toEqual([
        group.name,
        !group.name.endsWith('tls13'),
        group.name.endsWith('tls13'),
      ]);
  });

  test.each([
    ['brainpoolP256r1tls13', 'brainpoolP256r1', 'TLSv1.3'],
    ['brainpoolP384r1', 'brainpoolP384r1tls13', 'TLSv1.2'],
  ] as const)('%s and not %s with %s', (good, bad, maxVersion) => {
    expect(meet([bad, good], [bad, good], maxVersion).client.info.group!.name).toBe(good);
    const none = meet([bad, 'x25519'], [bad], maxVersion);
    const code = maxVersion === 'TLSv1.3' ? 'no-common-group' : 'no-common-cipher-suite';
    expect(none.server.errors[0]?.code).toBe(code);
  });

  test('a share for a group that TLS 1.3 has not cannot be asked for', () => {
    const options = { provider: nodeCrypto, verifyCertificate: pki.verifier() };
    expect(() =>
      clientConfig({ ...options, groups: ['brainpoolP256r1'], keyShareGroups: ['brainpoolP256r1'] }),
    ).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});

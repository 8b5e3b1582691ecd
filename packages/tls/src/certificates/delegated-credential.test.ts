import { concat, utf8 } from '@testudo/codec';
import type { KeySpec, PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { allowsDelegation, Certificate } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { delegatedCredential, type SignedDelegation } from '../extensions/delegated-credential.ts';
import { certificate13 } from '../messages/certificate.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { KEYS, SERVER_NAME, TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { type Credential, credential } from './credential.ts';
import {
  type DelegationRequest,
  delegatedOnlyCredential,
  encodeDelegatedCredential,
  issueDelegatedCredential,
  loadDelegatedCredential,
} from './issue-delegation.ts';

const provider = nodeCrypto;
const pki = new TestPki(provider);
const verifyCertificate = pki.verifier();
const DAY = 86_400;
const now = Date.now();
const p256: KeySpec = { type: 'ec', curve: 'secp256r1' };

/** A certificate whose owner may delegate. */
function delegator(
  purpose: 'server' | 'client',
  options: { key?: KeySpec; delegationUsage?: boolean; days?: number } = {},
): Credential & { key: PrivateKey } {
  const issued = pki.authority.issue({
    ...{ purpose, names: [SERVER_NAME], delegationUsage: true, at: new Date(now), days: 30 },
    ...options,
  });
  const chain = issued.certificateChain.map(({ der }) => der);
  return { ...credential(provider, chain, issued.privateKey!), key: issued.privateKey! };
}

const server = delegator('server');
const client = delegator('client');
const shortLived = provider.generateKey({ type: 'ed25519' });
const issue = (changes: Partial<DelegationRequest> = {}) =>
  issueDelegatedCredential(provider, { delegator: server, key: shortLived, now, ...changes });

const clientWith = (options: Partial<ClientOptions>) =>
  clientEnd(clientConfig({ provider, verifyCertificate, ...options }));
const serverWith = (options: Partial<ServerOptions>) =>
  serverEnd(serverConfig({ provider, verifyCertificate, credentials: [server], ...options }));
const meet = (clientOptions: Partial<ClientOptions>, serverOptions: Partial<ServerOptions>) =>
  new Pair(clientWith(clientOptions), serverWith(serverOptions)).pump().settle();
const accepts = { acceptDelegatedCredentials: true } as const;

/** Seconds since the certificate's notBefore, from which a delegation counts. */
const AGE = Math.floor((now - +Certificate.parse(server.certificates[0]!).notBefore) / 1000);

/** The owner's own key must not be needed: a server at the edge does not have it. */
const withoutKey = (own: Credential): Credential => ({
  ...own,
  sign: () => Promise.reject(new Error('the key is not here')),
});

describe('a server', () => {
  test.each(['p256', 'p384', 'p521', 'ed25519', 'ed448'] as const)(
    'delegates to a key of kind %s',
    async (kind) => {
      const own = await issue({ key: provider.generateKey(KEYS[kind]) });
      const credentials = [withoutKey({ ...server, delegatedCredentials: [own] })];
      const ends = await meet(accepts, { credentials });
      expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
      expect(ends.client.info.peerDelegation).toEqual({ scheme: own.scheme, expiresAt: own.expiresAt });
      expect(ends.server.info.localDelegation).toEqual({ scheme: own.scheme, expiresAt: own.expiresAt });
      expect(ends.client.info.serverSignatureScheme).toBe(own.scheme);
      expect(ends.client.info.peerCertificates).toEqual(server.certificates);
    },
  );

  test.each<[string, KeySpec]>([
    ['RSA', { type: 'rsa', bits: 2048 }],
    ['Ed25519', { type: 'ed25519' }],
    ['P-384', { type: 'ec', curve: 'secp384r1' }],
  ])('with a certificate for %s delegates', async (_what, key) => {
    const owner = delegator('server', { key });
    const own = await issue({ delegator: owner });
    const ends = await meet(accepts, {
      credentials: [withoutKey({ ...owner, delegatedCredentials: [own] })],
    });
    expect(ends.client.errors).toEqual([]);
    expect(ends.client.info.peerDelegation).toBeDefined();
  });

  test('signs with its certificate’s key for clients that do not know it, and in TLS 1.2', async () => {
    const credentials = [{ ...server, delegatedCredentials: [await issue()] }];
    for (const options of [{}, { ...accepts, maxVersion: 'TLSv1.2' }] as const) {
      const ends = await meet(options, { credentials });
      expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
      expect(ends.client.info.peerDelegation).toBeUndefined();
      expect(ends.client.info.serverSignatureScheme?.name).toBe('ecdsa_secp256r1_sha256');
    }
  });

  test.each<[string, () => Promise<Credential['delegatedCredentials']>, Partial<ClientOptions>]>([
    ['is over', async () => [await issue({ lifetime: 10, now: now - 20_000 })], {}],
    ['is for clients', async () => [await issue({ role: 'client' })], {}],
    [
      'signs with what the client does not take',
      async () => [await issue()],
      { acceptDelegatedCredentials: ['ecdsa_secp256r1_sha256'] },
    ],
    [
      'is signed with what the client does not take',
      async () => [await issue({ delegator: delegator('server', { key: { type: 'ed448' } }) })],
      { signatureSchemes: ['ecdsa_secp256r1_sha256', 'ed25519'] },
    ],
  ])('does not show one that %s', async (_what, make, options) => {
    const ends = await meet(
      { ...accepts, ...options },
      { credentials: [{ ...server, delegatedCredentials: await make() }] },
    );
    expect(ends.client.errors).toEqual([]);
    expect(ends.client.info.peerDelegation).toBeUndefined();
  });

  test('shows the next one when the first is over', async () => {
    const later = await issue({ key: provider.generateKey(p256) });
    const delegatedCredentials = [await issue({ lifetime: 10, now: now - 20_000 }), later];
    const ends = await meet(accepts, { credentials: [{ ...server, delegatedCredentials }] });
    expect(ends.client.info.peerDelegation?.scheme).toBe(later.scheme);
  });

  test('a delegated key that is somewhere else, and one that fails', async () => {
    const remote = {
      publicKey: shortLived.publicKey,
      sign: async (_algorithm: unknown, data: Uint8Array) =>
        provider.sign({ name: 'ed25519' }, shortLived, data),
    };
    const good = await issue({ key: remote });
    const ends = await meet(accepts, { credentials: [{ ...server, delegatedCredentials: [good] }] });
    expect(ends.client.info.peerDelegation).toBeDefined();
    const bad = await issue({ key: { ...remote, sign: () => Promise.reject(new Error('gone')) } });
    const failed = await meet(accepts, { credentials: [{ ...server, delegatedCredentials: [bad] }] });
    expect(failed.server.errors.map(({ code }) => code)).toEqual(['signing-failed']);
  });
});

test('a client delegates', async () => {
  const own = await issue({ delegator: client, role: 'client' });
  const credentials = [withoutKey({ ...client, delegatedCredentials: [own] })];
  const ends = await meet({ credentials }, { ...accepts, clientCertificate: 'require' });
  expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
  expect(ends.server.info.peerDelegation).toEqual({ scheme: own.scheme, expiresAt: own.expiresAt });
  expect(ends.client.info.localDelegation?.scheme).toBe(own.scheme);
  expect(ends.server.info.clientSignatureScheme).toBe(own.scheme);
  // To a server that does not ask for it, the certificate's own key signs.
  const plain = { ...client, delegatedCredentials: [own] };
  const other = await meet({ credentials: [plain] }, { clientCertificate: 'require' });
  expect(other.server.info.peerDelegation).toBeUndefined();
  expect(other.server.errors).toEqual([]);
});

test('a client that is asked later delegates', async () => {
  const own = await issue({ delegator: client, role: 'client' });
  const shown = [withoutKey({ ...client, delegatedCredentials: [own] }), client];
  const options = { credentials: () => [shown.shift()!], postHandshakeAuth: true };
  const ends = await meet(options, { ...accepts, verifyCertificate });
  for (const peerDelegation of [{ scheme: own.scheme, expiresAt: own.expiresAt }, undefined]) {
    ends.server.connection.requestClientCertificate();
    await ends.settle();
    expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
    expect(ends.server.changes.at(-1)).toMatchObject({ peerDelegation });
    expect(ends.client.changes.at(-1)).toMatchObject({ localDelegation: peerDelegation });
  }
});

describe('a client refuses', () => {
  /** A delegation made by hand, as RFC 9345 §4 has it. */
  function delegation(
    changes: {
      /** Seconds from now on. */
      validTime?: number;
      scheme?: number;
      publicKey?: Uint8Array;
      algorithm?: number;
      context?: string;
      leaf?: Uint8Array;
      signer?: PrivateKey;
      change?: (signed: SignedDelegation) => SignedDelegation;
    } = {},
    owner: Credential & { key: PrivateKey } = server,
  ): SignedDelegation {
    const leaf = changes.leaf ?? owner.certificates[0]!;
    const { scheme = 0x0807, algorithm = 0x0403 } = changes;
    const validTime = AGE + (changes.validTime ?? DAY);
    const publicKey = changes.publicKey ?? shortLived.publicKey.spki;
    const numbers = new Uint8Array(9);
    const view = new DataView(numbers.buffer);
    view.setUint32(0, validTime);
    view.setUint16(4, scheme);
    numbers.set([publicKey.length >> 16, publicKey.length >> 8, publicKey.length], 6);
    const content = concat(
      new Uint8Array(64).fill(0x20),
      utf8(changes.context ?? 'TLS, server delegated credentials'),
      Uint8Array.of(0),
      leaf,
      ...[numbers, publicKey, Uint8Array.of(algorithm >> 8, algorithm & 255)],
    );
    const signature = provider.sign({ name: 'ecdsa', hash: 'sha256' }, changes.signer ?? owner.key, content);
    const signed = {
      delegation: { validTime, dcCertVerifyAlgorithm: scheme, publicKey },
      ...{ algorithm, signature },
    };
    return changes.change?.(signed) ?? signed;
  }

  function run(
    signed: SignedDelegation,
    options: Partial<ClientOptions> = {},
    owner: Credential = server,
    scheme = 0x0807,
  ) {
    const p = new PuppetServer13(provider, clientWith({ ...accepts, now: () => now, ...options }), owner);
    p.sendServerHello().send(p.encryptedExtensions());
    p.send(
      p.certificate({
        extensions: (block, index) => {
          if (index === 0) block.set(delegatedCredential, signed);
        },
      }),
    );
    if (p.end.errors.length > 0) return outcomeOf(p);
    const algorithm =
      scheme === 0x0807 ? { name: 'ed25519' as const } : { name: 'ecdsa' as const, hash: 'sha256' as const };
    p.send(
      p.certificateVerify({
        ...{ scheme, algorithm },
        credential: {
          ...owner,
          sign: (used, data) => provider.sign(used, scheme === 0x0807 ? shortLived : server.key, data),
        },
      }),
    );
    if (p.end.errors.length === 0) p.send(p.finished());
    return outcomeOf(p);
  }

  test('nothing that is right', () => {
    expect(run(delegation()).state).toBe('open');
    // The last moment, and the longest time that is allowed.
    expect(run(delegation({ validTime: 7 * DAY })).state).toBe('open');
    expect(run(delegation(), { now: () => now + 1000 * (DAY - 1) }).state).toBe('open');
  });

  const other = provider.generateKey(p256);
  test.each<[string, SignedDelegation, Partial<ClientOptions>]>([
    ['one that is over', delegation(), { now: () => now + 1000 * (DAY + 2) }],
    ['one that is valid for too long', delegation({ validTime: 7 * DAY + 2 }), {}],
    ['one for a scheme that it did not offer', delegation(), { acceptDelegatedCredentials: ['ed448'] }],
    [
      'one for rsa_pss_rsae',
      delegation({
        scheme: 0x0804,
        publicKey: provider.generateKey({ type: 'rsa', bits: 2048 }).publicKey.spki,
      }),
      {},
    ],
    ['one whose scheme does not fit its key', delegation({ scheme: 0x0403 }), {}],
    ['one whose key cannot be read', delegation({ publicKey: Uint8Array.of(1, 2, 3) }), {}],
    ['one for clients', delegation({ context: 'TLS, client delegated credentials' }), {}],
    ['one for another certificate', delegation({ leaf: client.certificates[0]! }), {}],
    ['one by another key', delegation({ signer: other }), {}],
    [
      'one whose time was changed',
      delegation({
        change: (s) => ({ ...s, delegation: { ...s.delegation, validTime: s.delegation.validTime + 1 } }),
      }),
      {},
    ],
    [
      'one whose key was changed',
      delegation({
        change: (s) => ({
          ...s,
          delegation: {
            ...s.delegation,
            publicKey: provider.generateKey({ type: 'ed25519' }).publicKey.spki,
          },
        }),
      }),
      {},
    ],
    [
      'one with a bit of its signature changed',
      delegation({ change: (s) => ({ ...s, signature: flipped(s.signature) }) }),
      {},
    ],
    [
      'one whose signature names another scheme',
      delegation({ change: (s) => ({ ...s, algorithm: 0x0503 }) }),
      {},
    ],
    [
      'one signed with a scheme that it did not offer',
      delegation({ change: (s) => ({ ...s, algorithm: 0x0203 }) }),
      {},
    ],
  ])('%s', (_what, signed, options) => {
    expect(run(signed, options)).toEqual(refused('illegal-parameter'));
  });

  test('one by a certificate that does not allow it', () => {
    const owner = delegator('server', { delegationUsage: false });
    expect(run(delegation({}, owner), {}, owner)).toEqual(refused('illegal-parameter'));
  });

  test('one by a certificate whose keyUsage cannot be read', () => {
    const leaf = server.certificates[0]!.slice();
    const oid = leaf.findIndex((byte, at) => byte === 0x55 && leaf[at + 1] === 0x1d && leaf[at + 2] === 0x0f);
    // A BIT STRING of one bit, digitalSignature: none is left.
    const value = leaf.indexOf(0x80, oid);
    expect([...leaf.subarray(value - 3, value)]).toEqual([3, 2, 7]);
    leaf[value] = 0;
    const owner = { ...server, certificates: [leaf] };
    expect(run(delegation({}, owner), {}, owner)).toEqual(refused('illegal-parameter'));
  });

  test('a CertificateVerify with another scheme, or by the certificate’s key', () => {
    expect(run(delegation(), {}, server, 0x0403)).toEqual(refused('illegal-parameter'));
  });

  test('one that it did not ask for', () => {
    expect(run(delegation(), { acceptDelegatedCredentials: false })).toEqual(refused('unexpected-message'));
  });

  test('the certificate, whatever it delegated: that is a verdict of its own', () => {
    const strange = { verifyCertificate: () => ({ accepted: false }) };
    const outcome = run(delegation(), strange);
    expect(outcome.codes).toEqual(['certificate-unknown']);
  });
});

test('a server refuses one that was made for servers', async () => {
  const own = await issue({ delegator: client, role: 'server' });
  const p = new PuppetClient13(provider, serverWith({ ...accepts, clientCertificate: 'require' }), client);
  p.sendHello();
  const extensions = new ExtensionBlock('certificate').set(delegatedCredential, own.signed);
  p.send(
    p.encoded(certificate13, {
      certificateRequestContext: new Uint8Array(0),
      certificateList: [{ certData: client.certificates[0]!, extensions }],
    }),
    p.certificateVerify(),
  );
  expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
});

describe('issuing', () => {
  test.each<[string, Partial<DelegationRequest>]>([
    ['more than seven days', { lifetime: 7 * DAY + 1 }],
    ['no time', { lifetime: 0 }],
    ['time before now', { lifetime: -1 }],
    ['time that is none', { lifetime: Number.NaN }],
    ['time beyond the certificate', { now: now + 29.5 * DAY * 1000, lifetime: DAY }],
    [
      'from a certificate that does not allow it',
      { delegator: delegator('server', { delegationUsage: false }) },
    ],
    ['from nothing', { delegator: { ...server, certificates: [] } }],
    ['to an RSA key', { key: provider.generateKey({ type: 'rsa', bits: 2048 }) }],
    ['for a scheme that does not fit the key', { scheme: 'ecdsa_secp256r1_sha256' }],
    ['with a scheme that does not fit the certificate', { signedWith: 'ed25519' }],
    ['with a scheme that does not exist', { signedWith: 'ed25520' }],
  ])('%s is refused', async (_what, changes) => {
    await expect(issue(changes)).rejects.toMatchObject({ code: 'bad-option' });
  });

  test('for seven days is allowed', async () => {
    const { expiresAt } = await issue({ lifetime: 7 * DAY });
    expect(Math.abs(expiresAt - now - 7 * DAY * 1000)).toBeLessThan(2000);
  });
});

describe('where the certificate’s key is not', () => {
  test('a delegated credential comes as bytes, and is the same', async () => {
    const own = await issue();
    const loaded = loadDelegatedCredential(provider, {
      ...{ bytes: encodeDelegatedCredential(own), certificate: server.certificates[0]!, key: shortLived },
    });
    expect(loaded).toMatchObject({ ...own, sign: expect.any(Function) });
    const credentials = [delegatedOnlyCredential(provider, server.certificates, [loaded])];
    const ends = await meet(accepts, { credentials });
    expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
    expect(ends.client.info.peerDelegation).toEqual({ scheme: own.scheme, expiresAt: own.expiresAt });
  });

  test.each<[string, Partial<Parameters<typeof loadDelegatedCredential>[1]>]>([
    ['another key', { key: provider.generateKey({ type: 'ed25519' }) }],
    ['another role', { role: 'client' }],
    ['another certificate', { certificate: client.certificates[0]! }],
  ])('for %s it is refused', async (_what, changes) => {
    const bytes = encodeDelegatedCredential(await issue());
    const right = { bytes, certificate: server.certificates[0]!, key: shortLived };
    expect(() => loadDelegatedCredential(provider, { ...right, ...changes })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });

  test('bytes that were changed or cut are refused', async () => {
    const bytes = encodeDelegatedCredential(await issue());
    const right = { certificate: server.certificates[0]!, key: shortLived };
    expect(() => loadDelegatedCredential(provider, { ...right, bytes: flipped(bytes) })).toThrow(TlsError);
    expect(() => loadDelegatedCredential(provider, { ...right, bytes: bytes.subarray(1) })).toThrow();
  });

  test('nobody is served who takes no delegated credential, unless another credential is there', async () => {
    const only = delegatedOnlyCredential(provider, server.certificates, [await issue()]);
    for (const options of [{}, { ...accepts, maxVersion: 'TLSv1.2' }] as const) {
      const alone = await meet(options, { credentials: [only] });
      expect(alone.server.errors.map(({ code }) => code)).toEqual(['no-common-signature-scheme']);
      const both = await meet(options, { credentials: [only, pki.server()] });
      expect(both.client.errors).toEqual([]);
      expect(both.client.info.peerCertificates).toEqual(pki.server().certificates);
    }
  });
});

test('certificates say whether they allow it', () => {
  expect(allowsDelegation(Certificate.parse(server.certificates[0]!))).toBe(true);
  expect(allowsDelegation(Certificate.parse(pki.server().certificates[0]!))).toBe(false);
});

test('options that make no sense', () => {
  for (const acceptDelegatedCredentials of [['rsa_pss_rsae_sha256'], ['rsa_pkcs1_sha256'], ['nonsense']])
    expect(() => clientConfig({ provider, verifyCertificate, acceptDelegatedCredentials })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
});

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
}

import { nodeCrypto } from '@testudo/crypto/node';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCertificateAuthority } from '../authority.ts';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { ExtensionOid } from '../oids.ts';
import { NOW } from '../testing/make.ts';
import { MemoryCertificateDatabase, serialKey } from './database.ts';
import { AuthorityError, ManagedAuthority } from './managed-authority.ts';

const provider = nodeCrypto;
const DAY = 86_400_000;
const later = (days: number): Date => new Date(+NOW + days * DAY);

const authority = createCertificateAuthority({ provider, commonName: 'CA', at: NOW });
let managed: ManagedAuthority;
beforeEach(() => {
  managed = new ManagedAuthority(authority, new MemoryCertificateDatabase());
});
const issue = async (days = 90): Promise<Certificate> =>
  (await managed.issue({ names: ['example.com'], purpose: 'server', at: NOW, days })).certificate;

test('what is issued is remembered, and a serial number is taken once', async () => {
  const certificate = await issue();
  const record = await managed.database.get(serialKey(certificate.serialNumber));
  expect(record).toEqual({ certificate });
  await expect(managed.database.add({ certificate })).rejects.toThrow('is already taken');
});

describe('renewing', () => {
  test('keeps names, usages and key, and changes serial number and dates', async () => {
    const old = await issue(90);
    const { certificate } = await managed.renew(old.serialNumber, { at: later(60) });
    expect(certificate.subject.equals(old.subject)).toBe(true);
    expect(certificate.spki).toEqual(old.spki);
    const others = ({ extensions }: Certificate): string[] =>
      [...extensions].map(({ oid, value }) => `${oid} ${value}`).sort();
    expect(others(certificate)).toEqual(others(old));
    expect(certificate.serialNumber).not.toEqual(old.serialNumber);
    expect(Math.abs(+certificate.notAfter - +later(150))).toBeLessThan(2 * 3_600_000);
    const key = provider.generateKey({ type: 'ed25519' });
    const other = await managed.renew(old.serialNumber, { at: later(60), publicKey: key.publicKey });
    expect(other.certificate.spki).toEqual(key.publicKey.spki);
  });

  test('does not go for what is revoked, unknown, of another CA, or a CA', async () => {
    const certificate = await issue();
    await managed.revoke(certificate.serialNumber);
    await expect(managed.renew(certificate.serialNumber)).rejects.toMatchObject({ code: 'already-revoked' });
    await expect(managed.renew(Uint8Array.of(1))).rejects.toMatchObject({ code: 'unknown-certificate' });
    const stranger = createCertificateAuthority({ provider, commonName: 'CA' });
    const foreign = stranger.issue({ names: ['a.test'], purpose: 'server' }).certificate;
    expect(() => authority.renew(foreign)).toThrow(expect.objectContaining({ code: 'unknown-issuer' }));
    expect(() => authority.renew(authority.certificate)).toThrow(CertificateError);
  });
});

describe('revoking', () => {
  test('is final, unless it is a hold', async () => {
    const [first, second] = [await issue(), await issue()];
    await managed.revoke(first.serialNumber, { reason: 'keyCompromise' });
    await expect(managed.revoke(first.serialNumber)).rejects.toThrow(AuthorityError);
    await expect(managed.release(first.serialNumber)).rejects.toMatchObject({ code: 'not-on-hold' });
    await managed.revoke(second.serialNumber, { reason: 'certificateHold' });
    await managed.release(second.serialNumber);
    await expect(managed.release(second.serialNumber)).rejects.toMatchObject({ code: 'not-on-hold' });
    await managed.revoke(second.serialNumber, { reason: 'certificateHold' });
    await managed.revoke(second.serialNumber, { reason: 'superseded' });
    expect((await managed.crl()).find(second.serialNumber)?.reason).toBe('superseded');
    await expect(managed.revoke(Uint8Array.of(1))).rejects.toMatchObject({ code: 'unknown-certificate' });
  });
});

describe('lists', () => {
  test('are numbered, and deltas say what changed since the last complete one', async () => {
    const [early, held, late] = [await issue(), await issue(), await issue()];
    await expect(managed.crl({ delta: true })).rejects.toMatchObject({ code: 'no-complete-list' });
    await managed.revoke(early.serialNumber, { at: later(1) });
    await managed.revoke(held.serialNumber, { at: later(1), reason: 'certificateHold' });
    const base = await managed.crl({ at: later(2) });
    await managed.revoke(late.serialNumber, { at: later(3) });
    await managed.release(held.serialNumber, later(3));
    const delta = await managed.crl({ at: later(4), delta: true });
    expect([base.number, base.baseNumber, delta.number, delta.baseNumber]).toEqual([1n, undefined, 2n, 1n]);
    expect(base.entries.count).toBe(2);
    expect([...delta.entries].map(({ reason }) => reason).sort()).toEqual(['removeFromCRL', undefined]);
    expect(delta.find(early.serialNumber)).toBeUndefined();
    const next = await managed.crl({ at: later(5) });
    expect(next.number).toBe(3n);
    expect(next.find(held.serialNumber)).toBeUndefined();
    expect(next.find(late.serialNumber)?.reason).toBeUndefined();
    expect(next.nextUpdate).toEqual(later(12));
  });

  test('name an expired certificate once more, and then no longer', async () => {
    const certificate = await issue(10);
    await managed.revoke(certificate.serialNumber, { at: later(1) });
    const counts: number[] = [];
    for (const day of [2, 9, 11, 18]) counts.push((await managed.crl({ at: later(day) })).entries.count);
    expect(counts).toEqual([1, 1, 1, 0]);
  });
});

test('its OCSP signer is short-lived, and nobody need check it', async () => {
  const { certificate } = await managed.ocspSigner({ at: NOW });
  expect(certificate.extensions.get(ExtensionOid.ocspNoCheck)?.critical).toBe(false);
  expect(certificate.extensions.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.9']);
  expect(+certificate.notAfter).toBeLessThanOrEqual(+later(30));
});

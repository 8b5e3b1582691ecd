import { nodeCrypto } from '@testudo/crypto/node';
import { CertificateError, createCertificateAuthority, TrustStore } from '@testudo/x509';
import { beforeEach, describe, expect, test } from 'vitest';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';
import { verifyWith } from './certificate-verifier.ts';
import { type CertificateToVerify, dangerouslyAccept } from './verdict.ts';

const provider = nodeCrypto;
const pki = new TestPki(provider);
const trust = new TrustStore([pki.authority.certificate]);
const now = Date.now();
const request: CertificateToVerify = {
  chain: pki.server().certificates,
  peer: 'server',
  name: SERVER_NAME,
  ocspResponse: undefined,
  now,
};
const verify = verifyWith(provider, () => trust);

async function refusal(changes: Partial<CertificateToVerify>, verifier = verify): Promise<unknown> {
  const verdict = await verifier({ ...request, ...changes });
  expect(verdict.accepted).toBe(false);
  expect(verdict.error).toBeInstanceOf(CertificateError);
  return (verdict.error as CertificateError).code;
}

describe('a chain that was accepted before', () => {
  beforeEach(async () => {
    expect(await verify(request)).toMatchObject({ accepted: true });
  });

  test('is accepted again, with the same path', async () => {
    const again = await verify({ ...request, chain: request.chain.map((der) => der.slice()) });
    expect(again.accepted).toBe(true);
    expect(again.path?.map(({ der }) => der)).toEqual([request.chain[0], pki.authority.certificate.der]);
  });

  test('is refused for another name', async () => {
    expect(await refusal({ name: 'other.example' })).toBe('name-mismatch');
  });

  test('is refused without a name', async () => {
    expect(await refusal({ name: undefined })).toBe('name-mismatch');
  });

  test('is refused once it has expired, and before it is valid', async () => {
    expect(await refusal({ now: now + 20 * 365 * 86_400_000 })).toBe('expired');
    expect(await refusal({ now: now - 20 * 365 * 86_400_000 })).toBe('not-yet-valid');
  });

  test('is refused as a client', async () => {
    expect(await refusal({ peer: 'client', name: undefined })).toBe('bad-extended-key-usage');
  });

  test('is refused by who does not trust its root', async () => {
    const stranger = createCertificateAuthority({ provider, commonName: 'Stranger' });
    const others = new TrustStore([stranger.certificate]);
    expect(
      await refusal(
        {},
        verifyWith(provider, () => others),
      ),
    ).toBe('unknown-issuer');
  });

  test('is refused with one bit of its signature changed', async () => {
    const forged = request.chain[0]!.slice();
    forged[forged.length - 20]! ^= 1;
    expect(await refusal({ chain: [forged] })).toBe('bad-signature');
  });
});

describe('who accepts everything', () => {
  const expected = { accepted: true, error: expect.objectContaining({ code: 'name-mismatch' }) };
  const stranger = { ...request, name: 'other.example' };

  test('answers at once where the verifier does, so that no hello waits, and keeps what is wrong', () => {
    expect(dangerouslyAccept(verify)(stranger)).toMatchObject(expected);
  });

  test('answers later where the verifier does', async () => {
    const verdict = dangerouslyAccept(async (asked) => verify(asked))(stranger);
    expect(verdict).toBeInstanceOf(Promise);
    expect(await verdict).toMatchObject(expected);
  });
});

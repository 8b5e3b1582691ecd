import { fromBase64 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  createCertificateAuthority,
  type Fetcher,
  fetchingChecker,
  HARD_FAIL,
  ManagedAuthority,
  MemoryCertificateDatabase,
  OcspStapler,
  TrustStore,
} from '@testudo/x509';
import { expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME } from '../testing/pki.ts';
import { certificateVerifier } from './certificate-verifier.ts';
import { type Credential, credential } from './credential.ts';
import type { RevocationOptions } from './stapled-revocation.ts';
import type { CertificateVerifier } from './verdict.ts';

// Revocation as it is used: a client that asks a responder, and a server that staples what the responder says.

const provider = nodeCrypto;
const HOUR = 3_600_000;

/** A CA with a responder, a server of it, and a network without sockets. */
async function setUp() {
  const at = new Date(Date.now() - HOUR);
  const authority = createCertificateAuthority({ provider, commonName: 'CA', at }).withPublication({
    ocsp: ['http://ocsp.example/'],
  });
  const managed = new ManagedAuthority(authority, new MemoryCertificateDatabase());
  const { certificate, privateKey } = await managed.issue({ names: [SERVER_NAME], purpose: 'server', at });
  const network = { isUp: true, asked: 0 };
  const fetch: Fetcher = async ({ url, body }) => {
    network.asked++;
    if (!network.isUp) throw new Error('no network');
    // A short request stands in the address (RFC 6960 §A.1).
    const inUrl = () => fromBase64(decodeURIComponent(url.slice('http://ocsp.example/'.length)));
    return { body: await managed.ocsp(body ?? inUrl()) };
  };
  const own = credential(provider, [certificate.der], privateKey!);
  const trust = new TrustStore([authority.certificate]);
  return { authority, managed, certificate, network, fetch, own, trust };
}

/** Until both are open or have failed. */
async function outcome(own: Credential, trust: TrustStore, revocation: RevocationOptions): Promise<string> {
  const verifyCertificate = certificateVerifier({ provider, trust: () => trust, revocation });
  const pair = new Pair(
    clientEnd(clientConfig({ provider, verifyCertificate })),
    serverEnd(serverConfig({ provider, credentials: [own] })),
  ).pump();
  const isOver = ({ secured, errors }: TestEnd) => secured.length + errors.length > 0;
  while (!isOver(pair.client) || !isOver(pair.server)) {
    await new Promise((resolve) => setImmediate(resolve));
    pair.pump();
  }
  return pair.client.errors[0]?.code ?? 'accepted';
}

test('a client asks the responder, and remembers the answer', async () => {
  const { managed, certificate, network, fetch, own, trust } = await setUp();
  const revocation = () => ({
    policy: HARD_FAIL,
    fetching: fetchingChecker({ provider, fetch, policy: HARD_FAIL }),
  });
  const one = revocation();
  expect(await outcome(own, trust, one)).toBe('accepted');
  expect(await outcome(own, trust, one)).toBe('accepted');
  expect(network.asked).toBe(1);
  await managed.revoke(certificate.serialNumber);
  expect(await outcome(own, trust, revocation())).toBe('certificate-revoked');
  network.isUp = false;
  expect(await outcome(own, trust, revocation())).toBe('bad-certificate-status');
});

test('an issuer that the server left out is fetched', async () => {
  const root = createCertificateAuthority({ provider, commonName: 'Root' });
  const below = root
    .issueAuthority({ commonName: 'Below' })
    .withPublication({ issuer: ['http://ca.example/below.cer'] });
  const issued = below.issue({ purpose: 'server', names: [SERVER_NAME] });
  const own = credential(provider, [issued.certificate.der], issued.privateKey!);
  const trust = () => new TrustStore([root.certificate]);
  const request = { chain: own.certificates, peer: 'server', name: SERVER_NAME, now: Date.now() } as const;
  const judge = (verifier: CertificateVerifier) => verifier({ ...request, ocspResponse: undefined });
  const asked: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    return below.certificate.der;
  };
  const verdict = await judge(certificateVerifier({ provider, trust, issuers: { fetch } }));
  expect(verdict).toMatchObject({ accepted: true });
  expect(verdict.path).toHaveLength(3);
  expect(asked).toEqual(['http://ca.example/below.cer']);
  const without = await judge(certificateVerifier({ provider, trust }));
  expect(without).toMatchObject({ accepted: false, error: { code: 'unknown-issuer' } });
});

test('where the responder cannot be reached, soft-fail goes on', async () => {
  const { network, fetch, own, trust } = await setUp();
  network.isUp = false;
  expect(await outcome(own, trust, { fetching: fetchingChecker({ provider, fetch }) })).toBe('accepted');
});

test('a server staples what its stapler has, and nothing once that is over', async () => {
  const { authority, managed, certificate, fetch, own, trust } = await setUp();
  let now = Date.now();
  const clock = { now: () => now, schedule: () => () => {} };
  const stapler = new OcspStapler({ provider, certificate, issuer: authority.certificate, fetch, clock });
  const credentialOf: Credential = {
    ...own,
    get ocspResponse() {
      return stapler.response;
    },
  };
  const requires = { mustStaple: 'require' } as const;
  expect(await outcome(credentialOf, trust, requires)).toBe('bad-certificate-status');
  await stapler.start();
  expect(await outcome(credentialOf, trust, requires)).toBe('accepted');
  await managed.revoke(certificate.serialNumber);
  // The old answer counts as long as it says; then the stapler has a worse one, and staples none.
  expect(await outcome(credentialOf, trust, requires)).toBe('accepted');
  await stapler.refresh();
  now += 48 * HOUR;
  expect(await outcome(credentialOf, trust, requires)).toBe('bad-certificate-status');
  stapler.stop();
});

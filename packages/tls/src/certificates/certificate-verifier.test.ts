import { nodeCrypto } from '@testudo/crypto/node';
import {
  type AsyncRevocationChecker,
  type CertificateLog,
  createCertificateAuthority,
  crlChecker,
  encodeOcspRequest,
  encodeSctList,
  HARD_FAIL,
  type IssuedCertificate,
  LogList,
  ManagedAuthority,
  MemoryCertificateDatabase,
  NO_REVOCATION,
  ocspCertificateId,
  type RevocationStatus,
  type SignedCertificateTimestamp,
  TrustStore,
} from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME } from '../testing/pki.ts';
import { type CertificateVerifierOptions, certificateVerifier } from './certificate-verifier.ts';
import { type Credential, credential } from './credential.ts';
import type { RevocationOptions } from './stapled-revocation.ts';
import type { CertificateToVerify } from './verdict.ts';

const provider = nodeCrypto;
const DAY = 86_400_000;
const now = Date.now();
const before = new Date(now - 10 * DAY);

const root = createCertificateAuthority({ provider, commonName: 'Root', at: before });
const managed = new ManagedAuthority(
  root.issueAuthority({ commonName: 'Below', at: before }),
  new MemoryCertificateDatabase(),
);
const managedRoot = new ManagedAuthority(root, new MemoryCertificateDatabase());
const issue = (mustStaple: boolean, purpose: 'server' | 'client' = 'server'): Promise<IssuedCertificate> =>
  managed.issue({ names: [SERVER_NAME], purpose, mustStaple, at: before });

const plain = await issue(false);
const strict = await issue(true);
const revoked = await issue(false);
const strictRevoked = await issue(true);
const client = await issue(false, 'client');
const revokedClient = await issue(false, 'client');
for (const { certificate } of [revoked, strictRevoked, revokedClient])
  await managed.revoke(certificate.serialNumber, { at: before });

/** What the responder says about a certificate at a moment. */
async function staple({ certificate }: IssuedCertificate, at = now): Promise<Uint8Array> {
  const id = ocspCertificateId(provider, certificate.serialNumber, managed.authority.certificate);
  return managed.ocsp(encodeOcspRequest({ certificateIds: [id] }), { at: new Date(at) });
}

function credentialOf(issued: IssuedCertificate, extra: Partial<Credential> = {}): Credential {
  const chain = issued.certificateChain.map(({ der }) => der);
  return { ...credential(provider, chain, issued.privateKey!), ...extra };
}

const trust = () => new TrustStore([root.certificate]);

function verifierWith(options: Partial<CertificateVerifierOptions>) {
  return certificateVerifier({ provider, trust, ...options });
}

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
type VersionName = (typeof VERSIONS)[number];

/** What a client says to a server's certificate, and what alert the server gets. */
async function clientsVerdict(
  maxVersion: VersionName,
  own: Credential,
  options: Partial<CertificateVerifierOptions>,
): Promise<string> {
  const pair = await new Pair(
    clientEnd(
      clientConfig({
        ...{ provider, maxVersion, requestTimestamps: true },
        verifyCertificate: verifierWith(options),
      }),
    ),
    serverEnd(serverConfig({ provider, credentials: [own] })),
  )
    .pump()
    .settle();
  if (pair.client.errors.length === 0) return 'accepted';
  expect(pair.server.errors).toHaveLength(1);
  return `${pair.client.errors[0]!.code}, ${pair.server.errors[0]!.receivedAlert}`;
}

const REVOKED = 'certificate-revoked, certificate_revoked';
const NO_STATUS = 'bad-certificate-status, bad_certificate_status_response';

describe.each(VERSIONS)('%s: a stapled response', (version) => {
  const judge = async (
    issued: IssuedCertificate,
    ocspResponse: Uint8Array | undefined,
    revocation: RevocationOptions | undefined,
  ) => clientsVerdict(version, credentialOf(issued, { ocspResponse }), { revocation });

  test('that is good', async () => {
    for (const issued of [plain, strict])
      for (const revocation of [
        {},
        { policy: { ...HARD_FAIL, scope: 'leaf' } },
        { mustStaple: 'require' },
      ] as const)
        expect(await judge(issued, await staple(issued), revocation)).toBe('accepted');
  });

  test('that says revoked', async () => {
    for (const issued of [revoked, strictRevoked])
      for (const revocation of [{}, { mustStaple: 'require' }] as const)
        expect(await judge(issued, await staple(issued), revocation)).toBe(REVOKED);
  });

  test('that is stale', async () => {
    const stale = await staple(strict, now - 5 * DAY);
    expect(await judge(strict, stale, {})).toBe(NO_STATUS);
    const stalePlain = await staple(plain, now - 5 * DAY);
    expect(await judge(plain, stalePlain, {})).toBe('accepted');
    expect(await judge(plain, stalePlain, { mustStaple: 'require' })).toBe(NO_STATUS);
    expect(await judge(plain, stalePlain, { policy: HARD_FAIL })).toBe(NO_STATUS);
  });

  test('that is about another certificate, or is none', async () => {
    for (const response of [await staple(plain), Uint8Array.of(1, 2, 3)])
      expect(await judge(strict, response, {})).toBe(NO_STATUS);
  });

  test('that is absent', async () => {
    expect(await judge(plain, undefined, {})).toBe('accepted');
    expect(await judge(plain, undefined, { mustStaple: 'require' })).toBe(NO_STATUS);
    expect(await judge(plain, undefined, { policy: HARD_FAIL })).toBe(NO_STATUS);
    expect(await judge(strict, undefined, {})).toBe(NO_STATUS);
  });

  test('does not matter to who does not ask', async () => {
    expect(await judge(strictRevoked, await staple(strictRevoked), undefined)).toBe('accepted');
    expect(await judge(strict, undefined, { policy: NO_REVOCATION })).toBe('accepted');
  });

  test('is matched with its certificate wherever that stands in the chain', async () => {
    const own = credentialOf(revoked);
    const [leaf, below] = own.certificates as [Uint8Array, Uint8Array];
    // The root in between: the path is leaf, below, root.
    const shuffled = { ...own, certificates: [leaf, root.certificate.der, below] };
    const id = ocspCertificateId(provider, managed.authority.certificate.serialNumber, root.certificate);
    const aboutBelow = await managedRoot.ocsp(encodeOcspRequest({ certificateIds: [id] }), {
      at: new Date(now),
    });
    const ocspResponses = [undefined, aboutBelow, await staple(revoked)];
    expect(await clientsVerdict(version, { ...shuffled, ocspResponses }, { revocation: {} })).toBe(
      'accepted',
    );
    const right = [await staple(revoked)];
    expect(await clientsVerdict(version, { ...shuffled, ocspResponses: right }, { revocation: {} })).toBe(
      REVOKED,
    );
  });
});

describe('others who know', () => {
  const status = (answer: RevocationStatus, onUnknown: 'accept' | 'refuse' = 'accept') => {
    const asked: number[] = [];
    const fetching: AsyncRevocationChecker = {
      onUnknown,
      check: async ({ index }) => {
        asked.push(index);
        await Promise.resolve();
        return index === 0 ? answer : { status: 'good' };
      },
    };
    return { asked, fetching };
  };

  test('a list', async () => {
    const checker = crlChecker({ provider, lists: [await managed.crl({ at: new Date(now - 1000) })] });
    const revocation = { checker };
    for (const version of VERSIONS) {
      expect(await clientsVerdict(version, credentialOf(revoked), { revocation })).toBe(REVOKED);
      expect(await clientsVerdict(version, credentialOf(plain), { revocation })).toBe('accepted');
    }
  });

  test('who answers later', async () => {
    const bad = status({ status: 'revoked' });
    expect(await clientsVerdict('TLSv1.3', credentialOf(plain), { revocation: bad })).toBe(REVOKED);
    const good = status({ status: 'good' });
    expect(await clientsVerdict('TLSv1.3', credentialOf(plain), { revocation: good })).toBe('accepted');
    expect(good.asked).toEqual([0, 1]);
    const unknown = status({ status: 'unknown', reason: 'no network' }, 'refuse');
    expect(await clientsVerdict('TLSv1.3', credentialOf(plain), { revocation: unknown })).toBe(NO_STATUS);
  });

  test('who is there alone, whatever is stapled', async () => {
    const asked: number[] = [];
    const says = (answer: RevocationStatus) => ({
      revocation: {
        onUnknown: 'refuse' as const,
        check: ({ index }: { readonly index: number }) => {
          asked.push(index);
          return answer;
        },
      },
    });
    const own = credentialOf(revoked, { ocspResponse: await staple(revoked) });
    expect(await clientsVerdict('TLSv1.3', own, says({ status: 'good' }))).toBe('accepted');
    expect(asked).toEqual([0, 1]);
    const good = credentialOf(plain, { ocspResponse: await staple(plain) });
    expect(await clientsVerdict('TLSv1.3', good, says({ status: 'revoked' }))).toBe(REVOKED);
    const unknown = says({ status: 'unknown', reason: 'no list' });
    expect(await clientsVerdict('TLSv1.3', good, unknown)).toBe(NO_STATUS);
  });

  test('are not asked about what is stapled', async () => {
    const other = status({ status: 'revoked' });
    const own = credentialOf(plain, { ocspResponse: await staple(plain) });
    expect(await clientsVerdict('TLSv1.3', own, { revocation: other })).toBe('accepted');
    expect(other.asked).toEqual([1]);
  });

  test('do not stand in for a stapled response that is demanded', async () => {
    const other = status({ status: 'good' });
    expect(await clientsVerdict('TLSv1.3', credentialOf(strict), { revocation: other })).toBe(NO_STATUS);
    const required = { ...other, mustStaple: 'require' as const };
    expect(await clientsVerdict('TLSv1.3', credentialOf(plain), { revocation: required })).toBe(NO_STATUS);
  });
});

describe.each(VERSIONS)('%s: a server', (maxVersion) => {
  const serversVerdict = async (own: Credential, revocation: RevocationOptions) => {
    const pair = await new Pair(
      clientEnd(
        clientConfig({ provider, maxVersion, verifyCertificate: verifierWith({}), credentials: [own] }),
      ),
      serverEnd(
        serverConfig({
          ...{ provider, credentials: [credentialOf(plain)], clientCertificate: 'require' },
          verifyCertificate: verifierWith({ revocation }),
        }),
      ),
    )
      .pump()
      .settle();
    const [error] = pair.server.errors;
    return error === undefined ? 'accepted' : `${error.code}, ${pair.client.errors[0]!.receivedAlert}`;
  };

  test('refuses a client whose certificate is revoked', async () => {
    const checker = crlChecker({ provider, lists: [await managed.crl({ at: new Date(now - 1000) })] });
    expect(await serversVerdict(credentialOf(client), { checker })).toBe('accepted');
    expect(await serversVerdict(credentialOf(revokedClient), { checker })).toBe(REVOKED);
  });

  test('refuses a client of which nothing is known, if it must be', async () => {
    expect(await serversVerdict(credentialOf(client), { policy: HARD_FAIL })).toBe(
      'certificate-unknown, certificate_unknown',
    );
    expect(await serversVerdict(credentialOf(client), { mustStaple: 'require' })).toBe('accepted');
  });
});

describe('Certificate Transparency', () => {
  const logKeys = ['One', 'Two'].map((operator) => {
    const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
    const { spki } = key.publicKey;
    const log: CertificateLog = {
      ...{ id: provider.digest('sha256', spki), spki, description: operator, operator },
      ...{ state: 'usable', stateSince: undefined, interval: undefined },
    };
    return { key, log };
  });
  const logs = () => new LogList(logKeys.map(({ log }) => log));

  /** A timestamp over the certificate itself, written down from RFC 6962 §3.2. */
  function timestamp({ key, log }: (typeof logKeys)[number], { certificate }: IssuedCertificate) {
    const time = new Uint8Array(8);
    new DataView(time.buffer).setBigUint64(0, BigInt(now - DAY));
    const { der } = certificate;
    const length = Uint8Array.of(der.length >> 16, (der.length >> 8) & 255, der.length & 255);
    const signed = Uint8Array.of(0, 0, ...time, 0, 0, ...length, ...der, 0, 0);
    const sct: SignedCertificateTimestamp = {
      ...{ origin: 'tls', logId: log.id, timestamp: BigInt(now - DAY), extensions: new Uint8Array(0) },
      ...{ hashAlgorithm: 4, signatureAlgorithm: 3 },
      signature: provider.sign({ name: 'ecdsa', hash: 'sha256' }, key, signed),
    };
    return sct;
  }

  const [one, two] = logKeys as [(typeof logKeys)[number], (typeof logKeys)[number]];
  const sent = (...scts: SignedCertificateTimestamp[]) =>
    credentialOf(plain, { signedCertificateTimestamps: encodeSctList(scts) });
  const UNKNOWN = 'certificate-unknown, certificate_unknown';

  test.each(VERSIONS)(
    '%s: timestamps of two operators are enough, fewer or wrong ones are not',
    async (version) => {
      const judge = (own: Credential) => clientsVerdict(version, own, { transparency: { logs } });
      expect(await judge(sent(timestamp(one, plain), timestamp(two, plain)))).toBe('accepted');
      expect(await judge(sent(timestamp(one, plain)))).toBe(UNKNOWN);
      expect(await judge(sent(timestamp(one, plain), timestamp(one, plain)))).toBe(UNKNOWN);
      expect(await judge(sent(timestamp(one, plain), timestamp(two, strict)))).toBe(UNKNOWN);
      expect(await judge(credentialOf(plain))).toBe(UNKNOWN);
      const nonsense = Uint8Array.of(0, 3, 0, 1, 9);
      expect(await judge(credentialOf(plain, { signedCertificateTimestamps: nonsense }))).toBe(UNKNOWN);
    },
  );

  test('roots that are exempt, and the reason in the error', async () => {
    const exempts = () => true;
    expect(await clientsVerdict('TLSv1.3', credentialOf(plain), { transparency: { logs, exempts } })).toBe(
      'accepted',
    );
    const verdict = await verifierWith({ transparency: { logs } })({
      ...{ chain: credentialOf(plain).certificates, peer: 'server', name: SERVER_NAME, now },
      ocspResponse: undefined,
    });
    expect(verdict.error).toMatchObject({ code: 'not-logged' });
    expect(verdict.error!.message).toContain('timestamps from logs are needed');
  });

  test('clients’ certificates need not be logged', async () => {
    const verdict = await verifierWith({ transparency: { logs } })({
      ...{ chain: credentialOf(client).certificates, peer: 'client', name: undefined, now },
      ocspResponse: undefined,
    });
    expect(verdict.accepted).toBe(true);
  });
});

describe('what every verifier refuses', () => {
  const request: CertificateToVerify = {
    chain: credentialOf(plain).certificates,
    ...{ peer: 'server', name: SERVER_NAME, ocspResponse: undefined, now },
  };

  test.each([
    ['another name', { name: 'other.example' }, 'name-mismatch'],
    ['no name', { name: undefined }, 'name-mismatch'],
    ['a moment too late', { now: now + 1000 * DAY }, 'expired'],
    ['nothing', { chain: [] }, 'unknown-issuer'],
    ['what is no certificate', { chain: [Uint8Array.of(1)] }, 'malformed'],
  ])('%s', async (_what, changes, code) => {
    for (const options of [
      {},
      { revocation: { fetching: { onUnknown: 'accept', check: () => GOOD } } },
    ] as const) {
      const verdict = await verifierWith(options)({ ...request, ...changes });
      expect(verdict).toMatchObject({ accepted: false, error: { code } });
    }
  });

  test('but any name is taken by who says so', async () => {
    const verdict = await verifierWith({ dangerouslyAnyName: true })({ ...request, name: undefined });
    expect(verdict.accepted).toBe(true);
  });
});

const GOOD: RevocationStatus = { status: 'good' };

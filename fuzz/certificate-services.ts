import { bytesEqual } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  buildCrl,
  CertificateError,
  CertificateRevocationList,
  type CrlEntryContent,
  checkTransparency,
  createCertificateAuthority,
  createCertificationRequest,
  createPkcs12,
  crlChecker,
  encodeOcspRequest,
  encodeSctList,
  HARD_FAIL,
  LogList,
  ManagedAuthority,
  MemoryCertificateDatabase,
  ocspCertificateId,
  parseOcspRequest,
  parsePkcs12,
  parsePrivateKey,
  parseSctList,
  privateKeyToEncryptedPem,
  type SignedCertificateTimestamp,
  verifyOcspResponse,
} from '@testudo/x509';
import { guarded } from './checks.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';

// What stands around certificates: lists, OCSP, requests, PKCS#12 files, timestamps. All of them come from strangers.

/** One input: makes it from the random numbers, tries it, and tells what it broke. */
type Target = (random: Random) => { breach: string | undefined; input: readonly Uint8Array[] };

const provider = nodeCrypto;
const at = new Date();
const authority = createCertificateAuthority({ provider, commonName: 'CA' });
const managed = new ManagedAuthority(authority, new MemoryCertificateDatabase());
const revoked = await managed.issue({ names: ['example.com'], purpose: 'server' });
await managed.revoke(revoked.certificate.serialNumber, { reason: 'keyCompromise', invalidityDate: at });
const { certificate } = revoked;
const path = [certificate, authority.certificate];
const question = { certificate, issuer: authority.certificate, path, index: 0, at } as const;

/** Runs what may refuse its input with a CertificateError, and with nothing else. */
function typed(run: () => string | undefined): string | undefined {
  return guarded(() => {
    try {
      return run();
    } catch (error) {
      if (error instanceof CertificateError) return undefined;
      throw error;
    }
  });
}

const entries: readonly CrlEntryContent[] = [
  { serialNumber: Uint8Array.of(1), revocationDate: at, reason: 'superseded' },
  {
    ...{ serialNumber: certificate.serialNumber, revocationDate: at, reason: 'keyCompromise' as const },
    invalidityDate: at,
  },
];
const crlBase = { thisUpdate: at, nextUpdate: new Date(+at + 86_400_000), number: 1n };
const CRLS: readonly Uint8Array[] = [
  buildCrl({ ...crlBase, entries }, provider, authority).der,
  buildCrl({ ...crlBase, entries: [], baseNumber: 1n, number: 2n }, provider, authority).der,
  buildCrl(
    {
      ...crlBase,
      entries: entries.map((entry) => ({ ...entry, certificateIssuer: authority.certificate.subject })),
      issuingDistributionPoint: {
        urls: ['http://a.test/'],
        indirect: true,
        onlySomeReasons: ['keyCompromise'],
      },
      freshestCrlUrls: ['http://b.test/'],
    },
    provider,
    authority,
  ).der,
];

/** CRLs, changed: never say that the revoked certificate is good, and have entries that can be walked. */
function changedCrls(random: Random): ReturnType<Target> {
  const input = mutate(random.pick(CRLS), random, random.pick(CRLS));
  const breach = typed(() => {
    const list = CertificateRevocationList.parse(input);
    const status = crlChecker({ provider, lists: [list], policy: HARD_FAIL }).check(question);
    let count = 0;
    for (const entry of list.entries) {
      count++;
      if (list.find(entry.serialNumber, entry.issuer[0]) === undefined) return 'an entry that is not found';
    }
    if (count !== list.entries.count) return `${count} entries, not ${list.entries.count}`;
    return status.status === 'good' ? 'a revoked certificate is good' : undefined;
  });
  return { breach, input: [input] };
}

const id = ocspCertificateId(provider, certificate.serialNumber, authority.certificate);
const REQUESTS: readonly Uint8Array[] = [
  encodeOcspRequest({ certificateIds: [id] }),
  encodeOcspRequest({
    certificateIds: [id, { ...id, serialNumber: Uint8Array.of(1) }],
    nonce: new Uint8Array(32),
  }),
];
const signer = await managed.ocspSigner();
const RESPONSES: readonly Uint8Array[] = await Promise.all(
  REQUESTS.flatMap((request) => [managed.ocsp(request, { at }), managed.ocsp(request, { at, signer })]),
);

/** OCSP requests and responses, changed. */
function changedOcsp(random: Random): ReturnType<Target> {
  const request = mutate(random.pick(REQUESTS), random, random.pick(RESPONSES));
  const response = mutate(random.pick(RESPONSES), random, random.pick(RESPONSES));
  const breach =
    typed(() => void parseOcspRequest(request)) ??
    typed(() => {
      const { status } = verifyOcspResponse({ provider, response, ...question });
      return status === 'good' ? 'a revoked certificate is good' : undefined;
    });
  return { breach, input: [request, response] };
}

const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
const CSRS: readonly Uint8Array[] = [
  createCertificationRequest({ provider, privateKey: key, names: ['example.com'], mustStaple: true }).der,
  createCertificationRequest({
    ...{ provider, privateKey: key, names: ['192.0.2.1', 'a@example.com', 'http://a.test/'] },
    subject: { country: 'DE', organization: 'Example', commonName: 'example.com' },
  }).der,
];

/** Certification requests, changed: never signed. */
function changedRequests(random: Random): ReturnType<Target> {
  const input = mutate(random.pick(CSRS), random, random.pick(CSRS));
  const isChanged = CSRS.every((original) => !bytesEqual(original, input));
  const breach = typed(() => {
    authority.sign(input, { purpose: 'server', names: 'any' });
    return isChanged ? 'a changed request is signed' : undefined;
  });
  return { breach, input: [input] };
}

const password = 'secret';
const limits = { steps: 20_000, memory: 1 << 24 };
const p12 = { provider, password, privateKey: key, certificates: [certificate, authority.certificate] };
const FILES: readonly Uint8Array[] = [
  createPkcs12({ ...p12, iterations: 10 }),
  createPkcs12({ ...p12, iterations: 10, encryption: 'legacy' }),
  createPkcs12({ ...p12, iterations: 10, mac: 'pbmac1' }),
];
const KEYS: readonly string[] = [
  privateKeyToEncryptedPem(key, password, provider, { iterations: 10 }),
  privateKeyToEncryptedPem(key, password, provider, { scheme: '3des', iterations: 10 }),
];
const KEY_BYTES = KEYS.map((pem) =>
  Uint8Array.from(Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64')),
);

/** PKCS#12 files and encrypted keys, changed: with their MAC looked at and without. */
function changedFiles(random: Random): ReturnType<Target> {
  const file = mutate(random.pick(FILES), random, random.pick(FILES));
  const encrypted = mutate(random.pick(KEY_BYTES), random, random.pick(FILES));
  const breach =
    typed(() => void parsePkcs12(file, { provider, password, limits })) ??
    typed(() => void parsePkcs12(file, { provider, password, limits, requiresMac: false })) ??
    typed(() => void parsePrivateKey(encrypted, provider, { password, limits }));
  return { breach, input: [file, encrypted] };
}

const logId = provider.digest('sha256', key.publicKey.spki);
const logs = new LogList([
  {
    id: logId,
    spki: key.publicKey.spki,
    description: '',
    operator: 'x',
    state: 'usable',
    stateSince: undefined,
    interval: undefined,
  },
]);
const sct: SignedCertificateTimestamp = {
  origin: 'tls',
  logId,
  timestamp: 1n,
  extensions: new Uint8Array(3),
  hashAlgorithm: 4,
  signatureAlgorithm: 3,
  signature: new Uint8Array(70),
};
const SCTS: readonly Uint8Array[] = [encodeSctList([sct]), encodeSctList([sct, sct, sct])];

/** Lists of timestamps, changed. */
function changedTimestamps(random: Random): ReturnType<Target> {
  const input = mutate(random.pick(SCTS), random, random.pick(SCTS));
  const breach =
    typed(() => void parseSctList(input, 'tls')) ??
    typed(() => {
      const verdict = checkTransparency({ provider, ...question, logs, tlsList: input });
      return verdict.complies ? 'complies without a signature' : undefined;
    });
  return { breach, input: [input] };
}

export const CERTIFICATE_SERVICES: Readonly<Record<string, Target>> = {
  crls: changedCrls,
  ocsp: changedOcsp,
  requests: changedRequests,
  pkcs12: changedFiles,
  timestamps: changedTimestamps,
};

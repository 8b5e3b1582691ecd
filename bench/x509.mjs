import { X509Certificate as NodeCertificate } from 'node:crypto';
import { parseArgs } from 'node:util';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  Certificate,
  createCertificateAuthority,
  TrustStore,
  VerificationCache,
  verifyCertificate,
  webPkiProfile,
} from '@testudo/x509';
import { certificatesTable, summariseLanes } from './lib/certificates.mjs';
import { PeculiarChain } from './lib/peculiar.mjs';

/**
 * Certificates alone: parsing and verifying a chain of three, from bytes to a verdict, in one process. Against Node's own
 * X509Certificate and @peculiar/x509, round by round in turn. Everything is parsed anew each time; `warm` is ours with a
 * cache that has met the chain. Prints microseconds of CPU time (all threads) per chain, and the ratio to Node's; with
 * `--json` the same as JSON, for `npm run bench`.
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 9));
if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a number from 1');
const size = options.quick ? 50 : 400;

const NAME = 'bench.test';
const KEYS = {
  'ECDSA P-256': { type: 'ec', curve: 'secp256r1' },
  'RSA 2048': { type: 'rsa', bits: 2048 },
};

/** Leaf, intermediate and root, DER. */
function makeChain(key) {
  const root = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Bench Root', key });
  const intermediate = root.issueAuthority({ commonName: 'Bench Intermediate', key });
  const { certificate } = intermediate.issue({ purpose: 'server', names: [NAME], key });
  return [certificate, intermediate.certificate, root.certificate].map(({ der }) => Buffer.from(der));
}

/** What each stack does with one chain; throws when it is not accepted. */
function contenders(chain) {
  const [leaf, intermediate, root] = chain;
  const cache = new VerificationCache();
  const trust = new TrustStore([Certificate.parse(root)]);
  const peculiar = new PeculiarChain(chain);
  const verify = (certificates, rest) =>
    verifyCertificate({
      provider: nodeCrypto,
      chain: certificates,
      at: new Date(),
      purpose: 'server',
      name: { kind: 'dns', value: NAME },
      ...rest,
    });
  return {
    node: () => nodeVerify(leaf, intermediate, root),
    testudo: () => {
      const [a, b, c] = chain.map((der) => Certificate.parse(der));
      verify([a, b], { trust: new TrustStore([c]) });
    },
    'testudo, web PKI rules': () => {
      const [a, b, c] = chain.map((der) => Certificate.parse(der));
      verify([a, b], { trust: new TrustStore([c]), profile: webPkiProfile });
    },
    'testudo, roots at hand': () =>
      verify([Certificate.parse(leaf), Certificate.parse(intermediate)], { trust }),
    'testudo, warm': () => verify([cache.parse(leaf), cache.parse(intermediate)], { trust, cache }),
    'peculiar, roots at hand': () => peculiar.verify(),
  };
}

/** Parsed, issued, signed, in time, and for the name: as much as Node has calls for. */
function nodeVerify(...chain) {
  const parsed = chain.map((der) => new NodeCertificate(der));
  const now = Date.now();
  for (const [i, certificate] of parsed.entries()) {
    if (!(Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo)))
      throw new Error('not valid now');
    const issuer = parsed[i + 1];
    if (issuer === undefined) continue;
    if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      throw new Error('not issued by the next');
  }
  if (parsed[0].checkHost(NAME) === undefined) throw new Error('not for the name');
}

async function measure(run, count) {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const summaries = [];
for (const [title, key] of Object.entries(KEYS)) {
  const lanes = Object.entries(contenders(makeChain(key))).map(([name, run]) => ({ name, run, samples: [] }));
  // Long enough also for a quick run: else it is the compiler that is measured.
  for (const { run } of lanes) await measure(run, 400);
  for (let round = 0; round < rounds; round++)
    // The cache answers so fast that the clock needs more of it.
    for (const { name, run, samples } of lanes)
      samples.push(await measure(run, name.endsWith('warm') ? 20 * size : size));
  summaries.push(summariseLanes(`chain of three, ${title}`, lanes));
}
console.log(options.json ? JSON.stringify(summaries) : certificatesTable(summaries));

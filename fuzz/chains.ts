import { nodeCrypto } from '@testudo/crypto/node';
import {
  ANY_POLICY,
  Certificate,
  CertificateError,
  formatPathTree,
  PROFILES,
  type ProfileName,
  parseIssuers,
  pathTreeOf,
  TrustStore,
  verifyCertificate,
  verifyName,
} from '@testudo/x509';
import { policyExtensions } from '#x509/testing';
import { CHANGES } from '../conformance/x509/corpus/changes.ts';
import { type CorpusKeys, makeKeys } from '../conformance/x509/corpus/keys.ts';
import { type Chain, issue } from '../conformance/x509/corpus/plan.ts';
import { guarded } from './checks.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';

let keys: CorpusKeys | undefined;

/** Everything in a certificate that is only parsed when it is asked for. */
const EXTENSIONS = [
  'basicConstraints',
  'keyUsage',
  'extendedKeyUsage',
  'subjectAltName',
  'nameConstraints',
  'certificatePolicies',
  'policyMappings',
  'policyConstraints',
  'inhibitAnyPolicy',
  'authorityInformationAccess',
  'subjectKeyIdentifier',
  'authorityKeyIdentifier',
] as const;

/**
 * A chain with one certificate changed: before it is signed, so that all checks behind the signature see it, or after, when
 * the chain must not be accepted. Under any profile, with policies and names of all kinds.
 */
export const changedChains: Target = (random) => {
  keys ??= makeKeys(new Random(1));
  const plan = CHANGES[random.pick(Object.keys(CHANGES))]!.make(random, keys);
  for (const certificate of plan.path) {
    certificate.changeTbs = certificate.changeWhole = undefined;
    if (random.below(2) === 0)
      certificate.extensions.push(
        ...policyExtensions({
          policies: random.pick([['any'], ['1'], ['1', '2', 'any']]),
          ...random.pick([
            {},
            { mappings: [['1', '2']] as const },
            { requireExplicit: 0 },
            { inhibitAny: 0 },
          ]),
        }),
      );
  }
  const target = random.pick(plan.path.slice(1));
  const isSigned = random.below(3) > 0;
  let isChanged = false;
  const changing = (bytes: Uint8Array): Uint8Array => {
    const changed = mutate(bytes, random);
    isChanged = String(changed) !== String(bytes);
    return changed;
  };
  if (isSigned) target.changeTbs = changing;
  else target.changeWhole = changing;
  const chain = issue(plan);
  const breach = guarded(() => {
    const verdict = verdictOn(chain, random);
    const mayBeAccepted = isSigned || !isChanged || plan.changeSent !== undefined;
    return verdict === 'accepted' && !mayBeAccepted
      ? 'accepted although a certificate was changed after it was signed'
      : undefined;
  });
  return { breach, input: [chain.trusted, ...chain.sent] };
};

/** Anything but a certificate's own error is thrown. */
function verdictOn({ host, trusted, sent }: Chain, random: Random): 'accepted' | 'refused' {
  const certificates = sent.flatMap((der) => attempt(() => [Certificate.parse(der)]) ?? []);
  for (const certificate of certificates) {
    for (const name of EXTENSIONS) attempt(() => certificate.extensions[name]);
    attempt(() => certificate.subject.toString());
    attempt(() => verifyName(certificate, { kind: 'email', value: `user@${host}` }));
    attempt(() => verifyName(certificate, { kind: 'uri', value: `https://${host}/` }));
  }
  for (const der of sent) attempt(() => parseIssuers(der));
  if (certificates.length < sent.length) return 'refused';
  try {
    const { tree } = verifyCertificate({
      provider: nodeCrypto,
      chain: certificates,
      trust: new TrustStore([Certificate.parse(trusted)]),
      at: new Date(),
      purpose: 'server',
      profile: PROFILES[random.pick(Object.keys(PROFILES) as ProfileName[])],
      policies: random.pick([
        undefined,
        { requireExplicit: true },
        { acceptable: [ANY_POLICY], inhibitAny: true },
      ]),
      dangerouslyAllowCommonName: random.below(2) === 0,
    });
    formatPathTree(tree);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const tree = pathTreeOf(error);
    if (tree !== undefined) formatPathTree(tree);
    return 'refused';
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

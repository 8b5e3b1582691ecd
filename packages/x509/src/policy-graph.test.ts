import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { Certificate } from './certificate.ts';
import { CertificateError } from './errors.ts';
import { validatePolicies } from './policy-graph.ts';
import { make, makeAuthority, NOW } from './testing/make.ts';
import {
  type PolicyStatement,
  policyChain,
  policyExtensions,
  policyOid,
  policyRoot,
} from './testing/policies.ts';
import { TrustStore } from './trust-store.ts';
import { verifyCertificate } from './verify.ts';

// In the manner of PKITS §4.8 to §4.12: what a path says about policies, what the user asks, and what comes out.

interface Demands {
  readonly acceptable?: readonly string[];
  readonly requireExplicit?: boolean;
  readonly inhibitMapping?: boolean;
  readonly inhibitAny?: boolean;
}

/** The policies that hold, by their short names, or the error's code. */
function outcome(statements: readonly PolicyStatement[], demands: Demands = {}): string {
  const { acceptable, ...others } = demands;
  try {
    const { policies } = verifyCertificate({
      provider: nodeCrypto,
      chain: policyChain(...statements),
      trust: new TrustStore([policyRoot.certificate]),
      at: NOW,
      purpose: 'server',
      policies: { ...others, acceptable: acceptable?.map(policyOid) },
    });
    return policies
      .map((oid) => (oid === policyOid('any') ? 'any' : oid.split('.').at(-1)!))
      .sort()
      .join();
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

const says = (...policies: string[]): PolicyStatement => ({ policies });
const nothing: PolicyStatement = {};
const explicit = { requireExplicit: true } as const;

type Row = readonly [
  title: string,
  statements: readonly PolicyStatement[],
  demands: Demands,
  expected: string,
];

function suite(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    test.each(rows)('%s', (_, statements, demands, expected) => {
      expect(outcome(statements, demands)).toBe(expected);
    });
  });
}

suite('policies that all certificates have', [
  ['one', [says('1'), says('1')], explicit, '1'],
  ['the one that is acceptable', [says('1', '2'), says('1', '2')], { ...explicit, acceptable: ['2'] }, '2'],
  ['none that is acceptable', [says('1'), says('1')], { ...explicit, acceptable: ['2'] }, 'policy'],
  ['none that is acceptable, and none has to be', [says('1'), says('1')], { acceptable: ['2'] }, ''],
  ['two that differ', [says('1'), says('2')], explicit, 'policy'],
  ['two that differ, and none has to hold', [says('1'), says('2')], {}, ''],
  ['none at all', [nothing, nothing], {}, ''],
  ['none at all, though one has to hold', [nothing, nothing], explicit, 'policy'],
  ['missing in the leaf', [says('1'), nothing], explicit, 'policy'],
  ['missing in the middle', [says('1'), nothing, says('1')], explicit, 'policy'],
  ['what all three have', [says('1', '2'), says('2', '3'), says('1', '2', '3')], explicit, '2'],
  ['that each pair has, but not all', [says('1', '2'), says('2', '3'), says('3', '1')], explicit, 'policy'],
  ['of a leaf right under the root', [says('4')], explicit, '4'],
]);

suite('anyPolicy', [
  ['everywhere', [says('any'), says('any')], explicit, 'any'],
  ['everywhere, and one is acceptable', [says('any'), says('any')], { ...explicit, acceptable: ['7'] }, '7'],
  ['above', [says('any'), says('3')], explicit, '3'],
  ['below', [says('3'), says('any')], explicit, '3'],
  ['in between', [says('3'), says('any'), says('3', '4')], explicit, '3'],
  ['below, not acceptable', [says('3'), says('any')], { ...explicit, acceptable: ['4'] }, 'policy'],
  ['with others in the leaf', [says('any'), says('any', '5')], explicit, '5,any'],
  ['inhibited by the user, above', [says('any'), says('3')], { ...explicit, inhibitAny: true }, 'policy'],
  ['inhibited by the user, below', [says('3'), says('any')], { ...explicit, inhibitAny: true }, 'policy'],
  ['inhibited by the CA at once', [{ policies: ['3'], inhibitAny: 0 }, says('any')], explicit, 'policy'],
  [
    'inhibited by the CA after one',
    [{ policies: ['3'], inhibitAny: 1 }, says('any'), says('3')],
    explicit,
    '3',
  ],
  [
    'inhibited by the CA after one, in the second',
    [{ policies: ['3'], inhibitAny: 1 }, says('any'), says('any')],
    explicit,
    'policy',
  ],
  [
    'inhibited, but self-issued certificates may have it',
    [{ policies: ['3'], inhibitAny: 0 }, { policies: ['any'], isSelfIssued: true }, says('3')],
    explicit,
    '3',
  ],
  [
    'inhibited, and a self-issued certificate does not count',
    [{ policies: ['3'], inhibitAny: 1 }, { policies: ['3'], isSelfIssued: true }, says('any'), says('3')],
    explicit,
    '3',
  ],
  [
    'a later CA cannot allow it again',
    [{ policies: ['3'], inhibitAny: 0 }, { policies: ['3'], inhibitAny: 5 }, says('any')],
    explicit,
    'policy',
  ],
]);

suite('requireExplicitPolicy', [
  ['at once, and none holds', [{ requireExplicit: 0 }, nothing], {}, 'policy'],
  ['at once, and one holds', [{ policies: ['1'], requireExplicit: 0 }, says('1')], {}, '1'],
  ['after the end of the path', [{ requireExplicit: 5 }, nothing, nothing], {}, ''],
  ['after two, met in the third', [{ requireExplicit: 2 }, nothing, nothing, nothing], {}, 'policy'],
  ['the least of several counts', [{ requireExplicit: 7 }, { requireExplicit: 0 }, nothing], {}, 'policy'],
  [
    'self-issued certificates do not count',
    [{ requireExplicit: 2 }, { isSelfIssued: true }, nothing],
    {},
    '',
  ],
  // RFC 5280 §6.1.5 (b)
  ['in the leaf itself', [nothing, { requireExplicit: 0 }], {}, 'policy'],
  ['in the leaf itself, after one', [nothing, { requireExplicit: 1 }], {}, ''],
]);

suite('mappings', [
  [
    'from one to another',
    [{ policies: ['1'], mappings: [['1', '2']] }, says('2')],
    { ...explicit, acceptable: ['1'] },
    '1',
  ],
  [
    'the policy is called by the root\u2019s name',
    [{ policies: ['1'], mappings: [['1', '2']] }, says('2')],
    { ...explicit, acceptable: ['2'] },
    'policy',
  ],
  [
    'the old name no longer counts',
    [{ policies: ['1'], mappings: [['1', '2']] }, says('1')],
    explicit,
    'policy',
  ],
  [
    'through two CAs',
    [{ policies: ['1'], mappings: [['1', '2']] }, { policies: ['2'], mappings: [['2', '3']] }, says('3')],
    explicit,
    '1',
  ],
  [
    'one to two',
    [
      {
        policies: ['1'],
        mappings: [
          ['1', '2'],
          ['1', '3'],
        ],
      },
      says('3'),
    ],
    explicit,
    '1',
  ],
  [
    'two to one',
    [
      {
        policies: ['1', '2'],
        mappings: [
          ['1', '3'],
          ['2', '3'],
        ],
      },
      says('3'),
    ],
    explicit,
    '1,2',
  ],
  [
    'of a policy that the CA does not have',
    [{ policies: ['1'], mappings: [['2', '3']] }, says('3')],
    explicit,
    'policy',
  ],
  [
    'of a policy that the CA has by anyPolicy',
    [{ policies: ['any'], mappings: [['1', '2']] }, says('2')],
    explicit,
    '1',
  ],
  ['from anyPolicy', [{ policies: ['any'], mappings: [['any', '2']] }, says('2')], {}, 'policy'],
  ['to anyPolicy', [{ policies: ['1'], mappings: [['1', 'any']] }, says('2')], {}, 'policy'],
  [
    'inhibited by the user',
    [{ policies: ['1'], mappings: [['1', '2']] }, says('2')],
    { ...explicit, inhibitMapping: true },
    'policy',
  ],
  [
    'inhibited by the user: the mapped policy is lost, others are not',
    [{ policies: ['1', '4'], mappings: [['1', '2']] }, says('1', '2', '4')],
    { ...explicit, inhibitMapping: true },
    '4',
  ],
  [
    'inhibited by a CA above',
    [{ policies: ['1'], inhibitMapping: 0 }, { policies: ['1'], mappings: [['1', '2']] }, says('2')],
    explicit,
    'policy',
  ],
  [
    'inhibited by a CA above after one',
    [
      { policies: ['1'], inhibitMapping: 1 },
      { policies: ['1'], mappings: [['1', '2']] },
      { policies: ['2'], mappings: [['2', '3']] },
      says('2', '3'),
    ],
    explicit,
    'policy',
  ],
  [
    'inhibited after one, and a self-issued certificate does not count',
    [
      { policies: ['1'], inhibitMapping: 1 },
      { policies: ['1'], isSelfIssued: true },
      { policies: ['1'], mappings: [['1', '2']] },
      says('2'),
    ],
    explicit,
    '1',
  ],
]);

test('the error names the certificate with which the policies end', () => {
  const chain = policyChain({ policies: ['1'], requireExplicit: 0 }, says('2'), says('1'));
  const verify = (): unknown =>
    verifyCertificate({
      provider: nodeCrypto,
      chain,
      trust: new TrustStore([policyRoot.certificate]),
      at: NOW,
      purpose: 'server',
    });
  expect(verify).toThrow(expect.objectContaining({ code: 'policy', certificate: chain[1] }));
});

test('a path without the policy is given up for one that has it', () => {
  const root = makeAuthority();
  const without = makeAuthority({ by: root, subject: 'ca' });
  const options = { by: root, subject: 'ca', privateKey: without.privateKey };
  // The other is tried first: it is valid longer.
  const having = makeAuthority({
    ...options,
    notAfter: new Date('2026-06-01'),
    others: policyExtensions(says('1')),
  });
  const leaf = make({ by: without, others: policyExtensions(says('1')) });
  const { path, policies } = verifyCertificate({
    provider: nodeCrypto,
    chain: [leaf, without, having].map(({ certificate }) => certificate),
    trust: new TrustStore([root.certificate]),
    at: NOW,
    purpose: 'server',
    policies: { acceptable: [policyOid('1')], requireExplicit: true },
  });
  expect(path[1]).toBe(having.certificate);
  expect(policies).toEqual([policyOid('1')]);
});

test('of what is malformed, a policy that stands twice is refused', () => {
  expect(outcome([says('1', '1'), says('1')])).toBe('malformed');
});

test('mappings that make a tree exponential cost linear work', () => {
  // Each CA has a hundred policies and maps each to two: a tree has 2^16 times as many leaves, a graph does not.
  const names = Array.from({ length: 100 }, (_, i) => String(i + 1));
  const mappings = names.flatMap((name, i) => [
    [name, names[(i + 1) % 100]!] as const,
    [name, names[(i + 7) % 100]!] as const,
  ]);
  const chain = policyChain(
    ...Array.from({ length: 16 }, () => ({ policies: names, mappings })),
    says(...names),
  );
  let spent = 0;
  const path: Certificate[] = [...chain, policyRoot.certificate];
  expect(validatePolicies(path, { requireExplicit: true }, () => spent++)).toHaveLength(100);
  expect(spent).toBe(16 * 300 + 100);
});

test('the work on policies is bounded', () => {
  const verify = (): unknown =>
    verifyCertificate({
      provider: nodeCrypto,
      chain: policyChain(says('1', '2', '3'), says('1')),
      trust: new TrustStore([policyRoot.certificate]),
      at: NOW,
      purpose: 'server',
      budgets: { policyNodes: 3 },
    });
  expect(verify).toThrow(expect.objectContaining({ code: 'budget-exceeded' }));
});

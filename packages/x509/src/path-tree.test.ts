import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { DistinguishedName } from './distinguished-name.ts';
import { CertificateError } from './errors.ts';
import { formatPathTree, type PathNode, type PathTree, pathTreeOf } from './path-tree.ts';
import { type Made, make, makeAuthority, NOW, newKey } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { type VerifyOptions, verifyCertificate } from './verify.ts';

type Options = Partial<Omit<VerifyOptions, 'trust' | 'chain'>>;

function treeOf(chain: readonly Made[], roots: readonly Made[], options: Options = {}): PathTree {
  const outcome = attempt(chain, roots, options);
  return (outcome instanceof CertificateError ? pathTreeOf(outcome) : outcome.tree)!;
}

function failureOf(chain: readonly Made[], roots: readonly Made[], options: Options = {}): CertificateError {
  const result = attempt(chain, roots, options);
  if (result instanceof CertificateError) return result;
  throw new Error('the chain was accepted');
}

function attempt(
  chain: readonly Made[],
  roots: readonly Made[],
  options: Options,
): CertificateError | { tree: PathTree } {
  try {
    return verifyCertificate({
      provider: nodeCrypto,
      chain: chain.map(({ certificate }) => certificate),
      trust: new TrustStore(roots.map(({ certificate }) => certificate)),
      at: NOW,
      purpose: 'server',
      ...options,
    });
  } catch (error) {
    if (error instanceof CertificateError) return error;
    throw error;
  }
}

/** `subject:code(…issuers…)`, a chosen one with a star: the whole tree in a line. */
function outline({ certificate, error, isChosen, issuers }: PathNode): string {
  const above = issuers.length === 0 ? '' : `(${issuers.map(outline).join(' ')})`;
  return `${certificate.subject.commonName}${isChosen ? '*' : ''}${error === undefined ? '' : `:${error.code}`}${above}`;
}

const root = makeAuthority();
const intermediate = makeAuthority({ subject: 'ca', by: root });
const leaf = make({ by: intermediate });
const expired = makeAuthority({
  subject: 'ca',
  by: root,
  privateKey: intermediate.privateKey,
  notAfter: new Date('2025-06-01'),
});

describe('the tree', () => {
  test('of a path', () => {
    const { leaf: node, omitted } = treeOf([leaf, intermediate], [root]);
    expect(outline(node)).toBe('leaf*(ca*(root*))');
    expect([node.position, node.issuers[0]!.position, node.issuers[0]!.issuers[0]!.position]).toEqual([
      'leaf',
      'intermediate',
      'anchor',
    ]);
    expect([node.source, node.issuers[0]!.source, node.issuers[0]!.issuers[0]!.source]).toEqual([
      'peer',
      'peer',
      'trust',
    ]);
    expect(omitted).toBe(0);
  });

  test('shows what was tried before the path was found', () => {
    const elsewhere = makeAuthority({
      subject: 'ca',
      by: makeAuthority({ subject: 'x' }),
      privateKey: intermediate.privateKey,
      notAfter: new Date('2028-01-01'),
    });
    expect(outline(treeOf([leaf, elsewhere, intermediate], [root]).leaf)).toBe(
      'leaf*(ca:unknown-issuer ca*(root*))',
    );
  });

  test('shows every path that failed, and why', () => {
    const second = makeAuthority({ subject: 'ca', by: root, privateKey: intermediate.privateKey, ca: false });
    expect(outline(treeOf([leaf, expired, second], [root]).leaf)).toBe('leaf(ca:not-a-ca ca:expired)');
  });

  test('of a leaf that is refused has only the leaf', () => {
    const tree = treeOf([leaf, intermediate], [root], { at: new Date('2030-01-01') });
    expect(outline(tree.leaf)).toBe('leaf:expired');
  });

  test('of a chain for another name shows the path', () => {
    const tree = treeOf([leaf, intermediate], [root], { name: { kind: 'dns', value: 'x.example' } });
    expect(outline(tree.leaf)).toBe('leaf*:name-mismatch(ca*(root*))');
  });

  test('a certificate that is sent twice is tried once', () => {
    expect(outline(treeOf([leaf, expired, expired], [root]).leaf)).toBe('leaf(ca:expired)');
  });

  test('is bounded', () => {
    const keys = Array.from({ length: 8 }, newKey);
    const circle = keys.flatMap((privateKey, i) =>
      keys.map((by, j) =>
        makeAuthority({
          subject: 'm',
          privateKey,
          by: { ...makeAuthority({ subject: 'm', privateKey: by }) },
          serialNumber: Uint8Array.of(1, i, j),
        }),
      ),
    );
    const end = make({ by: { certificate: circle[0]!.certificate, privateKey: keys[0]! } });
    const tree = pathTreeOf(failureOf([end, ...circle], [root], { budgets: { signatures: 10_000 } }));
    expect(tree!.omitted).toBeGreaterThan(0);
    expect(formatPathTree(tree!).split('\n').length).toBeLessThanOrEqual(201);
  });
});

test('the tree as text, in one line for each attempt', () => {
  const text = formatPathTree(treeOf([leaf, expired, intermediate], [root]));
  expect(text.split('\n')).toEqual([
    'CN=leaf \u2713',
    '\u2514\u2500 CN=ca \u2713',
    '   \u2514\u2500 CN=root (trusted) \u2713',
  ]);
  const failed = formatPathTree(treeOf([leaf, expired], [root])).split('\n');
  expect(failed[0]).toBe('CN=leaf');
  expect(failed[1]).toMatch(/^\u2514\u2500 CN=ca: expired: .*it expired on 2025-06-01/);
});

test('names in the text cannot draw on a terminal', () => {
  const subject = DistinguishedName.ofCommonName('a\n\u001b[31mb');
  expect(formatPathTree(treeOf([make({ subject, by: root })], [root]))).toBe(
    'CN=a\\0a\\1b[31mb \u2713\n\u2514\u2500 CN=root (trusted) \u2713',
  );
});

describe('the failure that is reported is of the most promising path', () => {
  const constrained = makeAuthority({
    subject: 'ca',
    privateKey: intermediate.privateKey,
    by: makeAuthority({ subject: 'stranger' }),
    notAfter: new Date('2025-06-01'),
  });

  test('one that leads to a trusted root, rather than one that says more', () => {
    // Not a CA says less than expired, but the expired one leads nowhere.
    const notCa = makeAuthority({ subject: 'ca', privateKey: intermediate.privateKey, by: root, ca: false });
    for (const bag of [
      [constrained, notCa],
      [notCa, constrained],
    ]) {
      const error = failureOf([leaf, ...bag], [root]);
      expect([error.code, error.certificate]).toEqual(['not-a-ca', notCa.certificate]);
    }
  });

  test('one that the child\u2019s key identifier names', () => {
    // Same name, another key: it never signed the leaf, whatever else is wrong with it.
    const namesake = makeAuthority({ subject: 'ca', by: root, notAfter: new Date('2025-06-01') });
    const notCa = makeAuthority({ subject: 'ca', privateKey: intermediate.privateKey, by: root, ca: false });
    expect(failureOf([leaf, namesake, notCa], [root]).code).toBe('not-a-ca');
  });

  test('one whose signatures are right up to a root', () => {
    const refusing = {
      onUnknown: 'refuse',
      check: () => ({ status: 'unknown', reason: 'no list' }) as const,
    } as const;
    const error = failureOf([leaf, expired, intermediate], [root], { revocation: refusing });
    expect([error.code, error.certificate]).toEqual(['revocation-unknown', leaf.certificate]);
  });
});

test('every failure says what to do', () => {
  const unknown = failureOf([leaf], [root]);
  expect(unknown.hint).toBe('trust its root, or send the missing intermediate');
  expect(unknown.message).toBe(`the issuer "CN=ca" is neither trusted nor sent; ${unknown.hint}`);
  const old = failureOf([leaf, expired], [root]);
  expect(old.hint).toBe('renew it, or set the clock');
  expect(new CertificateError('not-a-ca', 'x').hint).toContain('basicConstraints');
});

describe('revocation', () => {
  const checker = (
    answers: Record<string, 'good' | 'revoked' | 'unknown'>,
    onUnknown: 'accept' | 'refuse',
  ) => {
    const asked: string[] = [];
    return {
      asked,
      onUnknown,
      check({
        certificate,
        issuer,
        index,
        path,
      }: {
        certificate: Made['certificate'];
        issuer: Made['certificate'];
        index: number;
        path: readonly Made['certificate'][];
      }) {
        expect(path[index]).toBe(certificate);
        expect(path[index + 1]).toBe(issuer);
        asked.push(certificate.subject.commonName!);
        const status = answers[certificate.subject.commonName!] ?? 'good';
        return status === 'unknown' ? ({ status, reason: 'nobody knows' } as const) : ({ status } as const);
      },
    };
  };

  test('is asked about every certificate but the anchor', () => {
    const revocation = checker({}, 'refuse');
    treeOf([leaf, intermediate], [root], { revocation });
    expect(revocation.asked).toEqual(['leaf', 'ca']);
  });

  test.each([
    ['leaf', 'revoked', 'accept', 'revoked'],
    ['ca', 'revoked', 'accept', 'revoked'],
    ['ca', 'unknown', 'refuse', 'revocation-unknown'],
  ] as const)('%s %s (unknown: %s): %s', (who, status, onUnknown, code) => {
    const error = failureOf([leaf, intermediate], [root], {
      revocation: checker({ [who]: status }, onUnknown),
    });
    expect(error.code).toBe(code);
    expect(error.certificate!.subject.commonName).toBe(who);
  });

  test('of unknown status is let pass where the checker says so', () => {
    const revocation = checker({ leaf: 'unknown', ca: 'unknown' }, 'accept');
    expect(outline(treeOf([leaf, intermediate], [root], { revocation }).leaf)).toBe('leaf*(ca*(root*))');
  });

  test('leads to another path', () => {
    const other = makeAuthority({ subject: 'other root' });
    const cross = makeAuthority({ subject: 'ca', by: other, privateKey: intermediate.privateKey });
    const revocation = {
      onUnknown: 'accept',
      check: ({ certificate }: { certificate: Made['certificate'] }) =>
        ({ status: certificate === intermediate.certificate ? 'revoked' : 'good' }) as const,
    } as const;
    const tree = treeOf([leaf, intermediate, cross], [root, other], { revocation });
    expect(outline(tree.leaf)).toBe('leaf*(ca(root:revoked) ca*(other root*))');
  });
});

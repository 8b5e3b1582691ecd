import { contextTag, type DerReader, type Oid } from '@testudo/codec';

/** anyPolicy (RFC 5280 §4.2.1.4): stands for every policy. */
export const ANY_POLICY: Oid = '2.5.29.32.0';

/** One pair of a policyMappings extension (RFC 5280 §4.2.1.5). */
export interface PolicyMapping {
  readonly issuerDomainPolicy: Oid;
  readonly subjectDomainPolicy: Oid;
}

/** RFC 5280 §4.2.1.11: after how many more certificates the demand begins. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined;
  readonly inhibitPolicyMapping: number | undefined;
}

/** What certificatePolicies says (RFC 5280 §4.2.1.4). */
export interface CertificatePolicies {
  /** Each stands once. */
  readonly policies: readonly Oid[];
  /**
   * A kind of qualifier that is neither a pointer to a practice statement nor a notice to users. Qualifiers decide nothing, but
   * who must not pass over the extension must know them all.
   */
  readonly unknownQualifier: Oid | undefined;
}

/** id-qt-cps and id-qt-unotice. */
const KNOWN_QUALIFIERS: ReadonlySet<Oid> = new Set(['1.3.6.1.5.5.7.2.1', '1.3.6.1.5.5.7.2.2']);

export function readCertificatePolicies(reader: DerReader): CertificatePolicies {
  const policies = new Set<Oid>();
  let unknownQualifier: Oid | undefined;
  reader.sequenceOf((item) => {
    const offset = item.offset;
    const policy = item.sequence((information) => {
      const oid = information.oid();
      if (information.remaining > 0)
        unknownQualifier ??= readQualifiers(information).find((kind) => !KNOWN_QUALIFIERS.has(kind));
      return oid;
    });
    if (policies.has(policy)) throw item.error('bad-value', `the policy ${policy} appears twice`, offset);
    policies.add(policy);
  });
  if (policies.size === 0) throw reader.error('bad-length', 'an empty list of policies');
  return { policies: [...policies], unknownQualifier };
}

/** The kinds of the qualifiers of one policy. */
function readQualifiers(information: DerReader): readonly Oid[] {
  const kinds = information.sequenceOf((item) =>
    item.sequence((qualifier) => {
      const kind = qualifier.oid();
      qualifier.whole();
      return kind;
    }),
  );
  if (kinds.length === 0) throw information.error('bad-length', 'an empty list of qualifiers');
  return kinds;
}

/** The pairs in order. That none is about anyPolicy is for path validation to say (RFC 5280 §6.1.4 (a)). */
export function readPolicyMappings(reader: DerReader): readonly PolicyMapping[] {
  const mappings = reader.sequenceOf((item) =>
    item.sequence((pair) => ({ issuerDomainPolicy: pair.oid(), subjectDomainPolicy: pair.oid() })),
  );
  if (mappings.length === 0) throw reader.error('bad-length', 'an empty list of policy mappings');
  return mappings;
}

export function readPolicyConstraints(reader: DerReader): PolicyConstraints {
  return reader.sequence((inner) => {
    const requireExplicitPolicy = readSkipCerts(inner, 0);
    const inhibitPolicyMapping = readSkipCerts(inner, 1);
    // RFC 5280 §4.2.1.11: never an empty sequence.
    if (requireExplicitPolicy === undefined && inhibitPolicyMapping === undefined)
      throw inner.error('bad-length', 'no policy constraint at all');
    return { requireExplicitPolicy, inhibitPolicyMapping };
  });
}

export function readInhibitAnyPolicy(reader: DerReader): number {
  return reader.smallInteger();
}

function readSkipCerts(reader: DerReader, number: 0 | 1): number | undefined {
  const tag = contextTag(number);
  return reader.peek() === tag ? reader.smallInteger(undefined, tag) : undefined;
}

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

/** The policies, without their qualifiers, which decide nothing. Each stands once (RFC 5280 §4.2.1.4). */
export function readCertificatePolicies(reader: DerReader): readonly Oid[] {
  const policies = new Set<Oid>();
  reader.sequenceOf((item) => {
    const offset = item.offset;
    const policy = item.sequence((information) => {
      const oid = information.oid();
      if (information.remaining > 0) readQualifiers(information);
      return oid;
    });
    if (policies.has(policy)) throw item.error('bad-value', `the policy ${policy} stands twice`, offset);
    policies.add(policy);
  });
  if (policies.size === 0) throw reader.error('bad-length', 'an empty list of policies');
  return [...policies];
}

function readQualifiers(information: DerReader): void {
  const qualifiers = information.sequenceOf((item) =>
    item.sequence((qualifier) => {
      qualifier.oid();
      qualifier.whole();
    }),
  );
  if (qualifiers.length === 0) throw information.error('bad-length', 'an empty list of qualifiers');
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

import { der, type Oid } from '@testudo/codec';
import type { Certificate } from '../certificate.ts';
import type { Extension } from '../extensions.ts';
import { ExtensionOid } from '../oids.ts';
import { extension, type Made, make, makeAuthority, newKey } from './make.ts';

/** What one certificate says about policies. Those named in short are under one arc. */
export interface PolicyStatement {
  /** Default: no extension at all. */
  readonly policies?: readonly string[];
  /** Pairs of issuer's and subject's policy. */
  readonly mappings?: readonly (readonly [string, string])[];
  readonly requireExplicit?: number;
  readonly inhibitMapping?: number;
  readonly inhibitAny?: number;
  /** Of an intermediate: it has the name of its issuer. */
  readonly isSelfIssued?: boolean;
}

/** `any`, or an identifier for a short name: `1` to `9`. */
export function policyOid(name: string): Oid {
  return name === 'any' ? '2.5.29.32.0' : `1.3.6.1.4.1.55555.${name}`;
}

/** The extensions of a statement. */
export function policyExtensions(statement: PolicyStatement): Extension[] {
  const { policies, mappings, requireExplicit, inhibitMapping, inhibitAny } = statement;
  const oid = (name: string): Uint8Array => der.oid(policyOid(name));
  const skip = (number: number, value: number | undefined): Uint8Array | undefined =>
    value === undefined ? undefined : der.implicit(number, der.integer(value));
  const hasConstraints = requireExplicit !== undefined || inhibitMapping !== undefined;
  const all = [
    policies &&
      extension(
        ExtensionOid.certificatePolicies,
        false,
        der.sequence(...policies.map((one) => der.sequence(oid(one)))),
      ),
    mappings &&
      extension(
        ExtensionOid.policyMappings,
        true,
        der.sequence(...mappings.map(([from, to]) => der.sequence(oid(from), oid(to)))),
      ),
    hasConstraints
      ? extension(
          ExtensionOid.policyConstraints,
          true,
          der.sequence(skip(0, requireExplicit), skip(1, inhibitMapping)),
        )
      : undefined,
    inhibitAny === undefined
      ? undefined
      : extension(ExtensionOid.inhibitAnyPolicy, true, der.integer(inhibitAny)),
  ];
  return all.filter((one) => one !== undefined);
}

const key = newKey();
export const policyRoot: Made = makeAuthority({ subject: 'policy root', privateKey: key });

/** Leaf first, without the root: from statements of the intermediates, from the root down, and of the leaf. */
export function policyChain(...statements: readonly PolicyStatement[]): Certificate[] {
  const chain: Certificate[] = [];
  let by = policyRoot;
  for (const [i, statement] of statements.entries()) {
    const others = policyExtensions(statement);
    const isLeaf = i === statements.length - 1;
    if (isLeaf) chain.unshift(make({ by, others }).certificate);
    else {
      const subject = statement.isSelfIssued === true ? by.certificate.subject : `policy ca ${i}`;
      // Keys of their own: the same name and key twice would be a circle.
      by = makeAuthority({ by, subject, others });
      chain.unshift(by.certificate);
    }
  }
  return chain;
}

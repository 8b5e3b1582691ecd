import type { Certificate } from './certificate.ts';
import { Subtrees } from './constraint-subtrees.ts';
import { blame, CertificateError } from './errors.ts';
import type { NameConstraints } from './extensions.ts';
import { type GeneralName, generalNameText } from './general-name.ts';
import { EMAIL_ADDRESS } from './oids.ts';
import { commonNameOf } from './peer-name.ts';

/**
 * Throws {@link CertificateError} `name-constraint` when `subject` has a name that `constraints` of a CA above it
 * do not allow (RFC 5280 §4.2.1.10): excluded wins over permitted, a kind of name without permitted
 * subtrees is free. `spend` is called before each name is looked at, with the number of constraints that it is held to and
 * one more, and may throw.
 */
export function checkNameConstraints(
  constraints: NameConstraints,
  subject: Certificate,
  spend: (comparisons: number) => void,
  options: {
    readonly dangerouslyAllowCommonName?: boolean | undefined;
    /** What else counts as a name of the subject. */
    readonly more?: readonly GeneralName[] | undefined;
  } = {},
): void {
  const { permitted, excluded } = preparedOf(constraints);
  const withCommonName = options.dangerouslyAllowCommonName === true;
  const names = blame(subject, () => constrainedNames(subject, withCommonName));
  for (const name of options.more === undefined ? names : [...names, ...options.more]) {
    const allowing = permitted.countFor(name);
    spend(1 + allowing + excluded.countFor(name));
    // RFC 5280 §6.1.3 (b), then (c)
    if (allowing > 0 && !permitted.holds(name))
      throw violation(name, subject, 'is not among the permitted ones');
    if (excluded.holds(name)) throw violation(name, subject, 'is excluded');
  }
}

interface Prepared {
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
}

/** Made once for each certificate: those of trust anchors are used again and again. */
const prepared: WeakMap<NameConstraints, Prepared> = new WeakMap();

function preparedOf(constraints: NameConstraints): Prepared {
  let known = prepared.get(constraints);
  if (known === undefined) {
    const { permitted, excluded } = constraints;
    known = {
      permitted: new Subtrees(permitted, 'permitted'),
      excluded: new Subtrees(excluded, 'excluded'),
    };
    prepared.set(constraints, known);
  }
  return known;
}

/**
 * Every name that constraints apply to: subjectAltName, the subject, and mail addresses in the subject. Throws
 * {@link CertificateError} `malformed`.
 */
function constrainedNames(certificate: Certificate, withCommonName: boolean): readonly GeneralName[] {
  const { extensions, subject } = certificate;
  const alternative = extensions.subjectAltName;
  const names: GeneralName[] = [...(alternative ?? [])];
  if (!subject.isEmpty) names.push({ kind: 'directory', name: subject });
  // Whoever reads these names later must not find one that cannot be read.
  for (const name of names) if (name.kind === 'directory') void name.name.keys;
  // The rest only where subjectAltName is not there (RFC 5280 §4.2.1.10).
  if (subject.isEmpty || alternative !== undefined) return names;
  for (const { type, value } of subject.relativeNames.flat())
    if (type === EMAIL_ADDRESS) names.push({ kind: 'email', value });
  // Where the common name counts as a name, it is constrained as one.
  const commonName = withCommonName ? commonNameOf(certificate) : undefined;
  if (commonName !== undefined) names.push(commonName);
  return names;
}

function violation(name: GeneralName, subject: Certificate, how: string): CertificateError {
  return new CertificateError(
    'name-constraint',
    `a CA above it may not vouch for ${generalNameText(name)}: the name ${how}`,
    subject,
    undefined,
    'get a certificate from another CA',
  );
}

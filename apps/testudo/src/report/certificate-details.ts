import { toHex } from '@testudo/codec';
import {
  AccessMethodOid,
  type Certificate,
  demandsStapling,
  distributionPointsOf,
  embeddedScts,
  formatIpAddress,
  type GeneralName,
  generalNameText,
  httpUrlsOf,
} from '@testudo/x509';
import type { Style } from '../output/style.ts';
import { count, fingerprintText, shown } from '../output/text.ts';
import type { Row } from './certificate-text.ts';
import { extensionName } from './extension-text.ts';

/** What else a certificate says, for those who look at it closely: texts that are safe to show, whoever made it. */
export interface CertificateDetails {
  readonly version: number;
  readonly keyUsage: readonly string[];
  /** CAs that may stand below; undefined: no limit, or no CA. */
  readonly pathLength?: number;
  readonly permittedNames?: readonly string[];
  readonly excludedNames?: readonly string[];
  readonly policies?: readonly string[];
  /** Hexadecimal. */
  readonly subjectKeyIdentifier?: string;
  readonly authorityKeyIdentifier?: string;
  readonly ocspUrls: readonly string[];
  readonly crlUrls: readonly string[];
  readonly issuerUrls: readonly string[];
  readonly mustStaple: boolean;
  /** Certificate Transparency: timestamps that stand in it. */
  readonly timestamps: number;
  readonly extensions: readonly { readonly name: string; readonly oid: string; readonly critical: boolean }[];
  /** Extensions that cannot be read, and why. */
  readonly problems: readonly string[];
}

export function certificateDetails(certificate: Certificate): CertificateDetails {
  const { extensions } = certificate;
  const problems: string[] = [];
  const read = <T>(get: () => T): T | undefined => {
    try {
      return get();
    } catch (error) {
      problems.push(shown((error as Error).message, 300));
      return undefined;
    }
  };
  const constraints = read(() => extensions.nameConstraints);
  const pathLength = read(() => extensions.basicConstraints?.pathLength);
  const policies = read(() => extensions.certificatePolicies);
  const subjectKey = read(() => extensions.subjectKeyIdentifier);
  const authorityKey = read(() => extensions.authorityKeyIdentifier?.keyIdentifier);
  const access = read(() => extensions.authorityInformationAccess) ?? [];
  const urls = (method: string): string[] =>
    access
      .filter((one) => one.method === method)
      .map(({ location }) => nameText(location).replace(/^URI:/, ''));
  return {
    version: certificate.version,
    keyUsage: [...(read(() => extensions.keyUsage) ?? [])],
    ...(pathLength === undefined ? {} : { pathLength }),
    ...(constraints === undefined
      ? {}
      : {
          permittedNames: constraints.permitted.map(nameText),
          excludedNames: constraints.excluded.map(nameText),
        }),
    ...(policies === undefined ? {} : { policies }),
    ...(subjectKey === undefined ? {} : { subjectKeyIdentifier: toHex(subjectKey) }),
    ...(authorityKey === undefined ? {} : { authorityKeyIdentifier: toHex(authorityKey) }),
    ocspUrls: urls(AccessMethodOid.ocsp),
    issuerUrls: urls(AccessMethodOid.caIssuers),
    crlUrls: (read(() => httpUrlsOf(distributionPointsOf(extensions))) ?? []).map((url) => shown(url)),
    mustStaple: read(() => demandsStapling(certificate)) ?? false,
    timestamps: read(() => embeddedScts(extensions).length) ?? 0,
    extensions: [...extensions].map(({ oid, critical }) => ({ name: extensionName(oid), oid, critical })),
    problems: [...new Set(problems)],
  };
}

/** Names in a constraint that are listed. */
const MOST_NAMES = 20;

/** Label and value, for those who look closely. */
export function detailRows(details: CertificateDetails, style: Style): Row[] {
  const { permittedNames, excludedNames, subjectKeyIdentifier, authorityKeyIdentifier } = details;
  const list = (texts: readonly string[] | undefined): string | undefined =>
    texts === undefined || texts.length === 0
      ? undefined
      : `${texts.slice(0, MOST_NAMES).join(', ')}${texts.length > MOST_NAMES ? ` and ${texts.length - MOST_NAMES} more` : ''}`;
  const critical = details.extensions.filter((one) => one.critical).map(({ name }) => name);
  return [
    [style.faint('key usage'), list(details.keyUsage)],
    [style.faint('CAs below'), belowText(details.pathLength)],
    [style.faint('only for'), list(permittedNames)],
    [style.faint('never for'), list(excludedNames)],
    [style.faint('policies'), list(details.policies)],
    [style.faint('OCSP'), list(details.ocspUrls)],
    [style.faint('CRL'), list(details.crlUrls)],
    [style.faint('issuer at'), list(details.issuerUrls)],
    [style.faint('stapling'), details.mustStaple ? 'demanded (RFC 7633)' : undefined],
    [
      style.faint('logged'),
      details.timestamps === 0
        ? undefined
        : `${count(details.timestamps, 'timestamp')} (Certificate Transparency)`,
    ],
    [style.faint('key id'), subjectKeyIdentifier && fingerprintText(subjectKeyIdentifier)],
    [style.faint('issuer key id'), authorityKeyIdentifier && fingerprintText(authorityKeyIdentifier)],
    [style.faint('critical'), list(critical)],
    ...details.problems.map((problem) => [style.bad('problem'), problem] as const),
  ];
}

function belowText(pathLength: number | undefined): string | undefined {
  if (pathLength === undefined) return undefined;
  return pathLength === 0 ? 'none' : `at most ${pathLength}`;
}

/** Also subnets, as they stand in name constraints. */
function nameText(name: GeneralName): string {
  if (name.kind !== 'ip' || (name.bytes.length !== 8 && name.bytes.length !== 32))
    return shown(generalNameText(name), 260);
  const half = name.bytes.length / 2;
  const mask = name.bytes.subarray(half);
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const length = bits.replace(/0+$/, '');
  const suffix = length.includes('0') ? formatIpAddress(mask) : String(length.length);
  return `IP:${formatIpAddress(name.bytes.subarray(0, half))}/${suffix}`;
}

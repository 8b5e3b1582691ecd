import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import type { GeneralName } from '../general-name.ts';
import { COMMON_NAME, EMAIL_ADDRESS } from '../oids.ts';

/**
 * What OpenSSL holds to constraints besides the subject and subjectAltName: each mail address in the subject, whatever else there
 * is, and in a leaf without dNSName each common name that looks like a domain, since programs then take any of them for the
 * server's name. Throws {@link CertificateError} `malformed` for one with a NUL inside.
 */
export function namesInSubject(certificate: Certificate, isLeaf: boolean): readonly GeneralName[] {
  const attributes = certificate.subject.relativeNames.flat();
  const mails = attributes
    .filter(({ type }) => type === EMAIL_ADDRESS)
    .map(({ value }): GeneralName => ({ kind: 'email', value }));
  const hasDomain = certificate.extensions.subjectAltName?.some(({ kind }) => kind === 'dns') === true;
  if (!isLeaf || hasDomain) return mails;
  const domains = attributes
    .filter(({ type }) => type === COMMON_NAME)
    .flatMap(({ value }) => domainIn(value, certificate));
  return [...mails, ...domains];
}

/** With a wildcard or a final dot, too: programs take these, although OpenSSL does not look at them. */
function domainIn(commonName: string, certificate: Certificate): GeneralName[] {
  const text = commonName.replace(/\0+$/, '');
  if (text.includes('\0')) throw new CertificateError('malformed', 'a common name holds a NUL', certificate);
  const domain = /^((?:\*\.)?[\w-]+(?:\.[\w-]+)+)\.?$/.exec(text)?.[1];
  return domain === undefined ? [] : [{ kind: 'dns', value: domain }];
}

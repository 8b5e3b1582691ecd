import type { Certificate } from '@testudo/x509';
import type { ClientRevocationPlan, TlsPlan } from '../config/tls-plan.ts';
import { loadCertificates } from '../identity/certificate-files.ts';
import { type FiledList, readLists } from '../listeners/client-revocation.ts';
import { day } from '../output/text.ts';
import { type Finding, note, problem } from './finding.ts';
import { isSignedBy } from './signed-by.ts';

/** What keeps out clients that should be let in: CAs and lists of revoked certificates that are too old. Throws a `Failure`. */
export function clientFindings({ clientCa, clientRevocation }: TlsPlan, now: number = Date.now()): Finding[] {
  if (clientCa === undefined) return [];
  const authorities = loadCertificates(clientCa);
  return [
    ...authorities.flatMap((authority) => authorityFindings(clientCa, authority, now)),
    ...(clientRevocation === undefined ? [] : listFindings(clientRevocation, authorities, now)),
  ];
}

function authorityFindings(
  file: string,
  { subject, notAfter, notBefore }: Certificate,
  now: number,
): Finding[] {
  const all = 'every client with a certificate from it is refused';
  if (+notAfter < now)
    return [problem(`${file}: the CA "${subject.shown}" expired on ${day(notAfter)}: ${all}`)];
  if (+notBefore > now)
    return [problem(`${file}: the CA "${subject.shown}" is not valid before ${day(notBefore)}: ${all}`)];
  return [];
}

function listFindings(
  plan: ClientRevocationPlan,
  authorities: readonly Certificate[],
  now: number,
): Finding[] {
  const lists = plan.crls.flatMap((file) => readLists(file));
  const aged = lists.flatMap((one) => ageFindings(one, plan, now));
  return [...aged, ...missingLists(lists, authorities, plan)];
}

function ageFindings({ file, list }: FiledList, plan: ClientRevocationPlan, now: number): Finding[] {
  const { thisUpdate, nextUpdate, issuer } = list;
  const what = `${file}: the list of revoked certificates of "${issuer.shown}"`;
  if (+thisUpdate > now)
    return [problem(`${what} is not valid before ${day(thisUpdate)}: ${consequence(plan)}`)];
  if (nextUpdate !== undefined && +nextUpdate < now)
    return [
      problem(`${what} expired on ${day(nextUpdate)}: ${consequence(plan)}. Get a new one from that CA`),
    ];
  return [];
}

/** What a list that does not count means for clients. */
function consequence({ mode, online }: ClientRevocationPlan): string {
  if (online) return 'only online answers count now';
  return mode === 'hard-fail'
    ? 'every client with a certificate from it is refused'
    : 'clients that were revoked since are let in';
}

/**
 * A CA without a list: with hard-fail, and where the whole path is looked at, none of its clients gets in. Lists for several
 * CAs (RFC 5280 §5.2.5) say for whom only in their entries.
 */
function missingLists(
  lists: readonly FiledList[],
  authorities: readonly Certificate[],
  plan: ClientRevocationPlan,
): Finding[] {
  if (plan.online || plan.scope !== 'path' || plan.mode !== 'hard-fail') return [];
  if (lists.some(({ list }) => list.issuingDistributionPoint?.indirectCrl)) return [];
  return authorities.flatMap((authority) => {
    const named = lists.filter(({ list }) => list.issuer.equals(authority.subject));
    if (named.some(({ list }) => isSignedBy(list, authority))) return [];
    const all = 'every client with a certificate from it is refused';
    const [first] = named;
    return first === undefined
      ? problem(`clientRevocation: no list is from the CA "${authority.subject.shown}": ${all}`)
      : note(
          `${first.file}: the list is not signed with the key of the CA "${authority.subject.shown}" in clientCa: unless that CA has another key for lists, ${all}`,
        );
  });
}

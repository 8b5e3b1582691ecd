import { bytesEqual } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Certificate, matchesName, peerNameOf } from '@testudo/x509';
import { namesIn } from '../identity/certificate-files.ts';
import type { ServedIdentity } from '../identity/certificate-sources.ts';
import { day } from '../output/text.ts';
import { chainFindings } from './chain.ts';
import { type Finding, note, problem } from './finding.ts';

/** Milliseconds ahead of its end at which a certificate is to be renewed by hand. */
const SOON = 7 * 86_400_000;

/** What is wrong with the certificates of a listener. */
export function certificateFindings(served: readonly ServedIdentity[], now: number = Date.now()): Finding[] {
  return served.flatMap((one, index) => [
    ...(one.isRenewed ? [] : validityFindings(one, now)),
    ...(one.isRenewed ? [] : chainFindings(one)),
    ...nameFindings(one),
    ...(one.isRenewed ? [] : unusedFindings(one, served.slice(0, index))),
  ]);
}

function validityFindings({ identity: { chain, files } }: ServedIdentity, now: number): Finding[] {
  const file = files.certificate;
  return chain.flatMap((certificate, index) => {
    const what =
      index === 0 ? 'the certificate' : `the intermediate certificate "${certificate.subject.shown}"`;
    const { notBefore, notAfter } = certificate;
    if (+notBefore > now) return problem(`${file}: ${what} is not valid before ${day(notBefore)}`);
    if (+notAfter < now) return problem(`${file}: ${what} expired on ${day(notAfter)}: renew it`);
    if (+notAfter < now + SOON) return note(`${file}: ${what} expires on ${day(notAfter)}: renew it`);
    return [];
  });
}

/** A name that stands in the configuration only: clients that ask for it are shown a certificate that they refuse. */
function nameFindings({ identity: { chain, files }, names }: ServedIdentity): Finding[] {
  const leaf = chain[0]!;
  const own = namesIn(leaf);
  const file = files.certificate;
  if (own.length === 0)
    return [note(`${file}: the certificate names no domain and no address: clients will not accept it`)];
  return (names ?? [])
    .filter((name) => !covers(leaf, own, name))
    .map((name) => problem(`${file}: the certificate is not for ${name}, but for ${listed(own)}`));
}

/** A wildcard is covered by the same wildcard only. */
function covers(leaf: Certificate, own: readonly string[], name: string): boolean {
  const wanted = normal(name);
  if (wanted.startsWith('*.')) return own.some((one) => normal(one) === wanted);
  return matchesName(leaf, peerNameOf(wanted));
}

/** One that no client is ever shown: each of its names has an earlier one with a key of the same kind. */
function unusedFindings(one: ServedIdentity, before: readonly ServedIdentity[]): Finding[] {
  const file = one.identity.files.certificate;
  const twin = before.find(({ identity }) => bytesEqual(leafOf(identity).der, leafOf(one.identity).der));
  if (twin !== undefined)
    return [problem(`${file}: the same certificate is listed twice: leave one of the two out`)];
  const names = namesFor(one);
  const kind = keyKind(one);
  const rivals = before.filter((other) => keyKind(other) === kind);
  const isShadowed = (name: string): boolean => rivals.some((other) => namesFor(other).includes(name));
  if (one.isDefault || names.length === 0 || !names.every(isShadowed)) return [];
  const rival = rivals.find((other) => namesFor(other).includes(names[0]!))!;
  return [
    problem(
      `${file}: this certificate is never used: ${rival.identity.files.certificate} comes before it, with the same names and the same kind of key`,
    ),
  ];
}

function leafOf({ chain }: ServedIdentity['identity']): Certificate {
  return chain[0]!;
}

function namesFor({ identity, names }: ServedIdentity): string[] {
  return (names ?? namesIn(leafOf(identity))).map(normal);
}

/** The algorithm with its curve. */
function keyKind({ identity }: ServedIdentity): string {
  const { kind } = leafOf(identity).publicKey(nodeCrypto);
  return 'curve' in kind ? `${kind.type} ${kind.curve}` : kind.type;
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

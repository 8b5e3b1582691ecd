import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { toAsciiDomain } from '@testudo/x509';
import type { AcmeChallenge } from './acme-choices.ts';
import type { Address } from './address.ts';
import { addressText } from './address.ts';
import { challengesOf, clientCertificateOf } from './defaults.ts';
import { areShared, overlapText } from './overlap.ts';
import type { AcmeConfig, Config } from './schema.ts';

/** Where certificates come from that a CA issues over ACME (RFC 8555): as configured, with paths resolved. */
export interface AcmePlan extends Required<Omit<AcmeConfig, 'termsAgreed' | 'challenges'>> {
  /** By preference. */
  readonly challenges: readonly AcmeChallenge[];
}

/** Most names in a certificate that the common CAs take. */
const MOST_NAMES = 100;

/** The plan of the block `acme`, with its defaults; `complain` hears what does not go together. */
export function acmePlan(
  config: Config,
  from: string,
  complain: (text: string) => void,
): AcmePlan | undefined {
  const { acme } = config;
  const isUsed = config.listeners.some(usesAcme);
  if (acme === undefined) {
    if (isUsed)
      complain('certificate: acme needs the block acme: at the top, with termsAgreed: true and an email');
    return undefined;
  }
  if (!isUsed) complain('acme: no listener has certificate: acme');
  const challenges = challengesOf(acme);
  if (challenges.includes('http-01') && acme.http === undefined)
    complain(
      'acme: the challenge http-01 needs http: with the address of a plain HTTP listener, such as ":80"',
    );
  const { http } = acme;
  if (http !== undefined) complainAboutPlace(http, config, complain);
  if (!challenges.includes('http-01')) complainAboutClients(config, complain);
  return {
    directory: acme.directory,
    email: acme.email,
    challenges,
    http,
    externalAccount: acme.externalAccount && {
      ...acme.externalAccount,
      macKeyFile: resolve(from, acme.externalAccount.macKeyFile),
    },
    keyType: acme.keyType,
    ca: acme.ca === undefined ? undefined : resolve(from, acme.ca),
  };
}

/** The names of a certificate from a CA, as they are asked for; `complain` hears which cannot be. */
export function acmeNames(
  names: readonly string[] | undefined,
  complain: (text: string) => void,
): readonly string[] {
  if (names === undefined) complain('certificate: acme needs names: those that the certificate should cover');
  const asked = [...new Set((names ?? []).map((name) => name.toLowerCase().replace(/\.$/, '')))];
  if (asked.length > MOST_NAMES)
    complain(`certificate: acme has ${asked.length} names: CAs take ${MOST_NAMES}`);
  for (const name of asked) {
    if (name.startsWith('*.'))
      complain(
        `certificate: acme cannot be for ${name}: CAs require dns-01 for a wildcard, which is not supported here`,
      );
    else if (isIP(name) === 0 && toAsciiDomain(name) === undefined)
      complain(`certificate: acme cannot be for "${name}", which is neither a domain nor an address`);
  }
  return asked.map((name) => (isIP(name) === 0 ? (toAsciiDomain(name) ?? name) : name));
}

function usesAcme(listener: Config['listeners'][number]): boolean {
  const { certificate, certificates = [] } = listener;
  return certificate === 'acme' || certificates.some((one) => one.certificate === 'acme');
}

function complainAboutPlace(http: Address, { listeners }: Config, complain: (text: string) => void): void {
  const rival = listeners.find(({ listen }) => areShared(listen, http));
  if (rival === undefined) return;
  const [where, other] = [addressText(http), addressText(rival.listen)];
  complain(
    where === other
      ? `acme: http and a listener are both on ${where}: give each its own address`
      : overlapText(
          { name: rival.name ?? 'a listener', address: rival.listen },
          { name: 'acme: http', address: http },
        ),
  );
}

/** A CA that connects to see the challenge has no certificate of a client. */
function complainAboutClients({ listeners }: Config, complain: (text: string) => void): void {
  for (const listener of listeners.filter(usesAcme)) {
    if (clientCertificateOf(listener) === 'required')
      complain(
        `acme: ${listener.name ?? addressText(listener.listen)} requires client certificates, which the CA does not have when it checks tls-alpn-01: use http-01`,
      );
  }
}

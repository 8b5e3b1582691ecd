import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import type { Certificate } from '@testudo/x509';
import { type AcmeTransport, retryAfterOf } from './transport.ts';

/** Part of its lifetime after which a certificate is renewed, and the part over which clients are spread before that. */
const RENEWAL = { after: 2 / 3, spread: 1 / 30 } as const;

/** Milliseconds between two looks at what the CA suggests: at least, at most, and where it does not say. */
const LOOK = { least: 60_000, most: 86_400_000, usual: 6 * 3_600_000 } as const;

/** When a certificate is to be renewed, in the CA's opinion (RFC 9773 §4.2). Milliseconds since 1970. */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

/** What the CA suggests, and when to look again. */
export interface RenewalInfo {
  /** Undefined where it suggests nothing that can be used. */
  readonly window: RenewalWindow | undefined;
  readonly lookAgain: number;
}

/**
 * The moment to renew: somewhere in the window that the CA suggests, else shortly before two thirds of the certificate's
 * life are over. Where exactly is decided by its serial number, so it is the same after a restart, and different for
 * everyone.
 */
export function renewalTime(certificate: Certificate, window?: RenewalWindow): number {
  const chance = fractionOf(certificate);
  if (window !== undefined) return window.start + (window.end - window.start) * chance;
  const [begin, end] = [+certificate.notBefore, +certificate.notAfter];
  return begin + (end - begin) * (RENEWAL.after - RENEWAL.spread * chance);
}

/** How a certificate is called there (RFC 9773 §4.1); undefined for one without the identifier of its issuer's key. */
export function renewalInfoName(certificate: Certificate): string | undefined {
  const key = certificate.extensions.authorityKeyIdentifier?.keyIdentifier;
  if (key === undefined) return undefined;
  return `${base64url(key)}.${base64url(certificate.serialNumber)}`;
}

/** Asks the CA, where it has that service (RFC 9773 §4). Never throws: without an answer there are the two thirds. */
export async function fetchRenewalInfo(
  transport: AcmeTransport,
  service: string | undefined,
  certificate: Certificate,
  now: number,
): Promise<RenewalInfo> {
  const name = renewalInfoName(certificate);
  const later = { window: undefined, lookAgain: now + LOOK.usual };
  if (service === undefined || name === undefined) return { ...later, lookAgain: now + LOOK.most };
  try {
    const url = `${service.replace(/\/$/, '')}/${name}`;
    const { status, headers, body } = await transport.send({
      url,
      method: 'GET',
      headers: {},
      body: undefined,
    });
    if (status !== 200) return later;
    const wanted = retryAfterOf(headers['retry-after'], now) ?? LOOK.usual;
    const lookAgain = now + Math.min(Math.max(wanted, LOOK.least), LOOK.most);
    return { window: windowOf(JSON.parse(body)), lookAgain };
  } catch {
    return later;
  }
}

/** RFC 9773 §4.2: a window that ends before it begins is none. */
function windowOf(value: unknown): RenewalWindow | undefined {
  const { start, end } =
    (value as { suggestedWindow?: { start?: string; end?: string } } | undefined)?.suggestedWindow ?? {};
  const [from, to] = [Date.parse(String(start)), Date.parse(String(end))];
  return from < to ? { start: from, end: to } : undefined;
}

/** From 0 to 1, the same each time for one certificate. */
function fractionOf({ serialNumber }: Certificate): number {
  const digest = nodeCrypto.digest('sha256', serialNumber);
  return Number.parseInt(toHex(digest.subarray(0, 6)), 16) / 2 ** 48;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

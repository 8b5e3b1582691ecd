import type { KeySpec } from '@testudo/crypto';
import type {
  CertificateAuthority,
  CertificateRequest,
  IssuedCertificate,
  RenewalRequest,
} from '../authority.ts';
import type { CertificateRevocationList } from '../revocation/crl.ts';
import type { OcspCertificateStatus } from '../revocation/ocsp-response.ts';
import type { RevocationReason } from '../revocation/reasons.ts';
import { buildCrl, type CrlEntryContent } from './crl-builder.ts';
import {
  type CertificateDatabase,
  type CertificateRecord,
  type CertificateRevocation,
  serialKey,
} from './database.ts';
import { answerOcspRequest, type OcspResponderOptions } from './ocsp-responder.ts';
import type { SigningRules } from './request-rules.ts';

export interface RevokeRequest {
  /** Default `unspecified`. `certificateHold` can be lifted again with {@link ManagedAuthority.release}. */
  readonly reason?: Exclude<RevocationReason, 'removeFromCRL'> | undefined;
  /** Default: now. */
  readonly at?: Date | undefined;
  /** When the key is thought to have been lost. Default: left out. */
  readonly invalidityDate?: Date | undefined;
}

export interface CrlRequest {
  /** Only what changed since the last complete list. Default false. */
  readonly delta?: boolean | undefined;
  /** Days until the next one is due. Default 7, and 1 for a delta. */
  readonly days?: number | undefined;
  /** Default: now. */
  readonly at?: Date | undefined;
  /** Where deltas will be. Default: left out. */
  readonly freshestCrlUrls?: readonly string[] | undefined;
}

/** Who signs OCSP answers. */
export type OcspSigner = OcspResponderOptions['signer'];

/** A problem with what the CA was asked to do; nothing was done. */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError';
  readonly code: 'unknown-certificate' | 'already-revoked' | 'not-on-hold' | 'no-complete-list';

  constructor(code: AuthorityError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const DAY = 86_400_000;

/** A CA that remembers what it issued, so that it can revoke it: lists and OCSP answers come from its database. */
export class ManagedAuthority {
  readonly authority: CertificateAuthority;
  readonly database: CertificateDatabase;

  constructor(authority: CertificateAuthority, database: CertificateDatabase) {
    this.authority = authority;
    this.database = database;
  }

  /** As {@link CertificateAuthority.issue}. */
  async issue(request: CertificateRequest): Promise<IssuedCertificate> {
    return this.#remember(this.authority.issue(request));
  }

  /** As {@link CertificateAuthority.sign}. */
  async sign(request: string | Uint8Array, rules: SigningRules): Promise<IssuedCertificate> {
    return this.#remember(this.authority.sign(request, rules));
  }

  /**
   * As {@link CertificateAuthority.renew}, by serial number. The old certificate stays as it is.
   * Rejects with {@link AuthorityError} `unknown-certificate`, or `already-revoked`.
   */
  async renew(serialNumber: Uint8Array, request?: RenewalRequest): Promise<IssuedCertificate> {
    const { certificate, revocation } = await this.#record(serialNumber);
    if (revocation !== undefined)
      throw new AuthorityError('already-revoked', 'a revoked certificate cannot be renewed: issue a new one');
    return this.#remember(this.authority.renew(certificate, request));
  }

  /** Revokes. Rejects with {@link AuthorityError} `unknown-certificate`, or `already-revoked` unless it is on hold only. */
  async revoke(serialNumber: Uint8Array, request: RevokeRequest = {}): Promise<CertificateRevocation> {
    const record = await this.#record(serialNumber);
    const { reason = 'unspecified', at = new Date(), invalidityDate } = request;
    const before = record.revocation;
    if (before !== undefined && before.reason !== 'certificateHold')
      throw new AuthorityError(
        'already-revoked',
        `the certificate was already revoked on ${before.at.toISOString()}`,
      );
    const revocation: CertificateRevocation = { at, reason, invalidityDate };
    await this.database.update({ certificate: record.certificate, revocation });
    return revocation;
  }

  /** Lifts a hold. Rejects with {@link AuthorityError} `unknown-certificate` or `not-on-hold`. */
  async release(serialNumber: Uint8Array, at: Date = new Date()): Promise<void> {
    const { certificate, revocation } = await this.#record(serialNumber);
    if (revocation?.reason !== 'certificateHold')
      throw new AuthorityError('not-on-hold', 'the certificate is not on hold: only a hold can be lifted');
    await this.database.update({ certificate, releasedAt: at });
  }

  /** The next list. Rejects with {@link AuthorityError} `no-complete-list` for a delta to nothing. */
  async crl(request: CrlRequest = {}): Promise<CertificateRevocationList> {
    const { delta = false, days = delta ? 1 : 7, at = new Date() } = request;
    const state = await this.database.crlState();
    const base = state.base;
    if (delta && base === undefined)
      throw new AuthorityError(
        'no-complete-list',
        'a delta needs a complete list to build on: make one first',
      );
    const entries: CrlEntryContent[] = [];
    for await (const record of this.database.all()) {
      const entry = delta ? deltaEntry(record, base!.thisUpdate) : completeEntry(record, base?.thisUpdate);
      if (entry !== undefined) entries.push(entry);
    }
    const number = state.number + 1n;
    const list = buildCrl(
      {
        thisUpdate: at,
        nextUpdate: new Date(+at + days * DAY),
        number,
        baseNumber: delta ? base!.number : undefined,
        entries,
        freshestCrlUrls: delta ? undefined : request.freshestCrlUrls,
      },
      this.authority.provider,
      this.authority,
    );
    await this.database.setCrlState({ number, base: delta ? base : { number, thisUpdate: at } });
    return list;
  }

  /**
   * Answers an OCSP request, see {@link answerOcspRequest}.
   * @param signer default: the CA itself; better {@link ocspSigner}, so that the CA's key can stay locked away.
   */
  async ocsp(
    request: Uint8Array,
    options: { readonly at?: Date; readonly signer?: OcspSigner; readonly validity?: number } = {},
  ): Promise<Uint8Array> {
    return answerOcspRequest(request, {
      provider: this.authority.provider,
      issuer: this.authority.certificate,
      signer: options.signer ?? this.authority,
      statusOf: (serialNumber) => this.#status(serialNumber),
      at: options.at ?? new Date(),
      validity: options.validity,
    });
  }

  /** A new delegated responder, with its key. */
  async ocspSigner(
    request: { readonly key?: KeySpec; readonly days?: number; readonly at?: Date } = {},
  ): Promise<OcspSigner> {
    const { certificate, privateKey } = await this.issue({
      ...request,
      purpose: 'ocsp-responder',
      commonName: 'OCSP responder',
    });
    return { certificate, privateKey: privateKey! };
  }

  async #remember(issued: IssuedCertificate): Promise<IssuedCertificate> {
    await this.database.add({ certificate: issued.certificate });
    return issued;
  }

  async #record(serialNumber: Uint8Array): Promise<CertificateRecord> {
    const key = serialKey(serialNumber);
    const record = await this.database.get(key);
    if (record !== undefined) return record;
    throw new AuthorityError(
      'unknown-certificate',
      `this CA issued no certificate with serial number ${key}`,
    );
  }

  async #status(serialNumber: Uint8Array): Promise<OcspCertificateStatus> {
    const record = await this.database.get(serialKey(serialNumber));
    if (record === undefined) return { status: 'unknown' };
    const { revocation } = record;
    return revocation === undefined
      ? { status: 'good' }
      : { status: 'revoked', since: revocation.at, reason: revocation.reason };
  }
}

/**
 * A revoked certificate leaves the lists when it has expired, but not before it stood on one that was made after that
 * (RFC 5280 §3.3).
 */
function completeEntry(
  { certificate, revocation }: CertificateRecord,
  lastComplete: Date | undefined,
): CrlEntryContent | undefined {
  if (revocation === undefined) return undefined;
  if (lastComplete !== undefined && certificate.notAfter < lastComplete) return undefined;
  return entryOf(certificate.serialNumber, revocation);
}

/** What changed since the last complete list. */
function deltaEntry(
  { certificate, revocation, releasedAt }: CertificateRecord,
  since: Date,
): CrlEntryContent | undefined {
  if (revocation !== undefined)
    return revocation.at >= since ? entryOf(certificate.serialNumber, revocation) : undefined;
  if (releasedAt === undefined || releasedAt < since) return undefined;
  return { serialNumber: certificate.serialNumber, revocationDate: releasedAt, reason: 'removeFromCRL' };
}

function entryOf(
  serialNumber: Uint8Array,
  { at, reason, invalidityDate }: CertificateRevocation,
): CrlEntryContent {
  return { serialNumber, revocationDate: at, reason, invalidityDate };
}

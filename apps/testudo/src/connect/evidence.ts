import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import type { CertificateToVerify } from '@testudo/tls';
import {
  Certificate,
  CertificateError,
  checkTransparency,
  type Extensions,
  embeddedScts,
  type LogList,
  ocspScts,
  ocspUrlsOf,
  parseSctList,
  type SctVerdict,
  type SignedCertificateTimestamp,
  verifyOcspResponse,
} from '@testudo/x509';
import { shown } from '../output/text.ts';
import { certificateReport } from '../report/certificate-report.ts';
import { statusText } from '../report/verification-report.ts';
import { type ServerVerdict, stapleFor } from './server-verifier.ts';

/** What was stapled, what was learned of it, and whom one could ask. */
export interface RevocationEvidence {
  /** OCSP responses that the server stapled. */
  readonly stapled: number;
  /** The leaf's, when it could be verified; ISO 8601. */
  readonly answer: { readonly thisUpdate: string; readonly nextUpdate: string | null } | null;
  readonly certificates: readonly {
    readonly subject: string;
    readonly status: string;
    readonly text: string;
  }[];
  /** Responders that the leaf names. */
  readonly responders: readonly string[];
}

/** A promise of a log to publish the certificate. */
export interface TimestampEvidence {
  readonly origin: SignedCertificateTimestamp['origin'];
  /** SHA-256 of the log's key, hexadecimal. */
  readonly logId: string;
  /** ISO 8601. */
  readonly time: string;
  /** Null without a list of logs. */
  readonly valid: boolean | null;
  /** The log's name, or why the timestamp does not count. */
  readonly detail: string | null;
}

export interface TransparencyEvidence {
  readonly timestamps: readonly TimestampEvidence[];
  /** Whether browsers would be content; null without a list of logs. */
  readonly complies: boolean | null;
  readonly reason: string | null;
}

export function revocationEvidence(request: CertificateToVerify, verdict: ServerVerdict): RevocationEvidence {
  const leaf = parsed(request.chain[0]);
  const responses = request.ocspResponses ?? [request.ocspResponse];
  const finding = leaf && leafFinding(leaf, request, verdict);
  const answer = finding?.answer;
  return {
    stapled: responses.filter((one) => one !== undefined).length,
    answer:
      answer === undefined
        ? null
        : {
            thisUpdate: answer.thisUpdate.toISOString(),
            nextUpdate: answer.nextUpdate?.toISOString() ?? null,
          },
    certificates: verdict.learned.map(({ request: asked, status }) => ({
      subject: certificateReport(asked.certificate).subject,
      status: status.status,
      text: statusText(status),
    })),
    responders:
      leaf === undefined ? [] : read(() => ocspUrlsOf(leaf.extensions), []).map((url) => shown(url)),
  };
}

export function transparencyEvidence(
  request: CertificateToVerify,
  verdict: ServerVerdict,
  logs: LogList | undefined,
): TransparencyEvidence {
  const leaf = parsed(request.chain[0]);
  if (leaf === undefined) return { timestamps: [], complies: null, reason: null };
  const tlsList = request.signedCertificateTimestamps;
  const finding = leafFinding(leaf, request, verdict);
  const ocspExtensions: Extensions | undefined = finding?.answer?.extensions;
  const issuer = verdict.path?.[1];
  if (logs === undefined || issuer === undefined) {
    const timestamps = [
      ...read(() => embeddedScts(leaf.extensions), []),
      ...read(() => (tlsList === undefined ? [] : parseSctList(tlsList, 'tls')), []),
      ...read(() => (ocspExtensions === undefined ? [] : ocspScts(ocspExtensions)), []),
    ];
    return { timestamps: timestamps.map((sct) => timestamp(sct)), complies: null, reason: null };
  }
  const checked = checkTransparency({
    ...{ provider: nodeCrypto, certificate: leaf, issuer, logs, at: new Date(request.now) },
    ...{ tlsList, ocspExtensions },
  });
  return {
    timestamps: checked.timestamps.map((one) => timestamp(one.sct, one)),
    complies: checked.complies,
    reason: checked.reason === undefined ? null : shown(checked.reason, 400),
  };
}

function timestamp(sct: SignedCertificateTimestamp, verdict?: SctVerdict): TimestampEvidence {
  return {
    ...{ origin: sct.origin, logId: toHex(sct.logId), time: timeOf(sct.timestamp) },
    valid: verdict?.valid ?? null,
    detail: verdict === undefined ? null : shown(verdict.valid ? verdict.log.description : verdict.reason),
  };
}

/** What the stapled response says about the leaf, verified against the path that was found. */
function leafFinding(
  certificate: Certificate,
  request: CertificateToVerify,
  verdict: ServerVerdict,
): ReturnType<typeof verifyOcspResponse> | undefined {
  const issuer = verdict.learned[0]?.request.issuer ?? verdict.path?.[1];
  const response = stapleFor(certificate, request);
  if (issuer === undefined || response === undefined) return undefined;
  return verifyOcspResponse({
    provider: nodeCrypto,
    response,
    certificate,
    issuer,
    at: new Date(request.now),
  });
}

function parsed(der: Uint8Array | undefined): Certificate | undefined {
  return der === undefined ? undefined : read(() => Certificate.parse(der), undefined);
}

/** A log may say anything about when. */
function timeOf(milliseconds: bigint): string {
  const date = new Date(Number(milliseconds));
  return Number.isNaN(date.getTime()) ? '?' : date.toISOString();
}

function read<T>(get: () => T, otherwise: T): T {
  try {
    return get();
  } catch (error) {
    if (error instanceof CertificateError) return otherwise;
    throw error;
  }
}

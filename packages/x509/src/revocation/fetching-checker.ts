import { ascii, concat, decodePem, toBase64, toHex } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { compatibleProfile } from '../profile.ts';
import type { AsyncRevocationChecker, RevocationRequest, RevocationStatus } from '../revocation-check.ts';
import { ExpiringCache } from './cache.ts';
import { CertificateRevocationList } from './crl.ts';
import { AskedBefore, statusFromLists } from './crl-checker.ts';
import { CrlSigners } from './crl-signer.ts';
import { distributionPointsOf, freshestCrlOf, httpUrlsOf, ocspUrlsOf } from './distribution-point.ts';
import { CRL_TYPE, type Fetcher, type FetchRequest, OCSP_REQUEST_TYPE, OCSP_RESPONSE_TYPE } from './fetch.ts';
import { encodeCertificateId, ocspCertificateId } from './ocsp-certificate-id.ts';
import { encodeOcspRequest, OCSP_NONCE_LENGTH } from './ocsp-request.ts';
import { OCSP_RESPONSE_LIMITS } from './ocsp-response.ts';
import { type OcspFinding, verifyOcspResponse } from './ocsp-verify.ts';
import { endOf, type RevocationPolicy, SOFT_FAIL } from './policy.ts';

export interface FetchingCheckerOptions {
  readonly provider: CryptoProvider;
  readonly fetch: Fetcher;
  /** Default {@link SOFT_FAIL}. */
  readonly policy?: RevocationPolicy | undefined;
  /** What is asked, in this order, until somebody knows. Default OCSP, then CRLs. */
  readonly methods?: readonly ('ocsp' | 'crl')[] | undefined;
  /** Sends a nonce and wants it back: fresher, but no answer comes from a cache. Default false. */
  readonly nonce?: boolean | undefined;
  /** Longest CRL that is fetched, in bytes. Default 16 MiB. */
  readonly maximumCrlLength?: number | undefined;
  /** Answers kept, and bytes of lists. Default 1,000 and 64 MiB. */
  readonly cache?: { readonly answers?: number; readonly listBytes?: number } | undefined;
  /** Certificates of further CRL issuers, as for {@link crlChecker}. */
  readonly signers?: readonly Certificate[] | undefined;
}

/** URLs of one certificate that are tried: a certificate must not make us knock on a hundred doors. */
const MOST_URLS = 4;

/** Milliseconds for which a URL that failed is not asked again. */
const FAILURE_PAUSE = 60_000;

/** Asks OCSP responders and fetches CRLs, from the addresses that the certificates name, and remembers the answers. */
export function fetchingChecker(options: FetchingCheckerOptions): AsyncRevocationChecker {
  const policy = options.policy ?? SOFT_FAIL;
  const methods = options.methods ?? ['ocsp', 'crl'];
  const sources = { ocsp: new OcspSource(options, policy), crl: new CrlSource(options, policy) };
  const statusOf = async (request: RevocationRequest, asked: AskedBefore): Promise<RevocationStatus> => {
    const others = asked.and(request);
    const askFurther: AskFurther = async (about) => others.answerTo(about) ?? statusOf(about, others);
    const reasons: string[] = [];
    for (const method of methods) {
      const status = await attempt(() => sources[method].status(request, askFurther));
      if (status.status !== 'unknown') return status;
      reasons.push(status.reason);
    }
    return { status: 'unknown', reason: reasons.join('; ') };
  };
  return {
    onUnknown: policy.mode === 'hard-fail' ? 'refuse' : 'accept',
    async check(request) {
      if (policy.mode === 'off' || (policy.scope === 'leaf' && request.index > 0)) return { status: 'good' };
      return statusOf(request, new AskedBefore());
    },
  };
}

/** Asks about the signer of a list. */
type AskFurther = (request: RevocationRequest) => Promise<RevocationStatus>;

/** Answers of responders, each kept until it ends. */
class OcspSource {
  readonly #options: FetchingCheckerOptions;
  readonly #policy: RevocationPolicy;
  readonly #answers: ExpiringCache<OcspFinding>;
  readonly #door: Door;

  constructor(options: FetchingCheckerOptions, policy: RevocationPolicy) {
    this.#options = options;
    this.#policy = policy;
    this.#answers = new ExpiringCache(options.cache?.answers ?? 1000);
    this.#door = new Door(options.fetch);
  }

  async status(request: RevocationRequest): Promise<RevocationStatus> {
    const { certificate, issuer, at, profile = compatibleProfile } = request;
    const { provider } = this.#options;
    const id = ocspCertificateId(provider, certificate.serialNumber, issuer);
    const about = toHex(concat(encodeCertificateId(id), provider.digest('sha256', issuer.spki)));
    // What one profile accepts of a responder, another may not.
    const key = `${about} ${JSON.stringify(profile)}`;
    const known = this.#answers.get(key, +at);
    if (known !== undefined) return known;
    const urls = ocspUrlsOf(certificate.extensions).slice(0, MOST_URLS);
    let unknown: RevocationStatus = { status: 'unknown', reason: 'the certificate names no OCSP responder' };
    for (const url of urls) {
      const nonce = this.#options.nonce === true ? provider.randomBytes(OCSP_NONCE_LENGTH) : undefined;
      const body = encodeOcspRequest({ certificateIds: [id], nonce });
      const finding = await attempt<OcspFinding>(async () => {
        const response = await this.#door.fetch(ocspFetch(url, body, nonce !== undefined), +at);
        return verifyOcspResponse({
          ...{ provider, response, certificate, issuer, at, nonce, profile },
          policy: this.#policy,
          requiresNonce: nonce !== undefined,
        });
      });
      // What a responder signed is kept, also that it does not know.
      if (finding.until !== undefined) this.#answers.set(key, finding, +finding.until);
      if (finding.status !== 'unknown') return finding;
      unknown = finding;
    }
    return unknown;
  }
}

/** Lists, each kept until the next one is due. */
class CrlSource {
  readonly #policy: RevocationPolicy;
  readonly #maximumLength: number;
  readonly #lists: ExpiringCache<CertificateRevocationList>;
  readonly #signers: CrlSigners;
  readonly #door: Door;

  constructor(options: FetchingCheckerOptions, policy: RevocationPolicy) {
    this.#policy = policy;
    this.#maximumLength = options.maximumCrlLength ?? 16 * 1024 * 1024;
    this.#lists = new ExpiringCache(100, options.cache?.listBytes ?? 64 * 1024 * 1024);
    this.#signers = new CrlSigners(options.provider, options.signers ?? []);
    this.#door = new Door(options.fetch);
  }

  async status(request: RevocationRequest, askFurther: AskFurther): Promise<RevocationStatus> {
    const { extensions } = request.certificate;
    // RFC 5280 §4.2.1.13, §6.3.3 (a)
    const urls = httpUrlsOf(distributionPointsOf(extensions)).slice(0, MOST_URLS);
    let unknown: RevocationStatus = {
      status: 'unknown',
      reason: 'the certificate names no address for CRLs',
    };
    const lists: CertificateRevocationList[] = [];
    for (const url of urls) {
      const status = await attempt(async () => {
        const list = await this.#list(url, request);
        lists.push(list);
        const deltaUrls = httpUrlsOf([...freshestCrlOf(extensions), ...freshestCrlOf(list.extensions)]);
        // Without the delta, the list still counts.
        for (const delta of deltaUrls.slice(0, 1))
          await this.#list(delta, request).then(
            (found) => lists.push(found),
            () => undefined,
          );
        const lookup = statusFromLists(request, lists, this.#signers, this.#policy);
        let step = lookup.next();
        while (!step.done) step = lookup.next(await askFurther(step.value));
        return step.value;
      });
      if (status.status !== 'unknown') return status;
      unknown = status;
    }
    return unknown;
  }

  async #list(url: string, request: RevocationRequest): Promise<CertificateRevocationList> {
    const now = +request.at;
    const known = this.#lists.get(url, now);
    if (known !== undefined) return known;
    const maximumLength = this.#maximumLength;
    const bytes = await this.#door.fetch({ url, method: 'GET', accept: CRL_TYPE, maximumLength }, now);
    const list = CertificateRevocationList.parse(crlBytes(bytes), maximumLength);
    // Whoever is on the way could put anything into the cache, if only what is signed did not get there.
    if (this.#signers.isSigned(list, request))
      this.#lists.set(url, list, +endOf(list, this.#policy), bytes.length);
    return list;
  }
}

/** Fetches: the same once for all who wait, not again soon after a failure, and nothing over its length. */
class Door {
  readonly #fetch: Fetcher;
  readonly #underWay: Map<string, Promise<Uint8Array>> = new Map();
  readonly #failures: ExpiringCache<Error> = new ExpiringCache(1000);

  constructor(fetch: Fetcher) {
    this.#fetch = fetch;
  }

  async fetch(request: FetchRequest, now: number): Promise<Uint8Array> {
    const failure = this.#failures.get(request.url, now);
    if (failure !== undefined) throw failure;
    const key = `${request.url} ${request.body === undefined ? '' : toHex(request.body)}`;
    let result = this.#underWay.get(key);
    if (result === undefined) {
      result = this.#start(request, now).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, result);
    }
    return result;
  }

  async #start(request: FetchRequest, now: number): Promise<Uint8Array> {
    try {
      const { body } = await this.#fetch(request);
      if (body.length > request.maximumLength)
        throw new CertificateError('budget-exceeded', `the answer has ${body.length} bytes`);
      return body;
    } catch (error) {
      const failure = new CertificateError(
        'malformed',
        `no answer from ${request.url.slice(0, 200)}: ${error instanceof Error ? error.message : 'failed'}`,
        undefined,
        error,
      );
      this.#failures.set(request.url, failure, now + FAILURE_PAUSE);
      throw failure;
    }
  }
}

/** A GET, which caches understand, when the request is short (RFC 5019 §5); else a POST (RFC 6960 §A.1). */
export function ocspFetch(url: string, body: Uint8Array, isUnique = false): FetchRequest {
  const common = { accept: OCSP_RESPONSE_TYPE, maximumLength: OCSP_RESPONSE_LIMITS.length };
  const whole = `${url.replace(/\/$/, '')}/${encodeURIComponent(toBase64(body))}`;
  if (!isUnique && whole.length <= 255) return { url: whole, method: 'GET', ...common };
  return { url, method: 'POST', body, contentType: OCSP_REQUEST_TYPE, ...common };
}

/** DER, or the PEM that some servers give against RFC 2585. */
function crlBytes(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x2d) return bytes;
  const block = decodePem(ascii(bytes)).find(({ label }) => label === 'X509 CRL');
  return block?.bytes ?? bytes;
}

/** What goes wrong on the way only means that nothing is known. */
async function attempt<T extends RevocationStatus>(
  step: () => Promise<T>,
): Promise<T | { readonly status: 'unknown'; readonly reason: string; readonly until?: undefined }> {
  try {
    return await step();
  } catch (error) {
    return { status: 'unknown', reason: error instanceof Error ? error.message : 'failed' };
  }
}

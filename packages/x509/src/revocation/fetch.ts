/** What is to be fetched. */
export interface FetchRequest {
  /** `http:` or `https:`. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body?: Uint8Array | undefined;
  /** Of the body. */
  readonly contentType?: string | undefined;
  /** The media type that is hoped for. */
  readonly accept: string;
  /** Bytes of the answer after which the fetcher should stop reading; longer ones are not used. */
  readonly maximumLength: number;
}

/** An answer, or that there is none: a fetcher rejects with any error whose message says why, for people. */
export interface FetchResponse {
  readonly body: Uint8Array;
}

/** Brings bytes from a URL. Time limits, proxies and which hosts may be asked are its affair. */
export type Fetcher = (request: FetchRequest) => Promise<FetchResponse>;

export const OCSP_REQUEST_TYPE = 'application/ocsp-request';
export const OCSP_RESPONSE_TYPE = 'application/ocsp-response';
/** A CRL over HTTP, in DER (RFC 2585 §4.2). */
export const CRL_TYPE = 'application/pkix-crl';

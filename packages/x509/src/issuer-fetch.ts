import { contextConstructedTag, DecodeError, decodeDer, Tag } from '@testudo/codec';
import { Certificate } from './certificate.ts';
import { CertificateError } from './errors.ts';
import { parseCertificates } from './load.ts';
import { AccessMethodOid } from './oids.ts';

/**
 * Gets what is at a URL: `http` only, since verifying a certificate must not depend on verifying another. It comes from
 * a certificate that nobody vouches for yet, so the fetcher should refuse addresses inside one's own network, set a
 * time limit, and stop reading after `maximumBytes`. A failure is a rejection: the search goes on without.
 */
export type IssuerFetcher = (url: string, options: { readonly maximumBytes: number }) => Promise<Uint8Array>;

export interface IssuerFetchOptions {
  readonly fetch: IssuerFetcher;
  /** Fetches in one verification. Default 4. */
  readonly maximumFetches?: number | undefined;
  /** Length of one answer, in bytes; longer ones are dropped. Default 65,536. */
  readonly maximumBytes?: number | undefined;
}

/** Certificates in one answer that are looked at. Real ones hold one, or a few cross-signed. */
const MOST_CERTIFICATES = 16;

/** Fetches issuers by authorityInformationAccess (RFC 5280 §4.2.2.1) for one verification, within its limits. */
export class IssuerSource {
  readonly #options: IssuerFetchOptions;
  readonly #asked: Set<string> = new Set();
  #left: number;

  constructor(options: IssuerFetchOptions) {
    this.#options = options;
    this.#left = options.maximumFetches ?? 4;
  }

  /** What the certificate says its issuers are; nothing when it says nothing or all fetches fail. */
  async issuersOf(certificate: Certificate): Promise<readonly Certificate[]> {
    for (const url of issuerUrls(certificate)) {
      if (this.#asked.has(url)) continue;
      if (this.#left-- <= 0) return [];
      this.#asked.add(url);
      const found = await this.#fetch(url);
      if (found.length > 0) return found;
    }
    return [];
  }

  async #fetch(url: string): Promise<readonly Certificate[]> {
    const maximumBytes = this.#options.maximumBytes ?? 65_536;
    let bytes: Uint8Array;
    try {
      bytes = await this.#options.fetch(url, { maximumBytes });
    } catch {
      return [];
    }
    if (bytes.length > maximumBytes) return [];
    try {
      return parseIssuers(bytes).slice(0, MOST_CERTIFICATES);
    } catch (error) {
      if (error instanceof CertificateError) return [];
      throw error;
    }
  }
}

/** The `http` URLs at which a certificate's issuers are to be found. */
export function issuerUrls({ extensions }: Certificate): readonly string[] {
  try {
    return (extensions.authorityInformationAccess ?? []).flatMap(({ method, location }) =>
      method === AccessMethodOid.caIssuers && location.kind === 'uri' && /^http:\/\//i.test(location.value)
        ? [location.value]
        : [],
    );
  } catch (error) {
    if (error instanceof CertificateError) return [];
    throw error;
  }
}

/**
 * What such a URL holds (RFC 5280 §4.2.2.1): one certificate, or a CMS message with certificates and nothing else. PEM,
 * which some servers have, is read as well. Throws {@link CertificateError} `malformed`.
 */
export function parseIssuers(bytes: Uint8Array): readonly Certificate[] {
  const bundled = certsOnly(bytes);
  return bundled === undefined ? parseCertificates(bytes) : bundled.flatMap(tryParse);
}

const SIGNED_DATA = '1.2.840.113549.1.7.2';

/** Certificates of a SignedData without signers (RFC 5652 §5.1), or undefined when it is something else. */
function certsOnly(bytes: Uint8Array): Uint8Array[] | undefined {
  try {
    return decodeDer(bytes, (reader) =>
      reader.sequence((contentInfo) => {
        if (contentInfo.oid() !== SIGNED_DATA) throw contentInfo.error('bad-value', 'not SignedData');
        return contentInfo.explicit(0, (content) =>
          content.sequence((signedData) => {
            signedData.smallInteger();
            signedData.whole(Tag.set);
            signedData.whole(Tag.sequence);
            const found =
              signedData.peek() === contextConstructedTag(0)
                ? signedData.sequenceOf((item) => item.whole(), contextConstructedTag(0), 256)
                : [];
            while (signedData.remaining > 0) signedData.whole();
            return found;
          }),
        );
      }),
    );
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** A bundle may hold what we cannot read; the others are as good. */
function tryParse(bytes: Uint8Array): Certificate[] {
  try {
    return [Certificate.parse(bytes)];
  } catch (error) {
    if (error instanceof CertificateError) return [];
    throw error;
  }
}

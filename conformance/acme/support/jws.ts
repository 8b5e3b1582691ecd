import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto';

/** What a request is refused for: a problem document's type and text (RFC 8555 §6.7). */
export class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, type: string, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.type = type;
    this.headers = headers;
  }
}

export interface SignedRequest {
  readonly jwk: JsonWebKey | undefined;
  readonly kid: string | undefined;
  /** Undefined for POST-as-GET. */
  readonly payload: Record<string, unknown> | undefined;
}

/** Checks a request as strictly as RFC 8555 §6.2 and RFC 7515 allow; `keyOf` knows the accounts' keys. */
export function openJws(
  body: string,
  url: string,
  nonces: Set<string>,
  keyOf: (kid: string) => JsonWebKey | undefined,
): SignedRequest {
  const jws = parse(body, 'the body');
  expectKeys(jws, ['protected', 'payload', 'signature']);
  const header = parse(decode(jws['protected']), 'the protected header');
  const { alg, nonce, kid } = header as { readonly [_ in string]?: string };
  const jwk = header['jwk'] as JsonWebKey | undefined;
  if (header['url'] !== url) throw new Refusal(401, 'unauthorized', `url is ${header['url']}, not ${url}`);
  if (alg !== 'ES256') throw new Refusal(400, 'badSignatureAlgorithm', `${alg}: only ES256 is taken`);
  if ((kid === undefined) === (jwk === undefined))
    throw new Refusal(400, 'malformed', 'one of kid and jwk must be there');
  expectKeys(header, ['alg', 'nonce', 'url', kid === undefined ? 'jwk' : 'kid']);
  if (!nonces.delete(String(nonce))) throw new Refusal(400, 'badNonce', 'this nonce is not known');
  const key = kid === undefined ? jwk : keyOf(kid);
  if (key === undefined) throw new Refusal(400, 'accountDoesNotExist', `no account ${kid}`);
  const signed = Buffer.from(`${jws['protected']}.${jws['payload']}`);
  const publicKey = createPublicKey({ key, format: 'jwk' });
  const signature = Buffer.from(String(jws['signature']), 'base64url');
  if (!verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature))
    throw new Refusal(400, 'malformed', 'the signature is wrong');
  const payload = jws['payload'] === '' ? undefined : parse(decode(jws['payload']), 'the payload');
  return { jwk, kid, payload };
}

/** RFC 7638 */
export function thumbprint({ crv, kty, x, y }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

function decode(value: unknown): string {
  if (typeof value !== 'string' || !/^[\w-]*$/.test(value))
    throw new Refusal(400, 'malformed', 'not base64url');
  return Buffer.from(value, 'base64url').toString();
}

function parse(text: string, what: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'malformed', `${what} is no JSON`);
  }
}

function expectKeys(object: Record<string, unknown>, keys: readonly string[]): void {
  if (Object.keys(object).toSorted().join() === keys.toSorted().join()) return;
  throw new Refusal(400, 'malformed', `members ${Object.keys(object)}, wanted are ${keys}`);
}

/** How a CA can be shown that a name is ours: RFC 8555 §8.3, RFC 8737. */
export const ACME_CHALLENGES = ['tls-alpn-01', 'http-01'] as const;

export type AcmeChallenge = (typeof ACME_CHALLENGES)[number];

/** Keys of the certificates: small and fast, or for clients that know nothing but RSA. */
export const ACME_KEY_TYPES = ['p256', 'p384', 'rsa2048', 'rsa3072'] as const;

export type AcmeKeyType = (typeof ACME_KEY_TYPES)[number];

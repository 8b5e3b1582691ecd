/**
 * Blocks under one key of a block cipher. Two of n-bit blocks are expected to collide after 2^(n/2), and each collision tells
 * the XOR of two blocks of plaintext: with 64-bit blocks that is 32 GB, which a script in a browser gets sent (SWEET32). There is
 * no new key for it short of a new handshake (`renegotiate`), so the connection ends at the limit.
 */
export interface BlockLimits {
  /** Of what we encrypt. */
  readonly sent: number;
  /** Of what the peer encrypts: it is its own secrets that it risks, so more is left to it. */
  readonly received: number;
}

/**
 * For 64-bit blocks we send 2^20, the most that NIST allows under one key (SP 800-67 rev. 2 §3.3), 8 MB: the odds of one collision
 * are 2^-25. We take 2^23, 64 MB, after which others change keys (OpenVPN): 2^-19. With 128-bit blocks no connection comes near.
 */
export function blockLimits(blockLength: number): BlockLimits {
  return blockLength === 8 ? { sent: 2 ** 20, received: 2 ** 23 } : { sent: 2 ** 60, received: 2 ** 60 };
}

/**
 * Records under one RC4 key. Its biases tell a secret that is sent often enough: some 2^30 times within one connection, where
 * the biases do not fade (RFC 7465; NOMORE). A limit only makes that impossible here; it does not mend RC4, whose first bytes
 * are biased in every connection.
 */
export const RC4_RECORD_LIMIT: number = 2 ** 24;

import { signatureAlgorithms, supportedGroups } from '../extensions/negotiation.ts';
import type { ClientHello } from '../messages/client-hello.ts';

/**
 * Whether a hello is one of Java 11 as it first came, whose TLS 1.3 makes mistakes when it resumes: it forgets the
 * server's name and chain (JDK-8211806, JDK-8212885, JDK-8213202). Nothing says so but the hello's looks: its extensions, always in this order, and
 * that it knows nothing newer than it can.
 */
export function isJava11({ extensions, cipherSuites }: ClientHello): boolean {
  let place = -1;
  for (const id of extensions.ids) {
    const next = ORDER.indexOf(id);
    if (next <= place) return false;
    place = next;
  }
  const groups = extensions.get(supportedGroups) ?? [];
  const schemes = extensions.get(signatureAlgorithms) ?? [];
  return (
    ALWAYS.every((id) => extensions.hasId(id)) &&
    !cipherSuites.includes(CHACHA20) &&
    groups.every((id) => NIST.has(id) || (id >= FFDHE && id < FFDHE + 5)) &&
    !schemes.some((id) => id === ED25519 || id === ED448)
  );
}

/**
 * server_name, status_request, supported_groups, ec_point_formats, signature_algorithms, signature_algorithms_cert, ALPN,
 * status_request_v2, extended_master_secret, supported_versions, psk_key_exchange_modes, key_share, renegotiation_info,
 * pre_shared_key.
 */
const ORDER: readonly number[] = [0, 5, 10, 11, 13, 50, 16, 17, 23, 43, 45, 51, 0xff01, 41];
const ALWAYS: readonly number[] = [10, 13, 50, 43, 45, 51];
const CHACHA20 = 0x1303;
/** secp256r1 to secp521r1, and binary curves. */
const NIST: ReadonlySet<number> = new Set([23, 24, 25, 9, 10, 11, 12, 13, 14, 22]);
const FFDHE = 0x0100;
const ED25519 = 0x0807;
const ED448 = 0x0808;

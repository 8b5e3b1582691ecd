import { concat } from '@testudo/codec';
import type { CryptoProvider, CurveName, KemName } from '@testudo/crypto';
import { TlsError } from './errors.ts';

/**
 * A key exchange group. The client starts, the server responds, the client finishes; a Diffie-Hellman group and
 * a KEM look the same from here (RFC 9846 §4.2.8, draft-ietf-tls-ecdhe-mlkem for the hybrids).
 */
export interface Group {
  /** NamedGroup on the wire. */
  readonly id: number;
  /** As IANA has it. */
  readonly name: string;
  /** Other names users know it by: NIST's and OpenSSL's. */
  readonly aliases: readonly string[];
  /** Up to TLS 1.2 a curve is for ECDHE, a finite field for DHE; the others are for TLS 1.3 only. */
  readonly kind: 'curve' | 'finite-field' | 'kem' | 'hybrid';
  available(provider: CryptoProvider): boolean;
  /** The client's half. */
  start(provider: CryptoProvider): KeyShare;
  /** The server's half: its share, and the shared secret. Throws `bad-key-share`. */
  respond(provider: CryptoProvider, clientShare: Uint8Array): { share: Uint8Array; secret: Uint8Array };
}

/** A private key that waits for the peer's share. */
export interface KeyShare {
  readonly group: Group;
  readonly share: Uint8Array;
  /** The shared secret. Throws `bad-key-share` when the peer's share is no valid key. */
  finish(peerShare: Uint8Array): Uint8Array;
}

/** Every group the engine knows. */
export const GROUPS: readonly Group[] = [
  hybrid(0x11ec, 'X25519MLKEM768', 'ml-kem-768', 1184, 1088, 'x25519', 32),
  curve(0x001d, 'x25519', 'x25519', 32, ['X25519']),
  curve(0x0017, 'secp256r1', 'secp256r1', 65, ['P-256', 'prime256v1']),
  curve(0x0018, 'secp384r1', 'secp384r1', 97, ['P-384']),
  curve(0x0019, 'secp521r1', 'secp521r1', 133, ['P-521']),
];

const BY_ID = new Map(GROUPS.map((group) => [group.id, group]));

export function groupById(id: number): Group | undefined {
  return BY_ID.get(id);
}

/** By its name or an alias, whatever the case. */
export function groupByName(name: string): Group | undefined {
  const wanted = name.toLowerCase();
  return GROUPS.find((group) =>
    [group.name, ...group.aliases].some((known) => known.toLowerCase() === wanted),
  );
}

function curve(id: number, name: string, curveName: CurveName, length: number, aliases: string[]): Group {
  const agreement = (provider: CryptoProvider) => provider.keyAgreement(curveName)!;
  const group: Group = {
    id,
    name,
    aliases,
    kind: 'curve',
    available: (provider) => provider.keyAgreement(curveName) !== undefined,
    start(provider) {
      const key = agreement(provider).generate();
      return { group, share: key.publicKey, finish: (peer) => key.agree(checkLength(group, peer, length)) };
    },
    respond(provider, clientShare) {
      const key = agreement(provider).generate();
      return { share: key.publicKey, secret: key.agree(checkLength(group, clientShare, length)) };
    },
  };
  return group;
}

/** The KEM's part comes first in the shares and in the secret (draft-ietf-tls-ecdhe-mlkem §3). */
function hybrid(
  id: number,
  name: string,
  kemName: KemName,
  encapsulationKeyLength: number,
  ciphertextLength: number,
  curveName: CurveName,
  pointLength: number,
): Group {
  const group: Group = {
    id,
    name,
    aliases: [],
    kind: 'hybrid',
    available: (provider) =>
      provider.kem(kemName) !== undefined && provider.keyAgreement(curveName) !== undefined,
    start(provider) {
      const kemKey = provider.kem(kemName)!.generate();
      const curveKey = provider.keyAgreement(curveName)!.generate();
      return {
        group,
        share: concat(kemKey.encapsulationKey, curveKey.publicKey),
        finish(peer) {
          checkLength(group, peer, ciphertextLength + pointLength);
          return concat(
            kemKey.decapsulate(peer.subarray(0, ciphertextLength)),
            curveKey.agree(peer.subarray(ciphertextLength)),
          );
        },
      };
    },
    respond(provider, clientShare) {
      checkLength(group, clientShare, encapsulationKeyLength + pointLength);
      const kem = provider.kem(kemName)!.encapsulate(clientShare.subarray(0, encapsulationKeyLength));
      const curveKey = provider.keyAgreement(curveName)!.generate();
      return {
        share: concat(kem.ciphertext, curveKey.publicKey),
        secret: concat(kem.sharedSecret, curveKey.agree(clientShare.subarray(encapsulationKeyLength))),
      };
    },
  };
  return group;
}

function checkLength(group: Group, share: Uint8Array, length: number): Uint8Array {
  if (share.length === length) return share;
  throw new TlsError('bad-key-share', `a ${group.name} key share has ${length} bytes, not ${share.length}`);
}

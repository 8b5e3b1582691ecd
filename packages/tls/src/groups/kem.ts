import { concat } from '@testudo/codec';
import type { CryptoProvider, CurveName, KemName } from '@testudo/crypto';
import { TLS13 } from '../versions.ts';
import { checkLength, type Group } from './group.ts';

/** Lengths in bytes (FIPS 203 §8). */
const KEM_LENGTHS: Readonly<Record<KemName, { readonly key: number; readonly ciphertext: number }>> = {
  'ml-kem-768': { key: 1184, ciphertext: 1088 },
  'ml-kem-1024': { key: 1568, ciphertext: 1568 },
};

/** A KEM alone (draft-ietf-tls-mlkem §4): the client's share is the encapsulation key, the server's the ciphertext. */
export function kem(id: number, name: string, kemName: KemName): Group {
  const lengths = KEM_LENGTHS[kemName];
  const group: Group = {
    id,
    name,
    aliases: [],
    kind: 'kem',
    minVersion: TLS13,
    maxVersion: TLS13,
    available: (provider) => provider.kem(kemName) !== undefined,
    start(provider) {
      const key = provider.kem(kemName)!.generate();
      return {
        group,
        share: key.encapsulationKey,
        finish: (peer) => key.decapsulate(checkLength(group, peer, lengths.ciphertext)),
      };
    },
    respond(provider, clientShare) {
      checkLength(group, clientShare, lengths.key);
      const { ciphertext, sharedSecret } = provider.kem(kemName)!.encapsulate(clientShare);
      return { share: ciphertext, secret: sharedSecret };
    },
  };
  return group;
}

/**
 * A KEM and a curve, side by side (draft-ietf-tls-ecdhe-mlkem §3). Which of them comes first in the shares and in the
 * secret depends on the group: what FIPS approves.
 */
export function hybrid(
  id: number,
  name: string,
  kemName: KemName,
  curveName: CurveName,
  pointLength: number,
  first: 'kem' | 'curve',
): Group {
  const lengths = KEM_LENGTHS[kemName];
  const join = (ofKem: Uint8Array, ofCurve: Uint8Array) =>
    first === 'kem' ? concat(ofKem, ofCurve) : concat(ofCurve, ofKem);
  function split(share: Uint8Array, kemLength: number): { ofKem: Uint8Array; ofCurve: Uint8Array } {
    checkLength(group, share, kemLength + pointLength);
    if (first === 'kem') return { ofKem: share.subarray(0, kemLength), ofCurve: share.subarray(kemLength) };
    return { ofKem: share.subarray(pointLength), ofCurve: share.subarray(0, pointLength) };
  }
  const group: Group = {
    id,
    name,
    aliases: [],
    kind: 'hybrid',
    minVersion: TLS13,
    maxVersion: TLS13,
    available: (provider: CryptoProvider) =>
      provider.kem(kemName) !== undefined && provider.keyAgreement(curveName) !== undefined,
    start(provider) {
      const kemKey = provider.kem(kemName)!.generate();
      const curveKey = provider.keyAgreement(curveName)!.generate();
      return {
        group,
        share: join(kemKey.encapsulationKey, curveKey.publicKey),
        finish(peer) {
          const { ofKem, ofCurve } = split(peer, lengths.ciphertext);
          return join(kemKey.decapsulate(ofKem), curveKey.agree(ofCurve));
        },
      };
    },
    respond(provider, clientShare) {
      const { ofKem, ofCurve } = split(clientShare, lengths.key);
      const encapsulated = provider.kem(kemName)!.encapsulate(ofKem);
      const curveKey = provider.keyAgreement(curveName)!.generate();
      return {
        share: join(encapsulated.ciphertext, curveKey.publicKey),
        secret: join(encapsulated.sharedSecret, curveKey.agree(ofCurve)),
      };
    },
  };
  return group;
}

import { type CryptoProvider, FFDHE_GROUPS, finiteFieldGroup } from '@testudo/crypto';
import { SSL30, TLS13 } from '../versions.ts';
import { checkLength, type Group } from './group.ts';

/** A group of RFC 7919, by its name: for key shares of TLS 1.3 (RFC 9846 §4.3.8.1) and for DHE before. */
export function ffdhe(id: number, name: string): Group {
  const { prime, generator } = FFDHE_GROUPS.find((known) => known.name === name)!;
  return finiteField(id, name, prime, generator);
}

/** A group that a server names by its numbers, in DHE: one of RFC 7919 or RFC 3526, or one of its own. */
export function groupOfServer(prime: Uint8Array, generator: Uint8Array): FiniteField {
  const known = finiteFieldGroup(prime, generator);
  return finiteField(0, known?.name ?? `dh${8 * prime.length}`, prime, generator);
}

/** The prime and the generator of a finite field, big-endian. */
export interface FiniteField extends Group {
  readonly kind: 'finite-field';
  readonly prime: Uint8Array;
  readonly generator: Uint8Array;
}

export function isFiniteField(group: Group): group is FiniteField {
  return group.kind === 'finite-field';
}

/** Diffie-Hellman in it (RFC 9846 §7.4.1): shares and secret are as long as the prime; before 1.3, dhe.ts strips zeros. */
function finiteField(id: number, name: string, prime: Uint8Array, generator: Uint8Array): FiniteField {
  const agreement = (provider: CryptoProvider) => provider.finiteField(prime, generator)!;
  const group: FiniteField = {
    id,
    name,
    aliases: [],
    kind: 'finite-field',
    minVersion: SSL30,
    maxVersion: TLS13,
    prime,
    generator,
    available: (provider) => provider.finiteField(prime, generator) !== undefined,
    start(provider) {
      const key = agreement(provider).generate();
      return {
        group,
        share: key.publicKey,
        finish: (peer) => key.agree(checkLength(group, peer, prime.length)),
      };
    },
    respond(provider, clientShare) {
      checkLength(group, clientShare, prime.length);
      const key = agreement(provider).generate();
      return { share: key.publicKey, secret: key.agree(clientShare) };
    },
  };
  return group;
}

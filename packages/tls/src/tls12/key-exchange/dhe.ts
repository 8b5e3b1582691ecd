import { type Codec, opaque, struct } from '@testudo/codec';
import { finiteFieldFault, finiteFieldGroup } from '@testudo/crypto';
import { MAX_UNKNOWN_DH_BITS, MIN_DH_BITS, MIN_LEGACY_DH_BITS } from '../../config/defaults.ts';
import { TlsError } from '../../errors.ts';
import { type FiniteField, groupOfServer } from '../../groups/index.ts';
import type { ClientHandshake } from '../../handshake/context.ts';
import { type KeyExchange, keyExchange } from './key-exchange.ts';

/** ServerDHParams (RFC 5246 §7.4.3): big-endian numbers, with or without leading zeros. */
export interface ServerDhParams {
  readonly prime: Uint8Array;
  readonly generator: Uint8Array;
  readonly publicValue: Uint8Array;
}

/** ClientDiffieHellmanPublic (RFC 5246 §7.4.7.2). */
export interface ClientDhParams {
  readonly publicValue: Uint8Array;
}

export const serverDhParams: Codec<ServerDhParams> = struct({
  prime: opaque(2, 1),
  generator: opaque(2, 1),
  publicValue: opaque(2, 1),
});

const clientDhParams: Codec<ClientDhParams> = struct({ publicValue: opaque(2, 1) });

/** Ephemeral keys in a finite field (RFC 5246 §8.1.2), the field by its numbers. */
export const dhe: KeyExchange<ServerDhParams, ClientDhParams> = {
  name: 'DHE',
  available: (config) => config.finiteFields.length > 0,
  serverKeyExchange: 'always',
  serverParams: serverDhParams,
  clientParams: () => clientDhParams,
  *server(h, { group }) {
    const field = group as FiniteField;
    const key = field.start(h.provider);
    return {
      params: { prime: field.prime, generator: field.generator, publicValue: key.share },
      *finish({ publicValue }) {
        return { preMasterSecret: withoutLeadingZeros(key.finish(asLongAs(field, publicValue))) };
      },
    };
  },
  *client(h, _with, params) {
    const field = fieldOfServer(h, params!);
    const key = field.start(h.provider);
    return {
      params: { publicValue: key.share },
      preMasterSecret: withoutLeadingZeros(key.finish(asLongAs(field, params!.publicValue))),
      group: field,
    };
  },
};

export const dheExchange: KeyExchange = keyExchange(dhe);

/** Throws `weak-parameters` for a short prime, `illegal-parameter` for what is no group at all (RFC 7919 §3.1). */
function fieldOfServer(h: ClientHandshake, { prime, generator }: ServerDhParams): FiniteField {
  const minimum = h.config.legacy === undefined ? MIN_DH_BITS : MIN_LEGACY_DH_BITS;
  const known = finiteFieldGroup(prime, generator);
  const limits = known === undefined ? { minimum, maximum: MAX_UNKNOWN_DH_BITS } : { minimum };
  const fault = finiteFieldFault(prime, generator, limits);
  if (fault === 'too-short') {
    throw new TlsError(
      'weak-parameters',
      `the server's Diffie-Hellman group has fewer than ${minimum} bits, which can be broken`,
    );
  }
  if (fault !== undefined)
    throw new TlsError('illegal-parameter', `the server's Diffie-Hellman group is invalid: ${fault}`);
  const named = h.config.finiteFields.find((field) => field.name === known?.name);
  return named ?? groupOfServer(withoutLeadingZeros(prime), withoutLeadingZeros(generator));
}

/** The number with as many bytes as the prime; one that is longer still is no number of this field. */
function asLongAs({ prime }: FiniteField, value: Uint8Array): Uint8Array {
  const digits = withoutLeadingZeros(value);
  if (digits.length > prime.length)
    throw new TlsError('bad-key-share', "the peer's Diffie-Hellman value is longer than the prime");
  const padded = new Uint8Array(prime.length);
  padded.set(digits, prime.length - digits.length);
  return padded;
}

/** RFC 5246 §8.1.2: leading zeros are stripped before a secret is used. Keys are used once, so nothing is learnt from it. */
function withoutLeadingZeros(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  return new Uint8Array(bytes.subarray(start));
}

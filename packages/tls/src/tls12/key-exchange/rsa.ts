import { type Codec, concat, opaque, rest, struct } from '@testudo/codec';
import { equalMask, selectBytes, unpadPkcs1 } from '@testudo/crypto';
import type { Credential } from '../../certificates/credential.ts';
import { MIN_RSA_BITS } from '../../config/defaults.ts';
import { TlsError } from '../../errors.ts';
import { type Flow, perform } from '../../flow.ts';
import type { ServerHandshake } from '../../handshake/context.ts';
import { SSL30 } from '../../versions.ts';
import { type KeyExchange, keyExchange } from './key-exchange.ts';

/** EncryptedPreMasterSecret (RFC 5246 §7.4.7.1). */
export interface ClientRsaParams {
  readonly encrypted: Uint8Array;
}

const prefixed: Codec<ClientRsaParams> = struct({ encrypted: opaque(2) });
/** SSL 3.0 has no length here: nothing follows (RFC 6101 §5.6.7.1). */
const bare: Codec<ClientRsaParams> = struct({ encrypted: rest });

/** Bytes of the pre-master secret: the version of ClientHello, and random ones. */
const LENGTH = 48;

/** A secret that the client encrypts under the key in the server's certificate (RFC 5246 §7.4.7.1, §8.1.1). */
export const rsa: KeyExchange<never, ClientRsaParams> = {
  name: 'RSA',
  available: () => true,
  serverKeyExchange: 'never',
  serverParams: {
    read(reader) {
      throw reader.error('bad-value', 'ServerKeyExchange where none is allowed');
    },
    write() {},
  },
  clientParams: (version) => (version === SSL30 ? bare : prefixed),
  *server(h, { own, offeredVersion }) {
    return {
      params: undefined,
      *finish({ encrypted }) {
        return { preMasterSecret: yield* decrypted(h, own!.credential, encrypted, offeredVersion) };
      },
    };
  },
  *client(h, { serverKey, offeredVersion }) {
    const { kind } = serverKey!;
    if (h.config.legacy === undefined && 'bits' in kind && kind.bits < MIN_RSA_BITS)
      throw new TlsError(
        'weak-parameters',
        `the server's RSA key has fewer than ${MIN_RSA_BITS} bits (FREAK)`,
      );
    const version = Uint8Array.of(offeredVersion >> 8, offeredVersion);
    const preMasterSecret = concat(version, h.provider.randomBytes(LENGTH - 2));
    return {
      params: { encrypted: h.provider.rsaEncrypt(serverKey!, preMasterSecret) },
      preMasterSecret,
      group: undefined,
    };
  },
};

export const rsaExchange: KeyExchange = keyExchange(rsa);

/**
 * Whatever is wrong with the ciphertext, its padding or the version within, the handshake goes on with random bytes, and
 * fails when the client's Finished does not decrypt: so nobody can use this server to decrypt what others recorded
 * (Bleichenbacher; RFC 5246 §7.4.7.1). The version shows whether somebody changed the one in ClientHello.
 */
function* decrypted(
  h: ServerHandshake,
  credential: Credential,
  ciphertext: Uint8Array,
  offeredVersion: number,
): Flow<Uint8Array> {
  const random = h.provider.randomBytes(LENGTH);
  const { keyKind } = credential;
  const length = 'bits' in keyKind ? Math.ceil(keyKind.bits / 8) : 0;
  const answer = yield* perform('decryptRsa', { credential, ciphertext });
  const block = answer?.length === length ? answer : new Uint8Array(length);
  const secret = unpadPkcs1(block, LENGTH, random);
  const isRight = equalMask(secret[0]!, offeredVersion >> 8) & equalMask(secret[1]!, offeredVersion & 0xff);
  return selectBytes(isRight, secret, random);
}

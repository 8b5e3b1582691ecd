import { type Codec, concat, opaque, type Reader, readField, type Writer } from '@testudo/codec';
import { TlsError } from '../../errors.ts';
import { perform } from '../../flow.ts';
import type { KeyExchangeName } from '../../suites/index.ts';
import { dhe } from './dhe.ts';
import { ecdheExchange } from './ecdhe.ts';
import { type KeyExchange, keyExchange } from './key-exchange.ts';
import { rsa } from './rsa.ts';

/** ServerKeyExchange (RFC 4279 §2, RFC 5489 §2): a hint which key is wanted, and what another exchange says besides. */
export interface ServerPskParams {
  /** Empty for none. */
  readonly identityHint: Uint8Array;
  readonly other: unknown;
}

/** ClientKeyExchange: the name of the key, and what another exchange answers besides. */
export interface ClientPskParams {
  readonly identity: Uint8Array;
  readonly other: unknown;
}

/** A key that both know already; alone it has no forward secrecy (RFC 4279 §2). */
export const psk: KeyExchange = pskWith('PSK', undefined);
/** RFC 4279 §3. */
export const dhePsk: KeyExchange = pskWith('DHE_PSK', keyExchange(dhe));
/** RFC 5489 §2. */
export const ecdhePsk: KeyExchange = pskWith('ECDHE_PSK', ecdheExchange);
/** The server also shows a certificate (RFC 4279 §4). */
export const rsaPsk: KeyExchange = pskWith('RSA_PSK', keyExchange(rsa));

const opaqueText = opaque(2);

function pskWith(name: KeyExchangeName, other: KeyExchange | undefined): KeyExchange {
  const says = other?.serverKeyExchange === 'always' ? other : undefined;
  return keyExchange<ServerPskParams, ClientPskParams>({
    name,
    available: (config) => config.hasPsks && (other?.available(config) ?? true),
    serverKeyExchange: says === undefined ? 'optional' : 'always',
    serverParams: serverParams(says?.serverParams),
    clientParams: (version) => clientParams(other?.clientParams(version)),
    *server(h, side) {
      const half = other === undefined ? undefined : yield* other.server(h, side);
      const { pskIdentityHint } = h.config;
      const isSilent = pskIdentityHint === undefined && says === undefined;
      return {
        params: isSilent ? undefined : { identityHint: pskIdentityHint ?? NOTHING, other: half?.params },
        *finish(params) {
          const { identity } = params;
          const { version } = side.terms.rules;
          const found = yield* perform('findPsk', { identity, version });
          // A key that nobody has: the client cannot tell an unknown name from a wrong key (RFC 4279 §2).
          const key = found?.key ?? h.provider.randomBytes(32);
          const secret = half === undefined ? undefined : yield* half.finish(params.other);
          return { preMasterSecret: joined(secret?.preMasterSecret, key), pskIdentity: found?.identity };
        },
      };
    },
    *client(h, side, params) {
      const half = other === undefined ? undefined : yield* other.client(h, side, params?.other);
      const hint = params?.identityHint;
      const [chosen] = yield* perform('choosePsks', { hint: hint?.length ? hint : undefined });
      if (chosen === undefined)
        throw new TlsError('no-psk', 'the server wants a pre-shared key, but there is none for it');
      return {
        params: { identity: chosen.identity, other: half?.params },
        preMasterSecret: joined(half?.preMasterSecret, chosen.key),
        group: half?.group,
        pskIdentity: chosen.identity,
      };
    },
  });
}

/** RFC 4279 §2: the other secret, or as many zeros as the key is long, and the key, each with its length. */
function joined(other: Uint8Array | undefined, key: Uint8Array): Uint8Array {
  const first = other ?? new Uint8Array(key.length);
  return concat(uint16(first.length), first, uint16(key.length), key);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

function serverParams(other: Codec<unknown> | undefined): Codec<ServerPskParams> {
  return {
    read: (reader: Reader) => ({
      identityHint: readField(reader, 'identityHint', opaqueText),
      other: other?.read(reader),
    }),
    write(writer: Writer, params) {
      opaqueText.write(writer, params.identityHint);
      other?.write(writer, params.other);
    },
  };
}

function clientParams(other: Codec<unknown> | undefined): Codec<ClientPskParams> {
  return {
    read: (reader: Reader) => ({
      identity: readField(reader, 'identity', opaqueText),
      other: other?.read(reader),
    }),
    write(writer: Writer, params) {
      opaqueText.write(writer, params.identity);
      other?.write(writer, params.other);
    },
  };
}

const NOTHING = new Uint8Array(0);

import type { Codec } from '@testudo/codec';
import type { PublicKey } from '@testudo/crypto';
import type { CommonConfig } from '../../config/config.ts';
import type { Flow } from '../../flow.ts';
import type { Group } from '../../groups/index.ts';
import type { ClientHandshake, ServerHandshake } from '../../handshake/context.ts';
import type { ShownCredential } from '../../handshake/peer.ts';
import type { KeyExchangeName } from '../../suites/index.ts';
import type { Version } from '../../versions.ts';
import type { Terms } from '../terms.ts';

/** A key exchange of TLS up to 1.2 (RFC 5246 §7.4.3, §7.4.7): what each side sends, and the secret that both get. */
export interface KeyExchange<S = unknown, C = unknown> {
  readonly name: KeyExchangeName;
  /** Whether the configuration has what it takes: a group, a shared key. */
  available(config: CommonConfig): boolean;
  /** Whether ServerKeyExchange comes. A server that has nothing to say in an optional one leaves it out (RFC 4279 §2). */
  readonly serverKeyExchange: 'always' | 'optional' | 'never';
  /** What the server says, without the signature. */
  readonly serverParams: Codec<S>;
  /** What the client answers. */
  clientParams(version: Version): Codec<C>;
  /** The server's half. Undefined parameters: no ServerKeyExchange. */
  server(h: ServerHandshake, with_: ServerSide): Flow<ServerHalf<S, C>>;
  /** The client's half, once the server is known to be who it should be. `params` is undefined when none came. */
  client(h: ClientHandshake, with_: ClientSide, params: S | undefined): Flow<ClientHalf<C>>;
}

/** What a server has for the key exchange. */
export interface ServerSide {
  readonly terms: Terms;
  /** The group for an ephemeral exchange. */
  readonly group: Group | undefined;
  readonly own: ShownCredential | undefined;
  /** The version in ClientHello, which an RSA pre-master secret repeats (RFC 5246 §7.4.7.1). */
  readonly offeredVersion: number;
}

export interface ServerHalf<S, C> {
  readonly params: S | undefined;
  finish(params: C): Flow<ServerSecret>;
}

/** What the client's answer gives. */
export interface ServerSecret {
  readonly preMasterSecret: Uint8Array;
  /** The name of the shared key, where it is known. */
  readonly pskIdentity?: Uint8Array | undefined;
}

/** What a client knows of the server. */
export interface ClientSide {
  readonly terms: Terms;
  /** The key in the server's certificate; undefined when it showed none. */
  readonly serverKey: PublicKey | undefined;
  readonly offeredVersion: number;
}

export interface ClientHalf<C> {
  readonly params: C;
  readonly preMasterSecret: Uint8Array;
  readonly group: Group | undefined;
  /** The name of the shared key, where there is one. */
  readonly pskIdentity?: Uint8Array;
}

/** Forgets the types of the parameters, which only the key exchange itself needs. */
export function keyExchange<S, C>(definition: KeyExchange<S, C>): KeyExchange {
  return definition as unknown as KeyExchange;
}

import { concat, toLatin1 } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { EchOptions } from '../ech/chosen-config.ts';
import { encodeEchConfigList } from '../ech/config-list.ts';
import { type EchKey, type EchKeyOptions, generateEchKey } from '../ech/keys.ts';
import type { TlsError } from '../errors.ts';
import { clientHello } from '../messages/client-hello.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd, type TestEnd } from './end.ts';
import { Pair } from './pair.ts';
import { TestPki } from './pki.ts';

export const PUBLIC_NAME = 'public.example';

export function listOf(...keys: readonly EchKey[]): Uint8Array {
  return encodeEchConfigList(keys.map(({ config }) => config));
}

/** Clients and servers that trust each other. */
export interface EchWorld {
  /** Whose certificates both sides have. */
  readonly echPki: TestPki;
  /** A key of a server. */
  echKey(more?: Partial<EchKeyOptions>): EchKey;
  /** A client that hides its hello for `ech`: keys, or what the option takes. */
  echClient(
    ech: EchKey | EchOptions | 'grease' | undefined,
    options?: Partial<ClientOptions>,
    ends?: ClientEnds,
  ): TestEnd;
  /** A server that has a certificate for whatever it is asked for. */
  echServer(echKeys: readonly EchKey[] | undefined, options?: Partial<ServerOptions>): TestEnd;
}

export type ClientEnds = Parameters<typeof clientEnd>[1];

export function echWorld(provider: CryptoProvider): EchWorld {
  const echPki = new TestPki(provider);
  return {
    echPki,
    echKey: (more = {}) => generateEchKey(provider, { publicName: PUBLIC_NAME, ...more }),
    echClient(ech, options = {}, ends = {}) {
      const isKey = ech !== undefined && typeof ech !== 'string' && 'config' in ech;
      const wanted = isKey ? { configs: listOf(ech) } : ech;
      const verifyCertificate = echPki.verifier();
      return clientEnd(clientConfig({ provider, verifyCertificate, ech: wanted, ...options }), ends);
    },
    echServer: (echKeys, options = {}) =>
      serverEnd(
        serverConfig({
          provider,
          credentials: ({ serverName }) => [echPki.server('p256', { name: serverName ?? PUBLIC_NAME })],
          echKeys,
          ...options,
        }),
      ),
  };
}

/** Both, with what the client put on the wire. */
export interface Meeting {
  readonly client: TestEnd;
  readonly server: TestEnd;
  readonly pair: Pair;
  /** Everything that the client sent, in the clear or not. */
  readonly sent: string;
  readonly errors: readonly TlsError[];
  /** Whole ClientHellos as they were sent, header included. */
  readonly hellos: readonly Uint8Array[];
}

/** Lets them meet. Chunks are as sockets of Node have them. */
export function meet(
  client: TestEnd,
  server: TestEnd,
  change: (bytes: Uint8Array, from: 'client' | 'server') => Uint8Array = (bytes) => bytes,
): Meeting {
  let sent = '';
  const hellos: Uint8Array[] = [];
  const pair = new Pair(client, server, (bytes, from) => {
    const changed = new Chunk(change(bytes, from));
    if (from === 'client') {
      sent += toLatin1(changed);
      hellos.push(...clientHellos(changed));
    }
    return [changed];
  });
  return {
    client,
    server,
    pair,
    get sent() {
      return sent;
    },
    get errors() {
      return [...client.errors, ...server.errors];
    },
    hellos,
  };
}

/** What a Buffer is to who takes it for a Uint8Array: its `slice` is no copy. */
class Chunk extends Uint8Array {
  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    return this.subarray(start, end) as Uint8Array<ArrayBuffer>;
  }
}

/** Those among the handshake messages that a flight begins with. */
function clientHellos(flight: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at + 5 < flight.length; ) {
    const end = at + 5 + ((flight[at + 3]! << 8) | flight[at + 4]!);
    if (flight[at] === 22) parts.push(flight.subarray(at + 5, end));
    at = end;
  }
  const messages = concat(...parts);
  const found: Uint8Array[] = [];
  for (let at = 0; at + 4 < messages.length; ) {
    const end = at + 4 + ((messages[at + 1]! << 16) | (messages[at + 2]! << 8) | messages[at + 3]!);
    if (messages[at] === clientHello.type) found.push(messages.slice(at, end));
    at = end;
  }
  return found;
}

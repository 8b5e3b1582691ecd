import { type Codec, constant, opaque, struct, uint8, uint16 } from '@testudo/codec';
import { TlsError } from '../../errors.ts';
import { type Group, groupFits } from '../../groups/index.ts';
import type { ClientHandshake } from '../../handshake/context.ts';
import { TLS12, type Version } from '../../versions.ts';
import { type KeyExchange, keyExchange } from './key-exchange.ts';

/** ServerECDHParams (RFC 8422 §5.4). */
export interface ServerEcdhParams {
  readonly namedCurve: number;
  readonly point: Uint8Array;
}

/** ClientECDiffieHellmanPublic (RFC 8422 §5.7). */
export interface ClientEcdhParams {
  readonly point: Uint8Array;
}

const NAMED_CURVE = 3;

const paramsFields: Codec<{ curveType: number; namedCurve: number; point: Uint8Array }> = struct({
  curveType: constant(uint8, NAMED_CURVE),
  namedCurve: uint16,
  point: opaque(1, 1),
});

export const serverEcdhParams: Codec<ServerEcdhParams> = {
  read(reader) {
    const { namedCurve, point } = paramsFields.read(reader);
    return { namedCurve, point };
  },
  write: (writer, params) => paramsFields.write(writer, { curveType: NAMED_CURVE, ...params }),
};

export const clientEcdhParams: Codec<ClientEcdhParams> = struct({ point: opaque(1, 1) });

/** Ephemeral keys on a curve (RFC 8422). */
export const ecdheExchange: KeyExchange = keyExchange<ServerEcdhParams, ClientEcdhParams>({
  name: 'ECDHE',
  available: (config) => config.groups.some((group) => isCurve(group, TLS12)),
  serverKeyExchange: 'always',
  serverParams: serverEcdhParams,
  clientParams: () => clientEcdhParams,
  *server(h, { group }) {
    const share = group!.start(h.provider);
    return {
      params: { namedCurve: group!.id, point: share.share },
      *finish({ point }) {
        return { preMasterSecret: share.finish(point) };
      },
    };
  },
  *client(h, { terms }, params) {
    const group = offeredCurve(h, params!.namedCurve, terms.rules.version);
    const share = group.start(h.provider);
    return {
      params: { point: share.share },
      preMasterSecret: share.finish(params!.point),
      group,
    };
  },
});

/** The server's curve must be among those that were offered. */
function offeredCurve(h: ClientHandshake, id: number, version: Version): Group {
  const group = h.config.groups.find((candidate) => candidate.id === id && isCurve(candidate, version));
  if (group !== undefined) return group;
  throw new TlsError('illegal-parameter', `the server chooses the group ${id}, which was not offered`);
}

function isCurve(group: Group, version: Version): boolean {
  return group.kind === 'curve' && groupFits(group, version);
}

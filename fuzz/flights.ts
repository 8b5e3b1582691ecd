import { utf8 } from '@testudo/codec';
import type { CryptoProvider, KeyAgreement } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  clientConfig,
  encodeEchConfigList,
  generateEchKey,
  pinnedKeys,
  rawPublicKeyCredential,
  type Session,
  serverConfig,
  TicketKeys,
  type VersionName,
} from '@testudo/tls';
import { legacy, npnClient, npnServer } from '@testudo/tls/legacy';
import { zlibCertificates } from '@testudo/tls/node';
import {
  abandonedByClients,
  clientEnd,
  Pair,
  type Side,
  serverEnd,
  type TestEnd,
  TestPki,
} from '#tls/testing';
import { Random } from './random.ts';

/** One kind of connection, and what went over its wire when all was well. */
export interface Flight {
  readonly name: string;
  client(): TestEnd;
  server(): TestEnd;
  /** What each side sent, in order; the other side's answers stood between. */
  readonly sent: Readonly<Record<Side, readonly Uint8Array[]>>;
  /** Application data that each side sent. */
  readonly data: Readonly<Record<Side, Uint8Array>>;
  /** The Finished messages each side saw: they stand for the transcript. */
  readonly finished: Readonly<Record<Side, string>>;
}

export const pki: TestPki = new TestPki(nodeCrypto);
const NOW = Date.now();
const DATA = { client: Uint8Array.of(1, 2, 3, 4), server: Uint8Array.of(5, 6, 7, 8, 9) };

/**
 * Connections that come out the same each time: randomness from a seed, Ed25519 signatures, a clock that stands.
 * So a flight recorded once can be played again, and what changed it is the fuzzer.
 */
export function recordFlights(): Flight[] {
  const none = {};
  const credentials = [pki.client('ed25519')];
  const mutual = { clientCertificate: 'require', verifyCertificate: pki.verifier() } as const;
  return [
    flight('1.3', none, none),
    flight('1.3 with a retry', { groups: ['x25519', 'secp256r1'] }, { groups: ['secp256r1'] }),
    flight('1.3 resumed', none, none, resumable('TLSv1.3')),
    flight('1.3 with a client certificate', { credentials }, mutual),
    flight('1.2', { maxVersion: 'TLSv1.2' }, none),
    flight('1.2 resumed', { maxVersion: 'TLSv1.2' }, none, resumable('TLSv1.2')),
    flight('1.2 with a client certificate', { maxVersion: 'TLSv1.2', credentials }, mutual),
    flight('1.3 with Encrypted Client Hello', { ech: { configs: ECH_CONFIGS } }, { echKeys: [ECH_KEY] }),
    flight('1.3 with application settings and trust anchors', SETTINGS, {
      ...SETTINGS,
      credentials: ANCHORED,
    }),
    flight('1.3 with a shared key', { psks: [PSK] }, shared),
    flight('1.3 with compressed certificates', { credentials, ...COMPRESSED }, { ...mutual, ...COMPRESSED }),
    flight('1.3 with raw public keys', ...RAW),
    flight('1.2 with raw public keys', { ...RAW[0], maxVersion: 'TLSv1.2' }, RAW[1]),
    ...old('1.2, CBC', 'TLSv1.2', 'ECDHE-RSA-AES128-SHA256'),
    ...old('1.2, DHE', 'TLSv1.2', 'DHE-RSA-AES128-GCM-SHA256'),
    ...old('1.2, a shared key', 'TLSv1.2', 'ECDHE-PSK-AES128-CBC-SHA256'),
    ...old('1.1, CBC', 'TLSv1.1', 'ECDHE-RSA-AES128-SHA'),
    ...old('1.0, CBC', 'TLSv1', 'ECDHE-RSA-AES128-SHA'),
    ...old('1.0, RC4', 'TLSv1', 'ECDHE-RSA-RC4-SHA'),
    ...old('SSL 3.0, DHE', 'SSLv3', 'DHE-RSA-AES128-SHA'),
    flight(
      NPN,
      { maxVersion: 'TLSv1.2', npn: npnClient(['a']), falseStart: true },
      { npn: npnServer(['a', 'b']) },
    ),
  ];
}

/** The flight with Next Protocol Negotiation; its client starts falsely. */
export const NPN = '1.2 with NPN';
const SETTINGS = {
  alpnProtocols: ['a'],
  applicationSettings: { a: Uint8Array.of(1, 2, 3) },
  trustAnchors: [Uint8Array.of(1)],
  resumptionAcrossNames: true,
};
const ANCHORED = [{ ...pki.server('ed25519'), trustAnchorId: Uint8Array.of(1) }];
const COMPRESSED = { certificateCompression: [zlibCertificates] };
const KEY = rawPublicKeyCredential(nodeCrypto, nodeCrypto.generateKey({ type: 'ed25519' }));
const pinned = { verifyRawPublicKey: pinnedKeys([KEY.rawPublicKey!]), credentials: [KEY] };
const RAW = [pinned, { ...pinned, clientCertificate: 'require' }] as const;
const PSK = { identity: utf8('Alice'), key: new Uint8Array(24).fill(7) };
const shared = { findPsk: () => PSK };
const ECH_KEY = generateEchKey(nodeCrypto, { publicName: 'public.example' });
const ECH_CONFIGS = encodeEchConfigList([ECH_KEY.config]);

/** One suite in one old version. RSA's signatures come out the same each time. */
function old(name: string, version: VersionName, suite: string): Flight[] {
  const changes = {
    legacy,
    minVersion: version,
    maxVersion: version,
    cipherSuites: [suite],
    signatureSchemes: ['rsa_pkcs1_sha256', 'ecdsa_secp256r1_sha256', 'ed25519'],
  } as const;
  const credentials = [pki.server('rsa')];
  return [flight(name, { ...changes, psks: [PSK] }, { ...changes, ...shared, credentials })];
}

type ClientChanges = Partial<Parameters<typeof clientConfig>[0]>;
type ServerChanges = Partial<Parameters<typeof serverConfig>[0]>;

function flight(name: string, client: ClientChanges, server: ServerChanges, session?: Session): Flight {
  const ends = {
    client: () => {
      // The session of a connection that failed would not be offered again.
      abandonedByClients.clear();
      return clientEnd(clientConfig({ ...common(1), verifyCertificate: pki.verifier(), ...client }), {
        session,
      });
    },
    server: () => serverEnd(serverConfig({ ...common(2), ...serverSide(), ...server })),
  };
  const sent: Record<Side, Uint8Array[]> = { client: [], server: [] };
  const pair = new Pair(ends.client(), ends.server(), (bytes, from) => {
    sent[from].push(bytes.slice());
    return [bytes];
  });
  pair.pump();
  for (const side of ['client', 'server'] as const) {
    if (pair[side].secured.length !== 1)
      throw new Error(`${name}: the recording failed: ${pair[side].errors[0]}`);
    pair[side].connection.send(DATA[side]);
  }
  pair.pump();
  pair.client.connection.close();
  pair.pump();
  return {
    name,
    ...ends,
    sent,
    data: DATA,
    finished: { client: finishedOf(pair.client), server: finishedOf(pair.server) },
  };
}

/** The Finished messages of a connection, sent then received. */
export function finishedOf(end: TestEnd): string {
  const { sent, received } = end.info.finished;
  return `${sent} ${received}`;
}

function common(seed: number) {
  return { provider: seeded(seed), now: () => NOW, groups: ['x25519', 'secp256r1'] } as const;
}

function serverSide() {
  const tickets = new TicketKeys(seeded(3), { now: () => NOW });
  // The first key is made when it is first needed; made now, it is the same for every server.
  tickets.export();
  return { credentials: [pki.server('ed25519')], tickets, ...PROTOCOLS };
}

const PROTOCOLS = { alpnProtocols: ['h2', 'http/1.1'] } as const;

function resumable(maxVersion: 'TLSv1.2' | 'TLSv1.3'): Session {
  const keys = serverSide();
  const client = clientEnd(clientConfig({ ...common(4), verifyCertificate: pki.verifier(), maxVersion }));
  const server = serverEnd(serverConfig({ ...common(5), ...keys }));
  new Pair(client, server).pump();
  return client.sessions[0]!;
}

/** OpenSSL with randomness from a seed. Never for anything but tests. */
function seeded(seed: number): CryptoProvider {
  const random = new Random(seed);
  return {
    ...nodeCrypto,
    randomBytes: (length) => random.bytes(length),
    keyAgreement: (curve) => repeated(nodeCrypto.keyAgreement(curve), random),
    finiteField: (prime, generator) => repeated(nodeCrypto.finiteField(prime, generator), random),
  };
}

function repeated(agreement: KeyAgreement | undefined, random: Random): KeyAgreement | undefined {
  if (agreement === undefined) return undefined;
  // The top bits off: below the order of every group, above zero.
  const generate = () =>
    agreement.fromPrivate(random.bytes(32).map((byte, i) => (i === 0 ? (byte & 0x3f) | 1 : byte)));
  return { ...agreement, generate };
}

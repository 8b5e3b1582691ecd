import { concat, DecodeError } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { Certificate, CertificateError } from '@testudo/x509';
import {
  certificateMessages,
  certificateRequests,
  certificateVerifies,
  clientEncryptedExtensions,
  clientHello,
  clientKeyExchange,
  compressedCertificate,
  EXTENSIONS,
  encryptedExtensions,
  fateOf,
  KEY_EXCHANGES,
  nextProtocol,
  nextProtocolNegotiation,
  type Puppet,
  PuppetClient12,
  PuppetClient13,
  PuppetServer12,
  PuppetServer13,
  type Side,
  sameButForEmptyBlock,
  serverHello,
  serverKeyExchange,
  splitRecords,
  tickets,
} from '#tls/testing';
import { changedAfterwards } from './afterwards.ts';
import { CERTIFICATE_SERVICES } from './certificate-services.ts';
import { changedChains } from './chains.ts';
import { breachOf, guarded, innerPlaintext } from './checks.ts';
import { cryptoCalls } from './crypto.ts';
import { type Flight, finishedOf, NPN, pki, recordFlights } from './flights.ts';
import { flood } from './floods.ts';
import { HIDDEN_HELLOS } from './hidden-hellos.ts';
import { mutate } from './mutate.ts';
import { identityPuppets } from './peer-identities.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

const NOTHING = new Uint8Array(0);
const flights: Flight[] = recordFlights();
const allBytes: readonly Uint8Array[] = flights.flatMap(({ sent }) => [...sent.client, ...sent.server]);

export const TARGETS: Readonly<Record<string, Target>> = {
  /** What clients send, changed, to a server. */
  client: (random) => replay('client', random),
  /** What servers send, changed, to a client. */
  server: (random) => replay('server', random),
  /** Messages changed before they are protected: to see what comes behind the first check. */
  messages: changedMessages,
  /** Records of any kind, rightly protected, on an open connection. */
  records: anyRecords,
  /** Renegotiation, and certificates asked for later, with one message changed before it is protected. */
  afterwards: (random) => changedAfterwards(random, allBytes),
  /** What is legal and brings nothing, over and over. */
  floods: flood,
  codecs: changedCodecs,
  certificates: changedCertificates,
  chains: changedChains,
  ...CERTIFICATE_SERVICES,
  ...HIDDEN_HELLOS,
  /** The provider that calls OpenSSL straight, beside the others. */
  crypto: cryptoCalls,
};

/** Plays one side's part of a recording, with one of its chunks changed, in pieces of any size. */
function replay(from: Side, random: Random): ReturnType<Target> {
  const flight = random.pick(flights);
  const chunks: Uint8Array[] = flight.sent[from].map((chunk) => chunk.slice());
  const target = random.below(chunks.length);
  chunks[target] =
    random.below(2) === 0
      ? mutate(chunks[target]!, random, random.pick(allBytes))
      : mutateRecord(chunks[target]!, random);
  const to = from === 'client' ? 'server' : 'client';
  const breach = guarded(() => {
    const end = flight[to]();
    end.connection.start();
    end.take();
    for (const chunk of chunks) {
      for (const piece of pieces(chunk, random)) end.connection.receive(piece);
      end.take();
    }
    end.connection.receiveEnd();
    const found = breachOf(end, flight.data[from]);
    if (found !== undefined) return `${flight.name}: ${found}`;
    if (end.secured.length === 1 && finishedOf(end) !== flight.finished[to])
      return `${flight.name}: secure with another transcript`;
    return undefined;
  });
  return { breach, input: chunks };
}

/** Changes inside one record, with a length that is right again: else little gets past the record layer. */
function mutateRecord(chunk: Uint8Array, random: Random): Uint8Array {
  const records = splitRecords(chunk);
  const at = random.below(records.length);
  const record = records[at]!;
  const body = mutate(record.subarray(5), random, random.pick(allBytes)).subarray(0, 0xffff);
  records[at] = concat(record.subarray(0, 3), Uint8Array.of(body.length >> 8, body.length & 255), body);
  return concat(...records);
}

function pieces(chunk: Uint8Array, random: Random): Uint8Array[] {
  if (random.below(2) === 0) return [chunk];
  const size = 1 + random.below(200);
  return Array.from({ length: Math.ceil(chunk.length / size) }, (_, i) =>
    chunk.slice(i * size, (i + 1) * size),
  );
}

const PUPPETS: readonly (readonly [string, () => Puppet, (p: never) => void])[] = [
  [
    'a client of 1.3',
    () => new PuppetServer13(nodeCrypto, flights[0]!.client(), pki.server('ed25519')),
    (p: PuppetServer13) => void p.upTo('done'),
  ],
  [
    'a client of 1.3, retried',
    () => new PuppetServer13(nodeCrypto, flights[0]!.client(), pki.server('ed25519')),
    (p: PuppetServer13) => void p.sendRetry(0x0017).upTo('done'),
  ],
  [
    'a client of 1.2',
    () => new PuppetServer12(nodeCrypto, flights[0]!.client(), pki.server('ed25519')),
    (p: PuppetServer12) => void p.upTo('done'),
  ],
  [
    'a server of 1.3',
    () => new PuppetClient13(nodeCrypto, flights[0]!.server(), pki.client('ed25519')),
    (p: PuppetClient13) => void p.complete(),
  ],
  [
    'a server of 1.3 that asks',
    () => new PuppetClient13(nodeCrypto, flights[3]!.server(), pki.client('ed25519')),
    authenticated13,
  ],
  [
    'a server of 1.2',
    () => new PuppetClient12(nodeCrypto, flights[0]!.server(), pki.client('ed25519')),
    (p: PuppetClient12) => void p.complete(),
  ],
  [
    'a server of 1.2 that asks',
    () => new PuppetClient12(nodeCrypto, flights[6]!.server(), pki.client('ed25519')),
    authenticated12,
  ],
  [
    'a client of 1.2 with NPN',
    () => new PuppetServer12(nodeCrypto, npnFlight().client(), pki.server('ed25519')),
    askedForProtocol,
  ],
  [
    'a server of 1.2 with NPN',
    () => new PuppetClient12(nodeCrypto, npnFlight().server(), pki.client('ed25519')),
    selectingProtocol,
  ],
  ...(await identityPuppets(pki)),
];

function authenticated13(p: PuppetClient13): void {
  p.sendHello();
  p.send(p.certificate());
  p.send(p.certificateVerify());
  p.send(p.finished()).enterApplication();
}

function authenticated12(p: PuppetClient12): void {
  p.sendHello();
  p.send(p.certificate());
  p.send(p.keyExchange());
  p.send(p.certificateVerify());
  p.changeKeys().send(p.finished());
}

function npnFlight(): (typeof flights)[number] {
  return flights.find(({ name }) => name === NPN)!;
}

function askedForProtocol(p: PuppetServer12): void {
  const hello = p.serverHello(({ extensions }) =>
    extensions.set(nextProtocolNegotiation as never, ['a'] as never),
  );
  p.send(hello, p.certificate());
  p.send(p.keyExchange());
  p.send(p.helloDone());
  p.changeKeys().send(p.finished());
}

function selectingProtocol(p: PuppetClient12): void {
  p.sendHello(({ extensions }) => extensions.set(nextProtocolNegotiation as never, null as never));
  p.send(p.keyExchange());
  p.changeKeys().send(p.encoded(nextProtocol, 'a'));
  p.send(p.finished());
}

/** A puppet's handshake in which one message is changed before it is protected. The puppet does not know. */
function changedMessages(random: Random): ReturnType<Target> {
  const [name, make, play] = random.pick(PUPPETS);
  const input: Uint8Array[] = [];
  const breach = guarded(() => {
    const puppet = make();
    const target = random.below(8);
    let count = 0;
    let isChanged = false;
    const sealed = puppet.sealed.bind(puppet);
    puppet.sealed = (type, content, padding) => {
      if (type !== 22 || count++ !== target) return sealed(type, content, padding);
      const changed = mutate(content, random, random.pick(allBytes)).subarray(0, 16_384);
      // Bytes behind a Finished come after the handshake, and are judged as such.
      isChanged = String(changed.subarray(0, content.length)) !== String(content);
      input.push(changed);
      return sealed(type, changed, padding);
    };
    // The puppet cannot go on when the engine has stopped answering: that is its own affair.
    quietly(() => (play as (p: Puppet) => void)(puppet));
    const found = breachOf(puppet.end, NOTHING);
    if (found !== undefined) return `${name}: ${found}`;
    if (isChanged && puppet.end.secured.length > 0)
      return `${name}: secure although message ${target} was changed`;
    return undefined;
  });
  return { breach, input };
}

/** The puppet's own failures; those of the engine are in its state, or were thrown out of `receive`. */
function quietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    const isFromEngine = error instanceof Error && /Connection\.receive\b/.test(error.stack ?? '');
    if (isFromEngine) throw error;
  }
}

function anyRecords(random: Random): ReturnType<Target> {
  const [name, make, play] = random.pick(PUPPETS);
  const input: Uint8Array[] = [];
  const breach = guarded(() => {
    const puppet = make();
    (play as (p: Puppet) => void)(puppet);
    if (puppet.end.connection.state !== 'open')
      return `${name}: the handshake failed: ${puppet.end.errors[0]}`;
    const sent: Uint8Array[] = [];
    for (let left = 1 + random.below(30); left > 0; left--) {
      const type = random.pick([20, 21, 22, 22, 22, 23, 23, 24, 0, 255]);
      const content =
        type === 22 ? anyMessage(random) : random.bytes(random.below(random.pick([2, 3, 40, 400])));
      input.push(Uint8Array.of(type), content);
      const wasOpen = !puppet.end.connection.isReadClosed;
      const meant = name.includes('1.3') ? innerPlaintext(type, content) : { type, content };
      if (meant.type === 23 && wasOpen) sent.push(meant.content);
      puppet.record(type, content, random.below(3) === 0 && name.includes('1.3') ? random.below(50) : 0);
    }
    const found = breachOf(puppet.end, concat(...sent));
    return found === undefined ? undefined : `${name}: ${found}`;
  });
  return { breach, input };
}

function anyMessage(random: Random): Uint8Array {
  const type = random.pick([0, 1, 2, 4, 4, 8, 11, 13, 15, 20, 24, 24, 24]);
  const body = random.bytes(random.pick([0, 1, 1, 2, 30]));
  if (type === 24) body[0] = random.below(3);
  return concat(
    Uint8Array.of(type, 0, 0, body.length),
    body,
    random.below(4) === 0 ? random.bytes(3) : NOTHING,
  );
}

const MESSAGES = [
  clientHello,
  serverHello,
  encryptedExtensions,
  clientEncryptedExtensions,
  ...Object.values(certificateVerifies),
  ...Object.values(certificateMessages),
  compressedCertificate,
  nextProtocol,
  ...Object.values(certificateRequests).filter((value) => typeof value === 'object'),
  ...Object.values(tickets),
  ...KEY_EXCHANGES.flatMap((exchange) => [
    serverKeyExchange(exchange.serverParams, 'named'),
    serverKeyExchange(exchange.serverParams, 'unnamed'),
    serverKeyExchange(exchange.serverParams, 'none'),
    clientKeyExchange(exchange.clientParams(0x0303)),
  ]),
];
const CODECS = [
  ...MESSAGES.map(({ codec }) => codec),
  ...EXTENSIONS.flatMap(({ codecs }) => Object.values(codecs)),
] as unknown as Parameters<typeof fateOf>[0][];

function changedCodecs(random: Random): ReturnType<Target> {
  const source = random.pick(allBytes);
  // Past the headers of record and message, there is a body; anywhere else is as good for the rest.
  const input = mutate(
    source.subarray(random.below(3) === 0 ? random.below(source.length) : 9),
    random,
    random.pick(allBytes),
  );
  const breach = guarded(() => {
    const fate = fateOf(random.pick(CODECS), input, sameButForEmptyBlock);
    return fate === 'the same' || fate === 'refused' ? undefined : fate;
  });
  return { breach, input: [input] };
}

const CERTIFICATES = [
  ...pki.server('ed25519').certificates,
  ...pki.server('p256').certificates,
  pki.authority.certificate.der,
];

function changedCertificates(random: Random): ReturnType<Target> {
  const input = mutate(random.pick(CERTIFICATES), random, random.pick(CERTIFICATES));
  const breach = guarded(() => {
    try {
      const certificate = Certificate.parse(input);
      certificate.publicKey(nodeCrypto);
      pki.verifier()({
        chain: [input],
        peer: 'server',
        name: 'server.example',
        ocspResponse: undefined,
        now: Date.now(),
      });
    } catch (error) {
      const isExpected =
        error instanceof CertificateError ||
        error instanceof DecodeError ||
        (error as Error).name === 'CryptoError';
      if (!isExpected) throw error;
    }
    return undefined;
  });
  return { breach, input: [input] };
}

import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { legacy } from '../legacy/index.ts';
import { zlibCertificates } from '../node/context/certificate-compression.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import type { VersionName } from '../versions.ts';
import { type Credential, credential } from './credential.ts';
import { issueDelegatedCredential } from './issue-delegation.ts';
import { rawPublicKeyCredential } from './raw-public-key.ts';
import type { CertificateCompression } from './types.ts';

// Keys in an HSM, verdicts over a network, tickets in a store: everything at once answers later, on both sides, one answer
// after the other. Nobody is secure before the last one, and what the peers say meanwhile waits.

const provider = nodeCrypto;
const pki = new TestPki(provider);
const ticketKeys = new TicketKeys(provider);

/** Answers that wait for the test. */
class Waiting {
  readonly asked: string[] = [];
  readonly #answers: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#answers.length === 0;
  }

  later<A extends unknown[], R>(
    what: string,
    act: (...args: A) => R | Promise<R>,
  ): (...args: A) => Promise<R> {
    return (...args) => {
      this.asked.push(what);
      return new Promise<R>((resolve, reject) => {
        this.#answers.push(() => {
          Promise.resolve()
            .then(() => act(...args))
            .then(resolve, reject);
        });
      });
    };
  }

  answer(): void {
    this.#answers.shift()!();
  }
}

function slow(waiting: Waiting, who: string, own: Credential): Credential {
  const { decryptRsa } = own;
  return {
    ...own,
    sign: waiting.later(`${who} signs`, own.sign),
    ...(decryptRsa ? { decryptRsa: waiting.later(`${who} decrypts`, decryptRsa) } : {}),
  };
}

function slowCompression(waiting: Waiting): CertificateCompression {
  return {
    name: 'zlib',
    compress: waiting.later('compresses', zlibCertificates.compress),
    decompress: waiting.later('decompresses', zlibCertificates.decompress),
  };
}

interface Kind {
  readonly version: VersionName;
  readonly client?: Partial<ClientOptions>;
  readonly server?: Partial<ServerOptions>;
}

function meet(
  waiting: Waiting,
  { version, ...more }: Kind,
  own: { server: Credential; client: Credential } = { server: pki.server('rsa'), client: pki.client('rsa') },
): Pair {
  const common = { provider, legacy, minVersion: version, maxVersion: version } as const;
  const verifier = pki.verifier();
  return new Pair(
    clientEnd(
      clientConfig({
        ...common,
        verifyCertificate: waiting.later('client judges', verifier),
        credentials: waiting.later('client chooses', () => [slow(waiting, 'client', own.client)]),
        alpnProtocols: ['a', 'b'],
        ...more.client,
      }),
    ),
    serverEnd(
      serverConfig({
        ...common,
        verifyCertificate: waiting.later('server judges', verifier),
        credentials: waiting.later('server chooses', () => [slow(waiting, 'server', own.server)]),
        alpnProtocols: waiting.later('server chooses a protocol', () => 'b'),
        clientCertificate: 'require',
        tickets: {
          seal: waiting.later('server seals', (session) => ticketKeys.seal(session)),
          open: waiting.later('server opens', (ticket) => ticketKeys.open(ticket)),
        },
        ...more.server,
      }),
    ),
  ).pump();
}

/** Answers one by one until nobody waits; whoever waits is busy. */
async function settle(pair: Pair, waiting: Waiting): Promise<void> {
  while (!waiting.isEmpty) {
    const busy = [pair.client, pair.server].filter(({ connection }) => connection.isBusy);
    expect(busy.length).toBeGreaterThan(0);
    // While the client's handshake goes on, nobody has sent or seen anything of the application.
    if (pair.client.secured.length === 0) expect(pair.server.secured).toEqual([]);
    waiting.answer();
    await pair.settle();
    await new Promise((resolve) => setImmediate(resolve));
    await pair.settle();
  }
}

function expectOpen(pair: Pair, version: VersionName): void {
  expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
  expect(pair.client.info).toMatchObject({ version, alpnProtocol: 'b' });
  expect(pair.server.info).toMatchObject({ version, alpnProtocol: 'b' });
  pair.client.connection.send(utf8('ping'));
  pair.pump();
  pair.server.connection.send(utf8('pong'));
  pair.pump();
  expect([pair.server.text, pair.client.text]).toEqual(['ping', 'pong']);
}

const BOTH_SIDES = [
  'server chooses a protocol',
  'server chooses',
  'client judges',
  'client chooses',
  'client signs',
  'server judges',
  'server seals',
];

const FAILING = ['server signs', 'server decrypts', 'client signs', 'client judges', 'server judges'];

describe.each<[string, Kind, readonly string[]]>([
  ['TLSv1.3', { version: 'TLSv1.3' }, [...BOTH_SIDES, 'server signs', 'server seals']],
  ['TLSv1.2, ECDHE', { version: 'TLSv1.2' }, [...BOTH_SIDES, 'server signs']],
  [
    'TLSv1.2, RSA',
    {
      version: 'TLSv1.2',
      server: { cipherSuites: ['TLS_RSA_WITH_AES_128_GCM_SHA256'] },
      client: { cipherSuites: ['TLS_RSA_WITH_AES_128_GCM_SHA256'] },
    },
    [...BOTH_SIDES, 'server decrypts'],
  ],
  ['TLSv1, DHE', cbc('TLSv1', 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA'), [...BOTH_SIDES, 'server signs']],
  ['TLSv1, RSA', cbc('TLSv1', 'TLS_RSA_WITH_AES_128_CBC_SHA'), [...BOTH_SIDES, 'server decrypts']],
])('%s', (_what, kind, asked) => {
  test('everything answers later', async () => {
    const waiting = new Waiting();
    const pair = meet(waiting, kind);
    await settle(pair, waiting);
    expect([...waiting.asked].sort()).toEqual([...asked].sort());
    expectOpen(pair, kind.version);
  });

  test('and a resumption', async () => {
    const waiting = new Waiting();
    const first = meet(waiting, kind);
    await settle(first, waiting);
    const session = first.client.sessions[0]!;
    waiting.asked.length = 0;
    const again = new Pair(
      clientEnd(
        clientConfig({
          ...{ provider, legacy, minVersion: kind.version, maxVersion: kind.version },
          ...{ verifyCertificate: pki.verifier(), alpnProtocols: ['a', 'b'] },
          ...kind.client,
        }),
        { session },
      ),
      serverEnd(
        serverConfig({
          ...{ provider, legacy, minVersion: kind.version, maxVersion: kind.version },
          ...{
            verifyCertificate: pki.verifier(),
            credentials: [pki.server('rsa')],
            clientCertificate: 'require',
          },
          alpnProtocols: waiting.later('server chooses a protocol', () => 'b'),
          tickets: {
            seal: waiting.later('server seals', (one) => ticketKeys.seal(one)),
            open: waiting.later('server opens', (ticket) => ticketKeys.open(ticket)),
          },
          ...kind.server,
        }),
      ),
    ).pump();
    await settle(again, waiting);
    expect(again.client.info.resumed).toBe(true);
    expect(waiting.asked).toContain('server opens');
    expectOpen(again, kind.version);
  });

  test.each(FAILING.filter((step) => asked.includes(step)))('a failure where %s', async (step) => {
    const waiting = new Waiting();
    const failing: Waiting['later'] = (what, act) =>
      what === step ? waiting.later(what, () => Promise.reject(new Error('no'))) : waiting.later(what, act);
    const pair = meet({ later: failing } as Waiting, kind);
    await settle(pair, waiting);
    expect(pair.client.errors.length + pair.server.errors.length).toBeGreaterThan(0);
    expect(pair.server.secured).toEqual([]);
    expect(pair.server.data).toEqual([]);
  });
});

test('TLSv1.3: compression, too, both ways', async () => {
  const waiting = new Waiting();
  const algorithm = slowCompression(waiting);
  const pair = meet(waiting, {
    version: 'TLSv1.3',
    client: { certificateCompression: [algorithm] },
    server: { certificateCompression: [algorithm] },
  });
  await settle(pair, waiting);
  expect(waiting.asked.filter((what) => what.endsWith('compresses'))).toEqual([
    ...['compresses', 'decompresses', 'compresses', 'decompresses'],
  ]);
  expectOpen(pair, 'TLSv1.3');
});

test.each(['TLSv1.3', 'TLSv1.2'] as const)('%s: raw public keys', async (version) => {
  const waiting = new Waiting();
  const key = () =>
    rawPublicKeyCredential(provider, provider.generateKey({ type: 'ec', curve: 'secp256r1' }));
  const pair = meet(
    waiting,
    {
      version,
      client: {
        verifyRawPublicKey: waiting.later('client judges a key', () => ({ accepted: true })),
        clientCertificateTypes: ['raw-public-key'],
      },
      server: { verifyRawPublicKey: waiting.later('server judges a key', () => ({ accepted: true })) },
    },
    { server: key(), client: key() },
  );
  await settle(pair, waiting);
  expect(waiting.asked).toContain('client judges a key');
  expect(waiting.asked).toContain('server judges a key');
  expect(waiting.asked).not.toContain('client judges');
  expectOpen(pair, version);
});

test('TLSv1.3: a delegated key', async () => {
  const waiting = new Waiting();
  const issued = pki.authority.issue({ purpose: 'server', names: ['server.example'], delegationUsage: true });
  const delegator = credential(provider, [issued.certificate.der], issued.privateKey!);
  const key = provider.generateKey({ type: 'ed25519' });
  const remote = {
    publicKey: key.publicKey,
    sign: waiting.later('the delegated key signs', (_algorithm: unknown, data: Uint8Array) =>
      provider.sign({ name: 'ed25519' }, key, data),
    ),
  };
  const delegated = await issueDelegatedCredential(provider, { delegator, key: remote });
  const server = { ...delegator, delegatedCredentials: [delegated] };
  const pair = meet(
    waiting,
    { version: 'TLSv1.3', client: { acceptDelegatedCredentials: true } },
    { server, client: pki.client() },
  );
  await settle(pair, waiting);
  expect(waiting.asked).toContain('the delegated key signs');
  expect(waiting.asked).not.toContain('server signs');
  expectOpen(pair, 'TLSv1.3');
});

function cbc(version: VersionName, suite: string): Kind {
  return { version, client: { cipherSuites: [suite] }, server: { cipherSuites: [suite] } };
}

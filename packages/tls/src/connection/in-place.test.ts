import { randomBytes } from 'node:crypto';
import { concat, toHex, utf8 } from '@testudo/codec';
import { opensslCrypto } from '@testudo/crypto/openssl';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import type { ClientOptions } from '../options/client.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, type TestEnd } from '../testing/end.ts';
import { endsOf } from '../testing/ends.ts';
import { TestPki } from '../testing/pki.ts';

// Records are decrypted where they lie when their chunks are given away. Nothing that was handed out may be written to again.

const provider = opensslCrypto();
const pki = new TestPki(provider);
const ends = endsOf(provider, pki);

type Ownership = 'given away' | 'lent' | 'in turn';

/** Carries bytes in pieces, and watches over what was handed out and what was lent. */
class Wire {
  readonly #step: number;
  readonly #ownership: Ownership;
  readonly #lent: { readonly chunk: Uint8Array; readonly copy: string }[] = [];
  readonly #data: { readonly bytes: Uint8Array; readonly copy: Uint8Array }[] = [];
  #turn = 0;

  constructor(step: number, ownership: Ownership) {
    this.#step = step;
    this.#ownership = ownership;
  }

  pump(a: TestEnd, b: TestEnd): void {
    for (;;) if (!this.#carry(a, b) && !this.#carry(b, a)) return;
  }

  #carry(from: TestEnd, to: TestEnd): boolean {
    const bytes = from.take();
    for (let at = 0; at < bytes.length; at += this.#step) {
      const isOwned =
        this.#ownership === 'given away' || (this.#ownership === 'in turn' && this.#turn++ % 2 === 0);
      // In the middle of other memory, as the chunks of a socket may be.
      const memory = new Uint8Array(this.#step + 64).fill(0x77);
      const chunk = memory.subarray(32, 32 + Math.min(this.#step, bytes.length - at));
      chunk.set(bytes.subarray(at, at + this.#step));
      if (!isOwned) this.#lent.push({ chunk: memory, copy: toHex(memory) });
      const had = to.data.length;
      to.connection.receive(chunk, isOwned);
      for (const data of to.data.slice(had)) this.#data.push({ bytes: data, copy: data.slice() });
    }
    return bytes.length > 0;
  }

  /** All that was handed out is as it was, and so is what was lent. */
  check(): void {
    for (const { bytes, copy } of this.#data) expect(toHex(bytes)).toBe(toHex(copy));
    for (const { chunk, copy } of this.#lent) expect(toHex(chunk)).toBe(copy);
  }
}

const LENGTHS = [1, 40, 64, 65, 0, 5000, 16_384, 16_385, 3, 40_000, 700];
const STEPS = [13, 700, 5000, 70_000];
const OWNERSHIPS: readonly Ownership[] = ['given away', 'lent', 'in turn'];
const CASES: readonly (readonly [string, Partial<ClientOptions>])[] = [
  ['TLS 1.3, AES-GCM', { minVersion: 'TLSv1.3', cipherSuites: ['TLS_AES_128_GCM_SHA256'] }],
  ['TLS 1.3, ChaCha20-Poly1305', { minVersion: 'TLSv1.3', cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] }],
  [
    'TLS 1.2, AES-GCM',
    {
      maxVersion: 'TLSv1.2',
      cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
    },
  ],
  [
    'TLS 1.2, ChaCha20-Poly1305',
    {
      maxVersion: 'TLSv1.2',
      cipherSuites: [
        'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
        'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      ],
    },
  ],
];

describe.each(CASES)('%s', (_, options) => {
  test.each(OWNERSHIPS)('chunks that are %s, of any size', (ownership) => {
    for (const step of STEPS) {
      const [client, server] = [ends.client(options), ends.server()];
      const wire = new Wire(step, ownership);
      server.connection.start();
      client.connection.start();
      wire.pump(client, server);
      expect([...client.errors, ...server.errors]).toEqual([]);
      const sent = LENGTHS.map((length) => new Uint8Array(randomBytes(length)));
      for (const [i, part] of sent.entries()) {
        client.connection.send(part);
        server.connection.send(part);
        // New keys, or a new handshake, with more behind them in the same chunk.
        if (i % 4 === 2) {
          if (options.minVersion === 'TLSv1.3') client.connection.updateKeys();
          client.connection.send(utf8('after'));
        }
        if (i % 3 === 0) wire.pump(client, server);
      }
      wire.pump(client, server);
      expect([...client.errors, ...server.errors]).toEqual([]);
      expect(toHex(concat(...client.data))).toBe(toHex(concat(...sent)));
      const fromClient = sent.flatMap((part, i) => (i % 4 === 2 ? [part, utf8('after')] : [part]));
      expect(toHex(concat(...server.data))).toBe(toHex(concat(...fromClient)));
      wire.check();
    }
  });
});

test.each(OWNERSHIPS)(
  'a handshake in which both show certificates, and a renegotiation; chunks %s',
  (ownership) => {
    for (const step of STEPS) {
      const both = { credentials: [pki.client()], maxVersion: 'TLSv1.2', renegotiation: true } as const;
      const client = ends.client(both);
      const server = ends.server({ clientCertificate: 'require', renegotiation: true });
      const wire = new Wire(step, ownership);
      server.connection.start();
      client.connection.start();
      wire.pump(client, server);
      client.connection.renegotiate();
      wire.pump(client, server);
      server.connection.send(utf8('after the second handshake'));
      wire.pump(client, server);
      expect([...client.errors, ...server.errors]).toEqual([]);
      expect(client.text).toBe('after the second handshake');
      wire.check();
    }
  },
);

test.each(OWNERSHIPS)(
  'early data that is refused is tried, and does no harm to what comes after; chunks %s',
  (ownership) => {
    for (const step of STEPS) {
      const tickets = new TicketKeys(provider);
      const taking = { tickets, earlyData: { maxBytes: 100_000 } };
      const { client: before } = ends.meet({}, taking);
      const config = clientConfig({ provider, verifyCertificate: pki.verifier() });
      const client = clientEnd(config, { session: before.sessions[0]!, earlyData: true });
      const server = ends.server({ tickets, earlyData: undefined });
      const wire = new Wire(step, ownership);
      server.connection.start();
      client.connection.start();
      for (const length of [10, 100, 5000])
        client.connection.sendEarlyData(new Uint8Array(randomBytes(length)));
      wire.pump(client, server);
      client.connection.send(utf8('to the server'));
      server.connection.send(utf8('to the client'));
      wire.pump(client, server);
      expect([...client.errors, ...server.errors]).toEqual([]);
      expect(server.earlyData).toEqual([]);
      expect([server.text, client.text]).toEqual(['to the server', 'to the client']);
      wire.check();
    }
  },
);

test('a record that was changed ends the connection, and leaves what came before', () => {
  const [client, server] = [ends.client(), ends.server()];
  const wire = new Wire(70_000, 'given away');
  server.connection.start();
  client.connection.start();
  wire.pump(client, server);
  server.connection.send(utf8('first'));
  const first = server.take();
  server.connection.send(new Uint8Array(5000).fill(65));
  const second = server.take();
  second[100]! ^= 1;
  const chunk = concat(first, second);
  client.connection.receive(chunk, true);
  expect(client.text).toBe('first');
  expect(client.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
  // What is not authentic is not shown to anybody.
  expect(String.fromCharCode(...chunk)).not.toContain('AAAA');
});

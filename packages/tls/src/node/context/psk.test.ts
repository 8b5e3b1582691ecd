import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { TlsOptions } from '../index.ts';
import { closeAll, connected, failing, MATRIX, nodes, ours, readAll } from '../testing/support.ts';

afterEach(closeAll);

const key = Buffer.from('d731ef57be09e5204f0b205b60627028', 'hex');
const keys: Readonly<Record<string, Buffer>> = { somebody: key };

/** A server that knows its clients by their keys alone. */
const server = {
  key: undefined,
  cert: undefined,
  ciphers: 'PSK+HIGH:TLS_AES_128_GCM_SHA256',
  pskIdentityHint: 'of the test',
  pskCallback: (_socket: unknown, identity: string) => keys[identity] ?? null,
} as unknown as TlsOptions;

const client = {
  ca: undefined,
  ciphers: 'PSK+HIGH:TLS_AES_128_GCM_SHA256',
  // Node asks although there is no certificate.
  checkServerIdentity: () => undefined,
};

describe.each(MATRIX)('%s, %s', (_name, maxVersion, serverTls, clientTls) => {
  test('a key that both have takes the place of certificates', async () => {
    const hints: unknown[] = [];
    const pskCallback = (hint: string | null): { psk: Buffer; identity: string } => {
      hints.push(hint);
      return { psk: key, identity: 'somebody' };
    };
    const sockets: unknown[] = [];
    const asked = (socket: unknown, identity: string): Buffer | null => {
      sockets.push(socket);
      return keys[identity] ?? null;
    };
    const both = await connected(
      serverTls,
      clientTls,
      { ...server, maxVersion, pskCallback: asked },
      { ...client, maxVersion, pskCallback },
    );
    expect(both.client.getProtocol()).toBe(maxVersion);
    expect(both.client.authorized).toBe(true);
    expect(both.client.getPeerCertificate()).toEqual({});
    expect(hints.at(-1)).toBe(maxVersion === 'TLSv1.2' ? 'of the test' : null);
    expect(sockets).toContain(both.accepted);
    both.accepted.pipe(both.accepted);
    both.client.end('hello');
    expect(String(await readAll(both.client))).toBe('hello');
  });

  test('a wrong key, an unknown name and no key at all end the handshake', async () => {
    for (const answer of [
      { psk: Buffer.alloc(16), identity: 'somebody' },
      { psk: key, identity: 'nobody' },
      null,
    ]) {
      const outcome = await failing(
        serverTls,
        clientTls,
        { ...server, maxVersion },
        { ...client, maxVersion, pskCallback: () => answer },
      );
      expect(outcome.client).toBeDefined();
    }
  });
});

test('what is no answer is refused as an argument', async () => {
  const outcome = await failing(ours, ours, server, {
    ...client,
    maxVersion: 'TLSv1.2',
    pskCallback: (() => ({ psk: 'text', identity: 'somebody' })) as never,
  });
  expect(outcome.client?.cause ?? outcome.client).toMatchObject({ message: expect.stringContaining('psk') });
});

test('a server with certificates, too, serves clients without keys', async () => {
  const { client: secured } = await connected(
    ours,
    nodes,
    { pskCallback: () => null },
    { maxVersion: 'TLSv1.3' },
  );
  expect(secured.authorized).toBe(true);
  secured.end();
  await once(secured.resume(), 'close');
});

test.each([256, 257, 512])(
  'a hint of %i bytes is taken, or fails each connection, as in Node',
  async (length) => {
    const options = { ...server, pskIdentityHint: 'a'.repeat(length) };
    const answer = {
      ...client,
      maxVersion: 'TLSv1.2',
      pskCallback: () => ({ psk: key, identity: 'somebody' }),
    };
    const story = async (tls: typeof ours): Promise<unknown> => {
      if (length <= 256) return (await connected(tls, tls, options, answer as never)).client.getProtocol();
      const { server: told, client: heard } = await failing(tls, tls, options, answer as never);
      return [told?.code, told?.message, heard?.code];
    };
    expect(await story(ours)).toEqual(await story(nodes));
  },
);

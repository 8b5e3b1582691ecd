import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { dangerouslyAccept } from '../certificates/verdict.ts';
import type { TlsError } from '../errors.ts';
import { encryptedClientHello, type OuterEch } from '../extensions/encrypted-client-hello.ts';
import { RetryCookies } from '../features/retry-cookies.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { type ClientEnds, echWorld, listOf, meet, PUBLIC_NAME } from '../testing/ech.ts';
import { SERVER_NAME } from '../testing/pki.ts';
import { payloadPlace } from './payload.ts';

const { echClient, echKey, echPki, echServer } = echWorld(nodeCrypto);

// Encrypted Client Hello that the server does not read (RFC 9849 §6.1.6): a failure, whatever the server says.

const [stale, fresh] = [echKey(), echKey()];
const RETRY = { groups: ['secp384r1'] } as const;

/** A client whose key the server has not. Neither side may take the connection for good, nor may the name be seen. */
function rejected(
  client: Partial<ClientOptions> = {},
  server: Partial<ServerOptions> = {},
  ends: ClientEnds = {},
): { error: TlsError; serverError: TlsError | undefined; seen: readonly (string | undefined)[] } {
  const seen: (string | undefined)[] = [];
  const credentials: ServerOptions['credentials'] = (hello) => {
    seen.push(hello.serverName);
    return [echPki.server('p256', { name: hello.serverName! })];
  };
  const own = { credentials, ...server };
  const meeting = meet(
    echClient(stale, { keyShareGroups: ['x25519'], ...client }, ends),
    echServer('echKeys' in server ? server.echKeys : [fresh], own),
  );
  meeting.pair.pump();
  expect(meeting.client.secured).toEqual([]);
  expect(meeting.client.errors).toHaveLength(1);
  expect(meeting.client.sessions).toEqual([]);
  expect(meeting.sent).toContain(PUBLIC_NAME);
  expect(meeting.sent).not.toContain(SERVER_NAME);
  return { error: meeting.client.errors[0]!, serverError: meeting.server.errors[0], seen };
}

const EVERY_WAY: readonly (readonly [string, Partial<ServerOptions>])[] = [
  ['at once', {}],
  ['after a HelloRetryRequest', RETRY],
  ['after a HelloRetryRequest with a cookie', { retryCookies: new RetryCookies(nodeCrypto) }],
];

describe('a server that has other keys', () => {
  test.each(EVERY_WAY)('sends them, for another try: %s', (_how, options) => {
    const { error, serverError, seen } = rejected({}, options);
    expect(error).toMatchObject({ code: 'ech-rejected', retryConfigs: listOf(fresh) });
    expect(error.message).toContain('try again');
    expect(serverError).toMatchObject({ code: 'alert-received', receivedAlert: 'ech_required' });
    expect(seen).toEqual([PUBLIC_NAME]);
    const again = meet(echClient({ configs: error.retryConfigs! }), echServer([fresh], options));
    again.pair.pump();
    expect(again.errors).toEqual([]);
    expect(again.client.info).toMatchObject({ ech: 'accepted', serverName: SERVER_NAME });
  });

  test('need not speak a protocol that only the encrypted hello names', () => {
    const alpn = { alpnProtocols: ['secret/1'], requireAlpn: true };
    expect(rejected(alpn).error).toMatchObject({ code: 'ech-rejected', retryConfigs: listOf(fresh) });
    const old = { maxVersion: 'TLSv1.2', echKeys: undefined } as const;
    expect(rejected(alpn, old).error).toMatchObject({ code: 'ech-rejected', retryConfigs: undefined });
  });

  test('gets what it cannot read unchanged when it asks for another hello', () => {
    const meeting = meet(echClient(stale, { keyShareGroups: ['x25519'] }), echServer([fresh], RETRY));
    meeting.pair.pump();
    const [first, second] = meeting.hellos.map(
      (raw) =>
        decodeMessage(clientHello, { type: clientHello.type, raw }).extensions.get(
          encryptedClientHello,
        ) as OuterEch,
    );
    expect(second).toEqual(first);
    expect(new Set(first!.payload).size).toBeGreaterThan(8);
  });

  test('sends those for retries only, in its order', () => {
    const [one, two] = [echKey(), echKey()];
    const echKeys = [one, { ...fresh, isRetry: false }, two];
    expect(rejected({}, { echKeys }).error.retryConfigs).toEqual(listOf(one, two));
  });

  test('knows that a key of its own was used, where it was', () => {
    const configId = stale.config[4]!;
    const namesake = echKey({ configId });
    const outcomes: string[] = [];
    const credentials: ServerOptions['credentials'] = (hello) => {
      outcomes.push(hello.ech);
      return [echPki.server('p256', { name: hello.serverName! })];
    };
    rejected({}, { echKeys: [namesake], credentials });
    rejected({}, { echKeys: [echKey({ configId: (configId + 1) % 256 })], credentials });
    expect(outcomes).toEqual(['rejected', 'grease']);
  });
});

describe('a server without ECH', () => {
  test.each([...EVERY_WAY, ['in TLS 1.2', { maxVersion: 'TLSv1.2' }] as const])(
    'is another failure, without configurations: %s',
    (_how, options) => {
      const { error, serverError } = rejected({}, { ...options, echKeys: undefined });
      expect(error).toMatchObject({ code: 'ech-rejected', retryConfigs: undefined });
      expect(error.message).toContain('does not use');
      expect(serverError).toMatchObject({ code: 'alert-received', receivedAlert: 'ech_required' });
    },
  );
});

describe('what the server says counts only with a certificate for the public name', () => {
  const real: ServerOptions['credentials'] = () => [echPki.server()];
  const stranger: ServerOptions['credentials'] = () => [
    echPki.server('p256', { name: PUBLIC_NAME, trusted: false }),
  ];

  test.each(EVERY_WAY)('for the hidden name instead: %s', (_how, options) => {
    const { error, serverError } = rejected({}, { ...options, credentials: real });
    expect(error).toMatchObject({ code: 'bad-certificate', retryConfigs: undefined });
    expect(serverError).toMatchObject({ receivedAlert: 'bad_certificate' });
  });

  test('of a CA that is not trusted', () => {
    const { error } = rejected({}, { credentials: stranger });
    expect(error).toMatchObject({ code: 'unknown-ca', retryConfigs: undefined });
  });

  test.each([
    ['another name', real, 'bad-certificate'],
    ['an unknown CA', stranger, 'unknown-ca'],
  ])('even where the user takes any certificate: %s', async (_what, credentials, code) => {
    const client = echClient(stale, { verifyCertificate: dangerouslyAccept(echPki.verifier()) });
    const meeting = meet(client, echServer([fresh], { credentials }));
    await meeting.pair.settle();
    expect(client.secured).toEqual([]);
    expect(client.errors).toMatchObject([{ code, retryConfigs: undefined }]);
  });

  test.each([
    ['TLS 1.3', {}],
    ['TLS 1.2', { maxVersion: 'TLSv1.2', echKeys: undefined }],
  ] as const)('even where the user takes a certificate for any name: %s', (_version, options) => {
    const verifyCertificate: ClientOptions['verifyCertificate'] = () => ({ accepted: true });
    const { error, serverError } = rejected({ verifyCertificate }, { ...options, credentials: real });
    expect(error).toMatchObject({ code: 'bad-certificate', retryConfigs: undefined });
    expect(serverError).toMatchObject({ receivedAlert: 'bad_certificate' });
    expect(rejected({ verifyCertificate }, options).error.code).toBe('ech-rejected');
  });

  test('in TLS 1.2', () => {
    const { error } = rejected({}, { maxVersion: 'TLSv1.2', echKeys: undefined, credentials: real });
    expect(error.code).toBe('bad-certificate');
  });
});

describe('a server that does not read the hello', () => {
  test.each([
    ['TLS 1.3', {}],
    ['TLS 1.2', { maxVersion: 'TLSv1.2', echKeys: undefined }],
  ] as const)('is shown no certificate of the client: %s', (_version, options) => {
    let asked = 0;
    const credentials = () => {
      asked++;
      return [echPki.client()];
    };
    const verifyCertificate = echPki.verifier();
    const { error } = rejected(
      { credentials },
      { clientCertificate: 'request', verifyCertificate, ...options },
    );
    expect(error.code).toBe('ech-rejected');
    expect(asked).toBe(0);
  });

  test.each([{}, RETRY])('gets no early data, and no PSK: %j', (more) => {
    const tickets = new TicketKeys(nodeCrypto);
    const options = { tickets, earlyData: { maxBytes: 100 } };
    const first = meet(echClient(stale), echServer([stale], options));
    first.pair.pump();
    const ends = { session: first.client.sessions[0], earlyData: true };
    const client = echClient(stale, { keyShareGroups: ['x25519'] }, ends);
    const second = meet(client, echServer([fresh], { ...options, ...more }));
    client.connection.sendEarlyData(utf8('early'));
    second.pair.pump();
    expect(client.errors).toMatchObject([{ code: 'ech-rejected', retryConfigs: listOf(fresh) }]);
    expect(second.server.earlyData).toEqual([]);
    expect(second.server.errors).toMatchObject([{ receivedAlert: 'ech_required' }]);
    expect(second.sent).not.toContain('early');
  });

  test('gets no ticket back that would be kept', () => {
    const { error } = rejected({}, { tickets: new TicketKeys(nodeCrypto) });
    expect(error.code).toBe('ech-rejected');
  });

  test('is told neither protocols nor external keys', () => {
    const psk = { identity: utf8('somebody'), key: new Uint8Array(32).fill(9) };
    const asked: unknown[] = [];
    const meeting = meet(
      echClient(
        { configs: listOf(stale), outerAlpnProtocols: ['h2'] },
        { alpnProtocols: ['secret/1'], psks: [psk] },
      ),
      echServer([fresh], {
        alpnProtocols: (hello) => {
          asked.push(hello.alpnProtocols);
          return null;
        },
        findPsk: ({ identity }) => {
          expect(identity).not.toEqual(psk.identity);
          return undefined;
        },
      }),
    );
    meeting.pair.pump();
    expect(meeting.client.errors).toMatchObject([{ code: 'ech-rejected' }]);
    expect(asked).toEqual([['h2']]);
    expect(meeting.sent).not.toContain('secret/1');
    expect(meeting.sent).not.toContain('somebody');
  });
});

test.each([
  ['the payload', (hello: Uint8Array) => payloadPlace(hello).at],
  ['the tag', (hello: Uint8Array) => payloadPlace(hello).at + payloadPlace(hello).length - 1],
  ['the encapsulated key', (hello: Uint8Array) => payloadPlace(hello).at - 10],
  ['the random', () => 4 + 2],
  ['the public name', (hello: Uint8Array) => Buffer.from(hello).indexOf(PUBLIC_NAME)],
])('a hello that was changed on the way ends the handshake: %s', (_what, place) => {
  let turn = 0;
  const meeting = meet(echClient(fresh), echServer([fresh]), (bytes, from) => {
    if (from === 'server' || turn++ > 0) return bytes;
    const copy = new Uint8Array(bytes);
    copy[5 + place(copy.subarray(5))]! ^= 1;
    return copy;
  });
  meeting.pair.pump();
  // The server goes on with an outer hello that the client did not send: no key fits.
  expect(meeting.client.errors).toMatchObject([{ code: 'bad-record-mac' }]);
  expect(meeting.client.errors[0]!.retryConfigs).toBeUndefined();
  expect([meeting.client.secured, meeting.server.secured]).toEqual([[], []]);
});

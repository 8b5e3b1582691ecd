import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { TlsError } from '../errors.ts';
import type { ClientOptions } from '../options/client.ts';
import type { CustomExtension } from '../options/custom-extension.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const ID = 0xff77;

function client(options: Partial<ClientOptions>) {
  return clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }));
}

function server(options: Partial<ServerOptions>) {
  return serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options }));
}

describe('an extension of the application', () => {
  test.each(['TLSv1.3', 'TLSv1.2'] as const)('is offered and answered with %s', (maxVersion) => {
    const asks: CustomExtension = { id: ID, send: { client_hello: utf8('ping') } };
    const answer = (asked: Uint8Array | undefined) => utf8(`pong to ${String.fromCharCode(...asked!)}`);
    const answers: CustomExtension = {
      id: ID,
      send: { server_hello_12: answer, encrypted_extensions: answer },
    };
    const ends = new Pair(
      client({ maxVersion, customExtensions: [asks] }),
      server({ customExtensions: [answers] }),
    ).pump();
    const place = maxVersion === 'TLSv1.3' ? 'encrypted_extensions' : 'server_hello_12';
    expect(ends.client.info.customExtensions).toEqual([{ id: ID, place, data: utf8('pong to ping') }]);
    expect(ends.server.info.customExtensions).toEqual([
      { id: ID, place: 'client_hello', data: utf8('ping') },
    ]);
  });

  test('is not answered to a client that did not send it', () => {
    const answers = { id: ID, send: { encrypted_extensions: utf8('pong') } };
    const ends = new Pair(client({}), server({ customExtensions: [answers] })).pump();
    expect(ends.client.errors).toEqual([]);
    expect(ends.client.info.customExtensions).toEqual([]);
  });

  test('goes in CertificateRequest and NewSessionTicket, too, and is told as it comes', () => {
    const seen: string[] = [];
    const received = (place: string, data: Uint8Array) =>
      void seen.push(`${place} ${String.fromCharCode(...data)}`);
    const ends = new Pair(
      client({ customExtensions: [{ id: ID, send: {}, received }] }),
      server({
        clientCertificate: 'request',
        verifyCertificate,
        tickets: new TicketKeys(nodeCrypto),
        ticketCount: 1,
        customExtensions: [
          { id: ID, send: { certificate_request: utf8('a'), new_session_ticket: () => utf8('b') } },
        ],
      }),
    ).pump();
    expect(ends.client.errors).toEqual([]);
    expect(seen).toEqual(['certificate_request a', 'new_session_ticket b']);
  });

  test('that the application does not like ends the connection with its error', () => {
    const received = () => {
      throw new TlsError('illegal-parameter', 'no such thing');
    };
    const ends = new Pair(
      client({ customExtensions: [{ id: ID, send: { client_hello: utf8('x') } }] }),
      server({ customExtensions: [{ id: ID, send: {}, received }] }),
    ).pump();
    expect(ends.server.errors.map(({ code }) => code)).toEqual(['illegal-parameter']);
    expect(ends.client.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['illegal_parameter']);
  });

  test('answered without having been asked is refused', () => {
    const none = { id: ID, send: { client_hello: () => undefined } };
    const p = new PuppetServer13(nodeCrypto, client({ customExtensions: [none] }), pki.server());
    p.sendServerHello().send(p.encryptedExtensions((b) => b.setRaw(ID, new Uint8Array(0))));
    expect(outcomeOf(p)).toEqual(refused('unsolicited-extension'));
  });

  test.each([
    ['the engine’s own', [{ id: 43, send: {} }], /supported_versions/],
    ['GREASE', [{ id: 0x1a1a, send: {} }], /GREASE/],
    ['out of range', [{ id: 65536, send: {} }], /65535/],
    [
      'twice the same',
      [
        { id: ID, send: {} },
        { id: ID, send: {} },
      ],
      /twice/,
    ],
  ])('must not be %s', (_what, customExtensions, message) => {
    expect(() => client({ customExtensions })).toThrow(message);
    expect(() => server({ customExtensions })).toThrow(message);
  });
});

import { concat, fromHex, toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import type { Credential, Session } from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import { certificate13, decodeMessage } from '#tls/testing';
import { traceClient } from './trace-client.ts';
import { openRecord, schedules } from './trace-keys.ts';
import { bytes, trace } from './traces.ts';

// Our client plays the client of RFC 8448: each of its records must be the trace's, byte for byte.

const PROVIDERS = [nodeCrypto, portableCrypto].map((provider) => [provider.name, provider] as const);
/** 50 octets, from 0 up: what both sides of the traces send. */
const DATA = Uint8Array.from({ length: 50 }, (_, i) => i);

describe.each(PROVIDERS)('with the %s provider', (_name, provider) => {
  test('§3: a simple handshake, a ticket, data and the end', () => {
    const from = trace('simple');
    const client = traceClient(provider, from);
    client.connection.start();
    expect(toHex(client.take())).toBe(from.clientHello);
    client.connection.receive(bytes(from, 'serverHello'));
    client.connection.receive(bytes(from, 'serverFlight'));
    expect(toHex(client.take())).toBe(from.clientFlight);
    expect(client.info.version).toBe('TLSv1.3');

    client.connection.receive(bytes(from, 'newSessionTicket'));
    // RFC 8448 §3: "generate resumption secret".
    expect(toHex(client.sessions[0]!.secret)).toBe(
      '4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3',
    );
    expect(client.sessions[0]!.maxEarlyData).toBe(1024);

    client.connection.send(DATA);
    expect(toHex(client.take())).toBe(from.clientData);
    client.connection.receive(bytes(from, 'serverData'));
    expect(client.data).toEqual([DATA]);
    client.connection.close();
    expect(toHex(client.take())).toBe(from.clientCloseNotify);
    client.connection.receive(bytes(from, 'serverCloseNotify'));
    expect(client.ended).toBe(1);
    expect(client.connection.state).toBe('closed');
    expect(client.errors).toEqual([]);
  });

  test('§3: the secrets', () => {
    const from = trace('simple');
    const client = traceClient(provider, from);
    client.connection.start();
    client.connection.receive(concat(bytes(from, 'serverHello'), bytes(from, 'serverFlight')));
    expect(Object.fromEntries(client.secrets)).toEqual({
      CLIENT_HANDSHAKE_TRAFFIC_SECRET: 'b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21',
      SERVER_HANDSHAKE_TRAFFIC_SECRET: 'b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38',
      CLIENT_TRAFFIC_SECRET_0: '9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5',
      SERVER_TRAFFIC_SECRET_0: 'a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643',
      EXPORTER_SECRET: 'fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50',
    });
  });

  test('§4: the ClientHello of a resumption, its binder with it', () => {
    const from = trace('resumed');
    const client = traceClient(provider, from, { session: sessionOfTrace(), now: NOW });
    client.connection.start();
    expect(toHex(client.take())).toBe(from.clientHello);
    client.connection.receive(concat(bytes(from, 'serverHello'), bytes(from, 'serverFlight')));
    // The server took early data, which we do not send, so what follows differs; its Finished was verified.
    expect(client.errors).toEqual([]);
    expect(client.info.resumed).toBe(true);
  });

  test('§5: a handshake with a retry', () => {
    const from = trace('retry');
    const client = traceClient(provider, from);
    client.connection.start();
    expect(toHex(client.take())).toBe(from.clientHello);
    client.connection.receive(bytes(from, 'helloRetryRequest'));
    expect(toHex(client.take())).toBe(from.secondClientHello);
    client.connection.receive(bytes(from, 'serverHello'));
    client.connection.receive(bytes(from, 'serverFlight'));
    expect(toHex(client.take())).toBe(from.clientFlight);
    expect(client.info.helloRetryRequest).toBe(true);
    client.connection.close();
    expect(toHex(client.take())).toBe(from.clientCloseNotify);
    client.connection.receive(bytes(from, 'serverCloseNotify'));
    expect(client.connection.state).toBe('closed');
  });

  test('§6: a client with a certificate', () => {
    const from = trace('clientAuthentication');
    const client = traceClient(provider, from, { credential: clientCredential() });
    client.connection.start();
    expect(toHex(client.take())).toBe(from.clientHello);
    client.connection.receive(bytes(from, 'serverHello'));
    client.connection.receive(bytes(from, 'serverFlight'));
    expect(client.errors).toEqual([]);
    expect(toHex(client.take())).toBe(from.clientFlight);
    client.connection.close();
    expect(toHex(client.take())).toBe(from.clientCloseNotify);
    client.connection.receive(bytes(from, 'serverCloseNotify'));
    expect(client.connection.state).toBe('closed');
  });

  test('§7: compatibility mode', () => {
    const from = trace('compatibility');
    const client = traceClient(provider, from);
    client.connection.start();
    expect(toHex(client.take())).toBe(from.clientHello);
    client.connection.receive(bytes(from, 'serverHello'));
    client.connection.receive(bytes(from, 'serverFlight'));
    expect(toHex(client.take())).toBe(from.clientFlight);
    client.connection.close();
    expect(toHex(client.take())).toBe(from.clientCloseNotify);
    client.connection.receive(bytes(from, 'serverCloseNotify'));
    expect(client.connection.state).toBe('closed');
  });

  test('§3, with one bit of any record changed, fails', () => {
    const from = trace('simple');
    const flight = bytes(from, 'serverFlight');
    for (let at = 5; at < flight.length; at += 37) {
      const client = traceClient(provider, from);
      client.connection.start();
      client.connection.receive(bytes(from, 'serverHello'));
      const changed = flight.slice();
      changed[at]! ^= 0x10;
      client.connection.receive(changed);
      expect(client.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
    }
  });
});

const NOW = 1_000_000;

/** §3's session as §4 offers it: the age that the trace has on the wire is 0xfad6aacb. */
function sessionOfTrace(): Session {
  const from = trace('simple');
  const client = traceClient(nodeCrypto, from);
  client.connection.start();
  for (const name of ['serverHello', 'serverFlight', 'newSessionTicket'])
    client.connection.receive(bytes(from, name));
  const session = client.sessions[0]!;
  const age = (0xfad6aacb - session.ageAdd + 2 ** 32) % 2 ** 32;
  return { ...session, createdAt: NOW - age };
}

/** §6 does not show the client's private key: its signature stands for it. */
function clientCredential(): Credential {
  const from = trace('clientAuthentication');
  const { clientHandshake } = schedules(nodeCrypto, from);
  const flight = openRecord(clientHandshake(), bytes(from, 'clientFlight'));
  const length = 4 + ((flight[1]! << 16) | (flight[2]! << 8) | flight[3]!);
  const message = decodeMessage(certificate13, { type: 11, raw: flight.subarray(0, length) });
  return {
    certificates: message.certificateList.map(({ certData }) => certData),
    keyKind: { type: 'rsa', bits: 1024 },
    sign(algorithm, data) {
      expect(algorithm).toEqual({ name: 'rsa-pss', hash: 'sha256' });
      expect(toHex(data.subarray(64, 97))).toBe(
        toHex(new TextEncoder().encode('TLS 1.3, client CertificateVerify')),
      );
      return fromHex(from.clientSignature as string);
    },
  };
}

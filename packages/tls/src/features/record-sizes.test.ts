import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { renegotiationInfo } from '../extensions/negotiation.ts';
import { maxFragmentLength, recordSizeLimit } from '../extensions/record-size.ts';
import { Transcript } from '../handshake/transcript.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair, type Side, splitRecords } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const TAG = 16;
const EXPLICIT_NONCE = 8;

function client(options: Partial<ClientOptions> = {}) {
  return clientEnd(
    clientConfig({ provider: nodeCrypto, verifyCertificate, groups: ['x25519', 'secp256r1'], ...options }),
  );
}

function server(options: Partial<ServerOptions> = {}) {
  return serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options }));
}

/** A pair that sent 5,000 bytes each way, with the length of every record: what is in it, protection taken off. */
function talk(clientOptions: Partial<ClientOptions>, serverOptions: Partial<ServerOptions> = {}) {
  const lengths: Record<Side, { protected: number[]; plain: number[] }> = {
    client: { protected: [], plain: [] },
    server: { protected: [], plain: [] },
  };
  const is13 = clientOptions.maxVersion !== 'TLSv1.2';
  const seen = { client: false, server: false };
  const ends = new Pair(client(clientOptions), server(serverOptions), (bytes, from) => {
    for (const record of splitRecords(bytes)) {
      if (record[0] === 20) {
        seen[from] = true;
        continue;
      }
      const isProtected = is13 ? record[0] === 23 : seen[from];
      const length = record.length - 5 - (isProtected ? TAG + (is13 ? 0 : EXPLICIT_NONCE) : 0);
      lengths[from][isProtected ? 'protected' : 'plain'].push(length);
    }
    return [bytes];
  }).pump();
  expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
  for (const end of [ends.client, ends.server]) end.connection.send(new Uint8Array(5000).fill(7));
  ends.pump();
  for (const end of [ends.client, ends.server]) {
    expect(end.errors).toEqual([]);
    expect(end.data.reduce((sum, { length }) => sum + length, 0)).toBe(5000);
  }
  return { ends, lengths };
}

describe('record_size_limit', () => {
  test.each([
    ['TLSv1.3', 1],
    ['TLSv1.2', 0],
  ] as const)('limits what both sides send with %s', (maxVersion, type) => {
    const { ends, lengths } = talk({ recordSizeLimit: 600, maxVersion }, { recordSizeLimit: 400 });
    expect(Math.max(...lengths.client.protected)).toBe(400);
    expect(Math.max(...lengths.server.protected)).toBe(600);
    expect(ends.client.info.recordLimits).toEqual({ sent: 400 - type, received: 600 - type });
    expect(ends.server.info.recordLimits).toEqual({ sent: 600 - type, received: 400 - type });
  });

  test('is answered with the most the version knows by a server that has none of its own', () => {
    expect(talk({ recordSizeLimit: 100 }).ends.client.info.recordLimits).toEqual({
      sent: 16384,
      received: 99,
    });
    const older = talk({ recordSizeLimit: 100, maxVersion: 'TLSv1.2' });
    expect(older.ends.client.info.recordLimits).toEqual({ sent: 16384, received: 100 });
  });

  test('counts padding in TLS 1.3', () => {
    const padding = () => 10_000;
    const { lengths } = talk({ recordSizeLimit: 500, padding }, { recordSizeLimit: 300, padding });
    expect(new Set(lengths.server.protected)).toEqual(new Set([500]));
    expect(new Set(lengths.client.protected)).toEqual(new Set([300]));
  });

  test('does not limit records without protection', () => {
    const { lengths } = talk({ recordSizeLimit: 64, maxVersion: 'TLSv1.2' }, { recordSizeLimit: 64 });
    expect(Math.max(...lengths.server.plain)).toBeGreaterThan(300);
  });

  test('is agreed on anew in a resumed connection', () => {
    const tickets = new TicketKeys(nodeCrypto);
    const first = talk({ recordSizeLimit: 600 }, { tickets });
    const session = first.ends.client.sessions[0]!;
    const config = clientConfig({ provider: nodeCrypto, verifyCertificate, recordSizeLimit: 200 });
    const again = new Pair(clientEnd(config, { session }), server({ tickets })).pump();
    expect(again.client.info).toMatchObject({ resumed: true, recordLimits: { received: 199 } });
  });

  test('that a server did not offer does not bind', () => {
    expect(talk({}, { recordSizeLimit: 100 }).ends.server.info.recordLimits).toBeUndefined();
  });

  test.each([63, 16_386, 1.5 / 0])('of %d is a mistake in the options', (recordSizeLimit) => {
    expect(() => client({ recordSizeLimit })).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => server({ recordSizeLimit })).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  test('below 64 ends the handshake', () => {
    const old = new PuppetClient12(nodeCrypto, server(), pki.client());
    old.sendHello((h) => h.extensions.set(recordSizeLimit, 63));
    expect(outcomeOf(old)).toEqual(refused('illegal-parameter'));
    const p = new PuppetServer13(nodeCrypto, client({ recordSizeLimit: 100 }), pki.server());
    p.sendServerHello().send(p.encryptedExtensions((b) => b.set(recordSizeLimit, 63)));
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
  });

  test('larger than any record is taken for the largest', () => {
    const p = new PuppetClient13(nodeCrypto, server(), pki.client());
    p.sendHello((h) => h.extensions.set(recordSizeLimit, 65535))
      .send(p.finished())
      .enterApplication();
    expect(p.end.info.recordLimits).toEqual({ sent: 16384, received: 16384 });
  });

  test.each([
    ['content', 400, 0, true],
    ['one byte of content more', 401, 0, false],
    ['padding', 1, 399, true],
    ['one byte of padding more', 1, 400, false],
  ] as const)('in TLS 1.3: %s', (_what, content, padding, fits) => {
    const p = new PuppetClient13(nodeCrypto, server({ recordSizeLimit: 401 }), pki.client());
    p.sendHello((h) => h.extensions.set(recordSizeLimit, 1000))
      .send(p.finished())
      .enterApplication();
    p.record(23, new Uint8Array(content), padding);
    if (fits) expect(p.end.data[0]).toHaveLength(content);
    else expect(outcomeOf(p)).toEqual(refused('record-overflow'));
  });

  test('in TLS 1.2: a record of one byte more is refused', () => {
    const p = new PuppetClient12(nodeCrypto, server({ recordSizeLimit: 401 }), pki.client());
    p.sendHello((h) => h.extensions.set(recordSizeLimit, 1000));
    p.send(p.keyExchange()).changeKeys().send(p.finished());
    p.record(23, new Uint8Array(401));
    expect(p.end.data[0]).toHaveLength(401);
    p.record(23, new Uint8Array(402));
    expect(outcomeOf(p)).toEqual(refused('record-overflow'));
  });

  test('holds for the server’s own flight', () => {
    const p = new PuppetServer13(nodeCrypto, client({ recordSizeLimit: 100 }), pki.server());
    p.sendServerHello().send(p.encryptedExtensions((b) => b.set(recordSizeLimit, 16384)));
    p.send(p.certificate());
    expect(outcomeOf(p)).toEqual(refused('record-overflow'));
  });

  test('unsolicited is refused', () => {
    const p = new PuppetServer13(nodeCrypto, client(), pki.server());
    p.sendServerHello().send(p.encryptedExtensions((b) => b.set(recordSizeLimit, 100)));
    expect(outcomeOf(p)).toEqual(refused('unsolicited-extension'));
  });
});

describe('max_fragment_length', () => {
  test.each([
    ['TLSv1.3', 512],
    ['TLSv1.3', 4096],
    ['TLSv1.2', 512],
    ['TLSv1.2', 2048],
  ] as const)('limits every record with %s to %i', (maxVersion, requestMaxFragmentLength) => {
    const { ends, lengths } = talk({ requestMaxFragmentLength, maxVersion });
    const type = maxVersion === 'TLSv1.3' ? 1 : 0;
    for (const side of ['client', 'server'] as const) {
      expect(Math.max(...lengths[side].protected)).toBe(requestMaxFragmentLength + type);
    }
    expect(Math.max(...lengths.server.plain)).toBeLessThanOrEqual(requestMaxFragmentLength);
    const limits = { sent: requestMaxFragmentLength, received: requestMaxFragmentLength };
    expect(ends.client.info.recordLimits).toEqual(limits);
    expect(ends.server.info.recordLimits).toEqual(limits);
  });

  test('gives way to record_size_limit', () => {
    const { ends } = talk({ requestMaxFragmentLength: 512, recordSizeLimit: 1000 });
    expect(ends.client.info.recordLimits).toEqual({ sent: 16384, received: 999 });
  });

  test.each([0, 5, 255])('of the code %i is refused', (code) => {
    const p = new PuppetClient12(nodeCrypto, server(), pki.client());
    p.sendHello((h) => h.extensions.set(maxFragmentLength, code));
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
  });

  test('answered with another length, or beside record_size_limit, is refused', () => {
    const options = { requestMaxFragmentLength: 512, recordSizeLimit: 100, maxVersion: 'TLSv1.2' } as const;
    const answers: ((b: ExtensionBlock<'server_hello_12'>) => void)[] = [
      (b) => b.set(maxFragmentLength, 2),
      (b) => b.set(maxFragmentLength, 1).set(recordSizeLimit, 100),
    ];
    for (const answer of answers) {
      const p = new PuppetServer12(nodeCrypto, client(options), pki.server());
      p.send(p.serverHello((h) => answer(h.extensions as ExtensionBlock<'server_hello_12'>)));
      expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
    }
  });

  test('holds before any key, too', () => {
    const options = { requestMaxFragmentLength: 512, maxVersion: 'TLSv1.2' } as const;
    const p = new PuppetServer12(nodeCrypto, client(options), pki.server());
    p.send(
      p.serverHello((h) => (h.extensions as ExtensionBlock<'server_hello_12'>).set(maxFragmentLength, 1)),
    );
    p.send(p.certificate([...p.credential.certificates, ...p.credential.certificates]));
    expect(outcomeOf(p)).toEqual(refused('record-overflow'));
  });

  test('of another length is a mistake in the options', () => {
    expect(() => client({ requestMaxFragmentLength: 1000 as 512 })).toThrow(/512, 1024/);
  });
});

// RFC 8449 §4: a limit is of the handshake that made the keys, and of no other.
describe('a renegotiation', () => {
  const first = { maxVersion: 'TLSv1.2', renegotiation: true } as const;
  /** What the client sends as its limit, undefined for nothing. */
  const puppet = (limit: number | undefined) => {
    const end = server({ renegotiation: true, recordSizeLimit: 200 });
    const p = new PuppetClient12(nodeCrypto, end, pki.client());
    return p.sendHello((h) => {
      if (limit !== undefined) h.extensions.set(recordSizeLimit, limit);
    });
  };
  const finish = (p: PuppetClient12) => {
    p.send(p.keyExchange());
    p.changeKeys().send(p.finished());
    expect(p.end.errors).toEqual([]);
    return p;
  };
  const renegotiating = (before: number | undefined, now: number | undefined) => {
    const p = finish(puppet(before));
    p.transcript = new Transcript(nodeCrypto);
    return p.sendHello((h) => {
      if (now !== undefined) h.extensions.set(recordSizeLimit, now);
      h.extensions.set(renegotiationInfo, p.end.info.finished.received);
    });
  };
  const data = (length: number) => new Uint8Array(length).fill(7);
  const sentBy = (p: PuppetClient12, length: number) => {
    p.data.length = 0;
    p.end.connection.send(data(length));
    return p.collect().data.map((each) => each.length);
  };

  test('without the extension ends the limits, and not before its keys', () => {
    const p = renegotiating(100, undefined);
    // The keys are those of the first handshake: so are the limits.
    expect(outcomeOf(p.applicationData(data(201)))).toEqual(refused('record-overflow'));
    const q = finish(renegotiating(100, undefined));
    expect(q.applicationData(data(16_384)).end.data.at(-1)).toHaveLength(16_384);
    expect(sentBy(q, 1000)).toEqual([1000]);
  });

  test('with it for the first time limits nothing under the keys that are there', () => {
    const p = renegotiating(undefined, 100);
    expect(p.applicationData(data(16_384)).end.data.at(-1)).toHaveLength(16_384);
    finish(p);
    expect(sentBy(p, 250)).toEqual([100, 100, 50]);
    expect(outcomeOf(p.applicationData(data(201)))).toEqual(refused('record-overflow'));
  });

  test('with another limit', () => {
    const p = renegotiating(100, 150);
    finish(p);
    expect(sentBy(p, 250)).toEqual([150, 100]);
  });

  test('a client does the same', () => {
    const p = new PuppetServer12(nodeCrypto, client({ ...first, recordSizeLimit: 200 }), pki.server());
    const hello = (limit: number | undefined, proof: Uint8Array) =>
      p.serverHello((h) => {
        const block = h.extensions as ExtensionBlock<'server_hello_12'>;
        block.set(renegotiationInfo, proof);
        if (limit !== undefined) block.set(recordSizeLimit, limit);
      });
    const go = (limit: number | undefined, proof: Uint8Array) => p.send(hello(limit, proof));
    const rest = () => {
      for (const part of [p.certificate(), p.keyExchange(), p.helloDone()]) inPieces(p, part);
      p.changeKeys().send(p.finished());
      expect(p.end.errors).toEqual([]);
    };
    go(100, new Uint8Array(0));
    rest();
    p.transcript = new Transcript(nodeCrypto);
    p.end.connection.renegotiate();
    p.collect();
    p.hello = decodeMessage(clientHello, p.messages.at(-1)!);
    p.clientRandom = p.hello.random;
    const { sent, received } = p.end.info.finished;
    go(undefined, concat(sent, received));
    rest();
    expect(p.applicationData(data(16_384)).end.data.at(-1)).toHaveLength(16_384);
    p.end.connection.send(data(1000));
    expect(p.collect().data.map((each) => each.length)).toEqual([1000]);
  });
});

/** Sends a message in records of 100 bytes. */
function inPieces(p: PuppetServer12, message: Uint8Array): void {
  for (let at = 0; at < message.length; at += 100) p.record(22, message.subarray(at, at + 100));
}

import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { credential } from '../certificates/credential.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { tlsFlags } from '../extensions/tls-flags.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { decodeSession, encodeSession, type Session } from './session.ts';
import { TicketKeys } from './ticket-keys.ts';

// draft-ietf-tls-cross-sni-resumption, with the flags of draft-ietf-tls-tlsflags.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const [FIRST, SECOND, STRANGE] = ['one.example', 'two.example', 'three.example'];
const issued = pki.authority.issue({
  purpose: 'server',
  names: [FIRST, SECOND],
  key: { type: 'ec', curve: 'secp256r1' },
});
const own = credential(
  nodeCrypto,
  issued.certificateChain.map(({ der }) => der),
  issued.privateKey!,
);
const ACROSS = { resumptionAcrossNames: true };

function world() {
  const tickets = new TicketKeys(nodeCrypto);
  return (
    host: string,
    {
      client = {},
      server = ACROSS,
      session,
      early,
    }: {
      client?: Partial<ClientOptions>;
      server?: Partial<ServerOptions>;
      session?: Session | undefined;
      early?: string;
    } = {},
  ): Pair => {
    const config = clientConfig({ provider: nodeCrypto, verifyCertificate, ...client });
    const end = clientEnd(config, { host, session, earlyData: early !== undefined });
    const other = {
      provider: nodeCrypto,
      credentials: [own],
      tickets,
      earlyData: { maxBytes: 100 },
      ...server,
    };
    const pair = new Pair(end, serverEnd(serverConfig(other)));
    if (early !== undefined && end.connection.earlyDataLeft > 0) end.connection.sendEarlyData(utf8(early));
    return pair.pump();
  };
}

const sessionOf = (pair: Pair): Session => decodeSession(encodeSession(pair.client.sessions[0]!))!;

describe('a session that is good across names', () => {
  test('is resumed for another name of the certificate, and the next one, too', () => {
    const meet = world();
    const session = sessionOf(meet(FIRST));
    expect(session).toMatchObject({ acrossNames: true, serverName: FIRST });
    const second = meet(SECOND, { session });
    expect(second.client.info).toMatchObject({ resumed: true, serverName: SECOND });
    expect(second.server.info).toMatchObject({ resumed: true, serverName: SECOND });
    const next = sessionOf(second);
    expect(next.serverName).toBe(SECOND);
    expect(meet(FIRST, { session: next }).client.info.resumed).toBe(true);
  });

  test('is not offered for a name that the certificate does not have', () => {
    const meet = world();
    const pair = meet(STRANGE, { session: sessionOf(meet(FIRST)) });
    // A resumption would have shown no certificate to refuse.
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['bad-certificate']);
  });

  test('is not offered where the certificate was only taken in spite of what is wrong', () => {
    const meet = world();
    const lenient = { verifyCertificate: () => ({ accepted: true, error: new Error('bad') }) };
    const session = sessionOf(meet(FIRST, { client: lenient }));
    expect(session.peerVerified).toBe(false);
    expect(meet(SECOND, { client: lenient, session }).client.info.resumed).toBe(false);
  });

  test('has early data for its own name only', () => {
    const meet = world();
    const session = sessionOf(meet(FIRST));
    expect(meet(SECOND, { session, early: 'x' }).client.info).toMatchObject({
      resumed: true,
      earlyData: 'none',
    });
    expect(meet(FIRST, { session, early: 'x' }).client.info).toMatchObject({ earlyData: 'accepted' });
  });
});

test('without the option a session is good for its name only, whatever a client thinks', () => {
  const meet = world();
  const session = sessionOf(meet(FIRST, { server: {} }));
  expect(session.acrossNames).toBeUndefined();
  expect(meet(SECOND, { session }).client.info.resumed).toBe(false);
  const forged = { ...session, acrossNames: true };
  expect(meet(SECOND, { server: {}, session: forged }).client.info.resumed).toBe(false);
  // Nor where the server changed its mind, in either way.
  expect(meet(SECOND, { session: forged }).client.info.resumed).toBe(false);
  const across = sessionOf(meet(FIRST));
  expect(meet(SECOND, { server: {}, session: across }).client.info.resumed).toBe(false);
});

describe('flags of a ticket', () => {
  const withFlags = (...flags: number[]) => {
    const end = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate }));
    const puppet = new PuppetServer13(nodeCrypto, end, pki.server()).upTo('done');
    const extensions = new ExtensionBlock('new_session_ticket').set(tlsFlags, Uint8Array.from(flags));
    return puppet.send(puppet.ticket({ extensions }));
  };

  test.each([
    [[0, 1], true],
    [[1, 1], true],
    [[0xff, 0xff, 0xff], true],
    [[1], undefined],
    [[0, 2], undefined],
  ])('%j: for other names %s', (flags, expected) => {
    expect(withFlags(...flags).end.sessions[0]?.acrossNames).toBe(expected);
  });

  test('that the draft does not know say nothing', () => {
    expect(withFlags(0, 1, 0).end.sessions[0]?.acrossNames).toBeUndefined();
  });
});

import { type Session, TicketKeys } from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import { Pair, SERVER_NAME } from '#tls/testing';
import { failures, meet, pki, provider, victimClient, victimServer } from './support.ts';

// ALPACA (2021): an attacker brings a browser's connection to a mail or FTP server that has a certificate for the same name,
// where what the browser says means something else. TLS can tell them apart by ALPN and by SNI, if both sides insist.

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const web = { alpnProtocols: ['h2', 'http/1.1'] };

describe.each(VERSIONS)('%s: a browser that is brought to another server', (maxVersion) => {
  test('is served by one that insists on nothing: the attack', () => {
    expect(failures(meet({ ...web, maxVersion }, {}))).toEqual([]);
    expect(failures(meet({ maxVersion }, { alpnProtocols: ['smtp'] }))).toEqual([]);
  });

  test('is refused by a server that knows other protocols', () => {
    const pair = meet({ ...web, maxVersion }, { alpnProtocols: ['smtp'] });
    expect(failures(pair)).toEqual(['client: alert-received', 'server: no-common-protocol']);
    expect(pair.client.errors[0]?.receivedAlert).toBe('no_application_protocol');
  });

  test.each([
    ['offers none', {}, { alpnProtocols: ['smtp'] }],
    ['offers some to a server that has none', web, {}],
    ['offers some to a server whose chooser takes none', web, { alpnProtocols: () => null }],
  ])('is refused by a strict server when it %s', (_what, client, server) => {
    const pair = meet({ ...client, maxVersion }, { ...server, requireAlpn: true });
    expect(failures(pair)).toEqual(['client: alert-received', 'server: no-common-protocol']);
    expect(pair.client.errors[0]?.receivedAlert).toBe('no_application_protocol');
  });

  test('refuses a server that does not say what it speaks, if it is strict', () => {
    const pair = meet({ ...web, maxVersion, requireAlpn: true }, {});
    expect(failures(pair)).toContain('client: no-common-protocol');
    expect(pair.server.errors[0]?.receivedAlert).toBe('no_application_protocol');
    expect(pair.server.data).toEqual([]);
  });

  test('is let in where both are strict and agree', () => {
    const pair = meet({ ...web, maxVersion, requireAlpn: true }, { ...web, requireAlpn: true });
    expect(failures(pair)).toEqual([]);
    expect(pair.client.info.alpnProtocol).toBe('h2');
  });
});

describe.each(VERSIONS)('%s: a server that serves some names only', (maxVersion) => {
  const serve = (serverNames: readonly string[], name: string) =>
    new Pair(
      victimClient({ maxVersion, verifyCertificate: () => ({ accepted: true }) }, { serverName: name }),
      victimServer({ serverNames }),
    ).pump();

  test.each([
    [['server.example'], SERVER_NAME],
    [['other.example', 'Server.Example'], SERVER_NAME],
    [['*.example'], SERVER_NAME],
  ])('%j takes %s', (names, name) => {
    expect(failures(serve(names, name))).toEqual([]);
  });

  test.each([
    [['mail.example'], SERVER_NAME],
    [['*.server.example'], SERVER_NAME],
    [['*.example'], 'a.server.example'],
    [['*.example'], 'example'],
    [['server.example'], 'xserver.example'],
    [[], SERVER_NAME],
  ])('%j refuses %s', (names, name) => {
    const pair = serve(names, name);
    expect(failures(pair)).toEqual(['client: alert-received', 'server: no-certificate-for-name']);
    expect(pair.client.errors[0]?.receivedAlert).toBe('unrecognized_name');
  });

  test('refuses who wants no name', () => {
    const pair = serve(['server.example'], '');
    expect(pair.client.errors[0]?.receivedAlert).toBe(
      maxVersion === 'TLSv1.3' ? 'missing_extension' : 'unrecognized_name',
    );
  });

  test('without the option any name is served, which is the attack', () => {
    const any = { maxVersion, verifyCertificate: () => ({ accepted: true }) };
    const pair = new Pair(victimClient(any, { serverName: 'else.example' }), victimServer()).pump();
    expect(failures(pair)).toEqual([]);
  });

  test('refuses a session for another name before it is looked at', () => {
    const tickets = new TicketKeys(provider);
    const first = meet({ maxVersion }, { tickets });
    const session = first.client.sessions[0] as Session;
    const verifyCertificate = pki.verifier();
    const again = new Pair(
      victimClient({ maxVersion, verifyCertificate }, { session }),
      victimServer({ tickets, serverNames: ['mail.example'] }),
    ).pump();
    expect(failures(again)).toContain('server: no-certificate-for-name');
  });
});

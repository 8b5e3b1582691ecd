import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createCertificateAuthority } from '@testudo/x509';
import { afterEach, describe, expect, test } from 'vitest';
import { TlsError } from '../../errors.ts';
import type { ConnectionOptions, NodeTlsError, TLSSocket, TLSSocketOptions, TlsOptions } from '../index.ts';
import {
  authority,
  ca,
  clientIdentity,
  closeAll,
  closeOf,
  connected,
  errorOf,
  failing,
  type Identity,
  issue,
  listen,
  MATRIX,
  nodes,
  ours,
  PARTIES,
  readAll,
  serverIdentity,
  stranger,
  track,
  VERSIONS,
} from '../testing/support.ts';

afterEach(closeAll);

const DAY = 86_400_000;
const intermediate = authority.issueAuthority({ commonName: 'Test intermediate' });

/** Servers that a client must refuse. */
const BAD_SERVERS: readonly (readonly [string, Identity, ConnectionOptions, string])[] = [
  ['an issuer nobody knows', issue({}, stranger), {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [
    'a chain up to a root that is not trusted',
    withIssuer(issue({}, stranger), certificateToPem(stranger.certificate)),
    {},
    'SELF_SIGNED_CERT_IN_CHAIN',
  ],
  ['a missing intermediate', leafOnly(issue({}, intermediate)), {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [
    'the system\u2019s roots, which do not have it',
    serverIdentity,
    { ca: undefined },
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ],
  [
    'a certificate that has expired',
    issue({ at: new Date(Date.now() - 30 * DAY), days: 10 }),
    {},
    'CERT_HAS_EXPIRED',
  ],
  [
    'one that is not yet valid',
    issue({ at: new Date(Date.now() + 5 * DAY), days: 10 }),
    {},
    'CERT_NOT_YET_VALID',
  ],
  ['another name', issue({ names: ['other.example'] }), {}, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [
    'a wildcard that does not reach',
    issue({ names: ['*.localhost.example'] }),
    {},
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  ['another address', issue({ names: ['127.0.0.2'] }), { servername: '' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['a client\u2019s certificate', issue({ purpose: 'client' }), {}, 'INVALID_PURPOSE'],
];

function withIssuer({ key, cert }: Identity, issuer: string): Identity {
  return { key, cert: cert + issuer };
}

function leafOnly({ key, cert }: Identity): Identity {
  return { key, cert: cert.slice(0, cert.indexOf('-----END') + 26) };
}

describe.each(BAD_SERVERS)('a server with %s', (_name, identity, options, code) => {
  test.each(VERSIONS)('%s: is refused with the code and the words of node:tls', async (maxVersion) => {
    const own = await failing(ours, ours, { ...identity, maxVersion }, options);
    const theirs = await failing(nodes, nodes, { ...identity, maxVersion }, options);
    expect(own.client).toMatchObject({ code, message: theirs.client!.message });
    expect(theirs.client).toMatchObject({ code });
    // With TLS 1.2 the server has taken the handshake for complete by then.
    expect(own.server?.code).toBe(theirs.server?.code);
  });

  test.each(VERSIONS)('%s: a strict client tells the server, in an alert', async (maxVersion) => {
    const strict = { ...options, strict: true };
    const { client, server } = await failing(ours, ours, { ...identity, maxVersion }, strict);
    expect(client).toMatchObject({ code });
    expect(server?.code).toMatch(/^ERR_SSL_(SSLV3|SSL\/TLS|TLSV1)_ALERT_/);
  });

  test('is taken with rejectUnauthorized: false, and the error is in authorizationError', async () => {
    const own = await connected(ours, ours, identity, { ...options, rejectUnauthorized: false });
    const theirs = await connected(nodes, nodes, identity, { ...options, rejectUnauthorized: false });
    expect(own.client.authorized).toBe(false);
    expect(own.client.authorizationError).toBe(code);
    expect(theirs.client.authorizationError).toBe(code);
  });
});

describe('what stands in the error', () => {
  test('the engine\u2019s error and the reason are its causes', async () => {
    const { client } = await failing(ours, ours, issue({}, stranger), { strict: true });
    expect(client!.cause).toBeInstanceOf(TlsError);
    expect(client!.cause).toMatchObject({ code: 'unknown-ca', cause: { code: 'unknown-issuer' } });
  });

  test('a name that does not match has Node\u2019s properties', async () => {
    const identity = issue({ names: ['other.example', '192.0.2.1'] });
    const own = await failing(ours, ours, identity, {});
    const theirs = await failing(nodes, nodes, identity, {});
    const { reason, host } = theirs.client as Error & { reason?: string; host?: string };
    expect(own.client).toMatchObject({ reason, host, message: theirs.client!.message });
    expect((own.client as Error & { cert?: { raw: Buffer } }).cert?.raw).toBeInstanceOf(Buffer);
  });
});

describe('checkServerIdentity', () => {
  test.each([
    ['our', ours],
    ['Node\u2019s', nodes],
  ])('%s client asks it with the name and the certificate with its issuers', async (_name, clientTls) => {
    const asked: unknown[] = [];
    const { client } = await connected(ours, clientTls, issue({ names: ['other.example'] }), {
      checkServerIdentity: (name, cert) => {
        asked.push([name, cert.subject.CN, cert.issuerCertificate.subject.CN]);
        return undefined;
      },
    });
    expect(asked).toEqual([['localhost', 'other.example', 'Test CA']]);
    expect(client.authorized).toBe(true);
  });

  test('an error that it returns is the error of the socket', async () => {
    const error = new Error('pinned another');
    const { client } = await failing(ours, ours, {}, { checkServerIdentity: () => error });
    expect(client).toBe(error);
  });

  test('one that it throws refuses within the handshake, too', async () => {
    const check = (): never => {
      throw new Error('failed to look');
    };
    const { client } = await failing(ours, ours, {}, { checkServerIdentity: check, strict: true });
    expect(client).toMatchObject({ message: 'failed to look' });
  });

  // After it, that is an exception as from any handler: see exceptions.test.ts.

  test.each([undefined, null, false, 0, ''])(
    '%j that it answers takes the server, as in Node',
    async (answer) => {
      const checkServerIdentity = () => answer as undefined;
      for (const clientTls of [ours, nodes]) {
        const { client } = await connected(ours, clientTls, {}, { checkServerIdentity });
        expect(client.authorized).toBe(true);
      }
    },
  );

  test('is not asked of a server whose session is resumed, nor is a refusal forgotten', async () => {
    const server = ours.createServer({ ...serverIdentity, maxVersion: 'TLSv1.2' });
    const port = await listen(server);
    const options = { port, ca, servername: 'localhost' };
    const asked: boolean[] = [];
    const from = async (isTaken: boolean, session?: Buffer): Promise<TLSSocket> => {
      const checkServerIdentity = () => {
        asked.push(isTaken);
        return isTaken ? undefined : new Error('pinned another');
      };
      const refusing = { checkServerIdentity, rejectUnauthorized: isTaken, session };
      const client = track(ours.connect({ ...options, ...refusing }));
      await once(client, 'secureConnect');
      return client;
    };
    const refused = await from(false);
    const taken = await from(true, refused.getSession());
    expect([refused.authorized, taken.authorized, taken.isSessionReused()]).toEqual([false, true, false]);
    const resumed = await from(true, taken.getSession());
    expect([resumed.authorized, resumed.isSessionReused()]).toEqual([true, true]);
    expect(asked).toEqual([false, true]);
  });

  test('is not asked about a chain that leads nowhere', async () => {
    let asked = 0;
    const check = (): undefined => {
      asked++;
    };
    const { client } = await failing(ours, ours, issue({}, stranger), { checkServerIdentity: check });
    expect(client).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    expect(asked).toBe(0);
  });

  test('ours answers as Node\u2019s, but the common name does not count', async () => {
    const { client } = await connected(ours, ours);
    const cert = client.getPeerCertificate(true);
    expect(ours.checkServerIdentity('localhost', cert)).toBeUndefined();
    expect(ours.checkServerIdentity('127.0.0.1', cert)).toBeUndefined();
    for (const name of ['other.example', '127.0.0.2']) {
      const own = ours.checkServerIdentity(name, cert) as Error & { code: string };
      const theirs = nodes.checkServerIdentity(name, cert) as Error & { code: string };
      expect([own.code, own.message]).toEqual([theirs.code, theirs.message]);
    }
    // Made by hand: Node's rules.
    const byHand = { subject: { CN: 'a.example' } } as unknown as typeof cert;
    expect(ours.checkServerIdentity('a.example', byHand)).toBeUndefined();
    expect(ours.checkServerIdentity('b.example', byHand)).toBeInstanceOf(Error);
  });

  test('a strict client socket without any name refuses every server', async () => {
    const server = ours.createServer(serverIdentity);
    server.on('tlsClientError', () => {});
    const port = await listen(server);
    const socket = track(new ours.TLSSocket(track(netConnect(port, '127.0.0.1')), { ca, strict: true }));
    socket._start();
    expect(await errorOf(socket)).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });
});

describe.each([
  ['our', ours],
  ['Node\u2019s', nodes],
])('a client\u2019s TLSSocket of one\u2019s own, %s', (_name, tls) => {
  /** As libraries do it that upgrade a connection by themselves. */
  async function upgraded(identity: Identity, options: TLSSocketOptions = {}) {
    const server = ours.createServer(identity, (socket) => socket.end('hello'));
    const raw = track(netConnect(await listen(server), '127.0.0.1'));
    await once(raw, 'connect');
    const socket = track(new tls.TLSSocket(raw, { ca, isServer: false, requestCert: true, ...options }));
    const said: string[] = [];
    socket.on('secureConnect', () => said.push('secureConnect'));
    const secured = once(socket, 'secure');
    socket._start();
    await secured;
    return { socket, said };
  }

  test.each([
    ['good', serverIdentity, undefined],
    ['for another name', issue({ names: ['other.example'] }), undefined],
    ['a stranger\u2019s', issue({}, stranger), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ])('leaves the verdict to its maker: a certificate that is %s', async (_what, identity, code) => {
    const { socket, said } = await upgraded(identity);
    expect((socket.ssl!.verifyError() as { code?: string } | null)?.code).toBe(code);
    expect([socket.authorized, socket.authorizationError]).toEqual([false, null]);
    expect(String(await readAll(socket))).toBe('hello');
    expect(said).toEqual([]);
  });
});

describe('client certificates', () => {
  const asking: TlsOptions = { requestCert: true, ca };

  test.each(MATRIX)('%s, %s: one that is good is taken', async (_name, maxVersion, serverTls, clientTls) => {
    const options = { ...asking, maxVersion };
    const { accepted } = await connected(serverTls, clientTls, options, clientIdentity);
    expect(accepted.authorized).toBe(true);
    expect(accepted.authorizationError ?? null).toBeNull();
    expect(accepted.getPeerCertificate().subject.CN).toBe('client.example');
    expect(accepted.getPeerX509Certificate()?.subject).toBe('CN=client.example');
  });

  test.each(VERSIONS)('%s: none at all is refused with the same code as in Node', async (maxVersion) => {
    for (const clientTls of [ours, nodes]) {
      const own = await failing(ours, clientTls, { ...asking, maxVersion }, {});
      const theirs = await failing(nodes, clientTls, { ...asking, maxVersion }, {});
      expect(own.server).toMatchObject({ code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' });
      expect(own.server?.code).toBe(theirs.server?.code);
      expect(own.client?.code).toBe(theirs.client?.code);
    }
  });

  test.each(PARTIES.filter(([, serverTls]) => serverTls === ours))(
    '%s: one of a stranger is refused by a strict server, and the client is told why',
    async (_name, serverTls, clientTls) => {
      const stranger_ = issue({ purpose: 'client', names: ['client.example'] }, stranger);
      const strict = { ...asking, strict: true };
      const { server, client } = await failing(serverTls, clientTls, strict, stranger_);
      expect(server).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
      expect(client).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' });
    },
  );

  test.each(VERSIONS)(
    '%s: one of a stranger is refused after the handshake, as in Node',
    async (maxVersion) => {
      const stranger_ = issue({ purpose: 'client', names: ['client.example'] }, stranger);
      const seen = [];
      for (const [serverTls, clientTls] of [
        [nodes, nodes],
        [ours, ours],
        [ours, nodes],
      ] as const) {
        const server = serverTls.createServer({ ...serverIdentity, ...asking, maxVersion });
        let said = 'nothing';
        server.on('secureConnection', (socket) => socket.on('data', () => (said = 'data')).end('secret'));
        const failed = once(server, 'tlsClientError');
        const port = await listen(server);
        const client = track(clientTls.connect({ port, ca, servername: 'localhost', ...stranger_ }));
        client.on('error', () => {});
        client.on('data', () => (said = 'data'));
        client.write('before any verdict');
        const [error, socket] = (await failed) as [Error & { code: string }, TLSSocket];
        await closeOf(client);
        seen.push([error.code, error.message, socket.authorized, socket.authorizationError, said]);
      }
      const [theirs, ...own] = seen;
      expect(theirs).toEqual([
        'ECONNRESET',
        'socket hang up',
        false,
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'nothing',
      ]);
      expect(own).toEqual([theirs, theirs]);
    },
  );

  test.each(VERSIONS)(
    '%s: with rejectUnauthorized: false the error is told and the connection stands',
    async (maxVersion) => {
      const options = { ...asking, maxVersion, rejectUnauthorized: false };
      const other = issue({ purpose: 'client', names: ['client.example'] }, stranger);
      for (const identity of [other, {}]) {
        const own = await connected(ours, ours, options, identity);
        const theirs = await connected(nodes, nodes, options, identity);
        expect(own.accepted.authorized).toBe(false);
        expect(own.accepted.authorizationError).toBe(theirs.accepted.authorizationError);
      }
    },
  );

  test('are not asked for by default', async () => {
    const { accepted } = await connected(ours, ours, {}, clientIdentity);
    expect(accepted.authorized).toBe(false);
    expect(accepted.getPeerCertificate()).toEqual({});
  });

  test('a name has its own CA for client certificates', async () => {
    const theirs = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Partner CA' });
    const partner = issue({ purpose: 'client', names: ['partner.example'] }, theirs);
    const server = ours.createServer({ ...serverIdentity, ...asking, strict: true });
    server.addContext('partner.test', {
      ...issue({ names: ['partner.test'] }),
      ca: certificateToPem(theirs.certificate),
    });
    const refused: string[] = [];
    server.on('tlsClientError', (error) => refused.push((error as NodeTlsError).code));
    const port = await listen(server);
    const accepted = once(server, 'secureConnection');
    track(ours.connect({ port, ca, servername: 'partner.test', ...partner })).on('error', () => {});
    expect((await accepted)[0].getPeerCertificate().subject.CN).toBe('partner.example');
    // The default context's CA does not count there, nor the partner's elsewhere.
    for (const options of [
      { servername: 'partner.test', ...clientIdentity },
      { servername: 'localhost', ...partner },
    ]) {
      const client = track(ours.connect({ port, ca, ...options }));
      client.resume();
      expect(await errorOf(client)).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' });
    }
    // The first client found the root above its certificate among its CAs, and has sent it.
    expect(refused).toEqual(['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
  });
});

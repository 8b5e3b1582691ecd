import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { UNSUPPORTED_OPTION } from './errors/errors.ts';
import type { ConnectionOptions, SecureContextOptions, TlsOptions } from './index.ts';
import {
  authority,
  ca,
  closeAll,
  connected,
  failing,
  issue,
  listen,
  MATRIX,
  nodes,
  ours,
  PARTIES,
  serverIdentity,
  type Tls,
  track,
  VERSIONS,
} from './testing/support.ts';

afterEach(closeAll);

const encrypted = createPrivateKey(serverIdentity.key).export({
  format: 'pem',
  type: 'pkcs8',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
}) as string;

/** Options that cannot work: what node:tls throws, we throw, with the same code. */
const REFUSED: readonly (readonly [string, SecureContextOptions & TlsOptions])[] = [
  ['ciphers without a known one', { ciphers: 'FOO' }],
  ['an unknown minVersion', { minVersion: 'x' as 'TLSv1.2' }],
  ['an unknown maxVersion', { maxVersion: 'x' as 'TLSv1.2' }],
  ['an unknown secureProtocol', { secureProtocol: 'foo' }],
  ['secureProtocol and a version', { secureProtocol: 'TLSv1_2_method', minVersion: 'TLSv1.2' }],
  ['an unknown curve', { ecdhCurve: 'foo' }],
  ['a certificate that is none', { cert: 'xx' }],
  ['a key that is none', { key: 'xx' }],
  ['a key of another certificate', { cert: serverIdentity.cert, key: issue().key }],
  ['an encrypted key without passphrase', { cert: serverIdentity.cert, key: encrypted }],
  ['a wrong passphrase', { cert: serverIdentity.cert, key: encrypted, passphrase: 'wrong' }],
  ['a PFX of the wrong type', { pfx: 1 as never }],
  ['a CRL that is none', { crl: 'xx' }],
  ['a pskCallback that is no function', { pskCallback: 3 as never }],
  ['short ticket keys', { ticketKeys: Buffer.alloc(3) }],
  ['a session timeout that is no number', { sessionTimeout: 'x' as unknown as number }],
  ['a handshake timeout that is no number', { handshakeTimeout: 'x' as unknown as number }],
  ['a long ALPN name', { ALPNProtocols: ['x'.repeat(256)] }],
  ['ALPN twice', { ALPNProtocols: ['a'], ALPNCallback: () => 'a' }],
  ['an SNICallback that is no function', { SNICallback: 3 as unknown as () => void }],
];

describe('createServer refuses', () => {
  test.each(REFUSED)('%s, as Node does', (_name, options) => {
    expect(() => ours.createServer(options)).toThrow(
      expect.objectContaining({ code: thrownBy(() => nodes.createServer(options)).code }),
    );
  });

  test.each([
    ['privateKeyEngine', { privateKeyEngine: 'pkcs11', privateKeyIdentifier: 'x' }],
    ['clientCertEngine', { clientCertEngine: 'pkcs11' }],
  ])('%s, and says what to do', (name, options) => {
    const error = thrownBy(() => ours.createServer(options as TlsOptions));
    expect(error.code).toBe(UNSUPPORTED_OPTION);
    expect(error.message).toMatch(new RegExp(`${name}.* is not supported: .`));
  });

  test('a session timeout below zero, when it is made; one over a week is cut to a week', () => {
    expect(() => ours.createServer({ ...serverIdentity, sessionTimeout: -1 })).toThrow(/sessionTimeout/);
    expect(() => ours.createServer({ ...serverIdentity, sessionTimeout: 10 ** 9 })).not.toThrow();
  });

  test('a context of node:tls', () => {
    const secureContext = nodes.createSecureContext();
    expect(thrownBy(() => ours.createServer({ secureContext })).code).toBe('ERR_TLS_INVALID_CONTEXT');
    expect(thrownBy(() => ours.connect({ port: 1, secureContext })).code).toBe('ERR_TLS_INVALID_CONTEXT');
  });
});

function thrownBy(action: () => unknown): Error & { code?: string } {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('keys and certificates', () => {
  test.each([
    [
      'an encrypted key with its passphrase',
      { cert: serverIdentity.cert, key: encrypted, passphrase: 'secret' },
    ],
    [
      'a passphrase next to its key',
      { cert: serverIdentity.cert, key: [{ pem: encrypted, passphrase: 'secret' }] },
    ],
    ['Buffers', { cert: Buffer.from(serverIdentity.cert), key: Buffer.from(serverIdentity.key) }],
    ['arrays', { cert: [serverIdentity.cert], key: [serverIdentity.key] }],
  ] as const)('%s', async (_name, identity) => {
    const { client } = await connected(ours, nodes, identity as TlsOptions);
    expect(client.authorized).toBe(true);
  });

  test('of two kinds of certificates, the client gets the one it can verify', async () => {
    const rsa = issue({ key: { type: 'rsa', bits: 2048 } });
    const both: TlsOptions = {
      // Keys in another order than certificates: each finds its own.
      cert: [serverIdentity.cert, rsa.cert],
      key: [rsa.key, serverIdentity.key],
      maxVersion: 'TLSv1.2',
    };
    for (const [ciphers, kind] of [
      ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
      ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    ]) {
      const { client } = await connected(ours, nodes, both, { ciphers });
      expect(client.getCipher().name).toBe(kind);
    }
  });

  test('a server without a certificate fails its handshakes, not the program', async () => {
    const { server, client } = await failing(ours, ours, { cert: undefined, key: undefined }, {});
    expect(server).toBeInstanceOf(Error);
    expect(client).toBeInstanceOf(Error);
  });

  test('setSecureContext serves another certificate from then on', async () => {
    const { server, port, client } = await connected(ours, ours);
    const before = client.getPeerCertificate().fingerprint256;
    server.setSecureContext(issue({ commonName: 'renewed' }));
    const next = track(ours.connect({ port, ca }));
    await once(next, 'secureConnect');
    expect(next.getPeerCertificate().subject.CN).toBe('renewed');
    expect(client.getPeerCertificate().fingerprint256).toBe(before);
  });
});

describe('versions and algorithms', () => {
  test.each([
    ['no version in common', { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
    [
      'no suite in common',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
    ],
    ['no group in common', { ecdhCurve: 'P-256', minVersion: 'TLSv1.3' }, { ecdhCurve: 'X25519' }],
    ['no protocol in common', { ALPNProtocols: ['a'] }, { ALPNProtocols: ['b'] }],
  ] as readonly (readonly [string, TlsOptions, ConnectionOptions])[])(
    '%s: both sides say what they say in Node',
    async (_name, serverOptions, clientOptions) => {
      const expected = await failing(nodes, nodes, serverOptions, clientOptions);
      for (const [, serverTls, clientTls] of PARTIES) {
        const { server, client } = await failing(serverTls, clientTls, serverOptions, clientOptions);
        expect({ server: server?.code, client: client?.code }).toEqual({
          server: expected.server?.code,
          client: expected.client?.code,
        });
      }
    },
  );

  test.each([
    ['secureProtocol', { secureProtocol: 'TLSv1_2_method' }, 'TLSv1.2'],
    ['maxVersion', { maxVersion: 'TLSv1.2' }, 'TLSv1.2'],
    ['minVersion', { minVersion: 'TLSv1.3' }, 'TLSv1.3'],
    ['an older minVersion, which changes nothing', { minVersion: 'TLSv1' }, 'TLSv1.3'],
    ['suites of 1.2 only, which leave 1.3 as it is', { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, 'TLSv1.3'],
    ['suites of 1.3 only', { ciphers: 'TLS_AES_256_GCM_SHA384' }, 'TLSv1.3'],
    ['secureOptions', { secureOptions: 0x2000_0000 }, 'TLSv1.2'],
  ] as readonly (readonly [string, ConnectionOptions, string])[])('%s', async (_name, options, version) => {
    for (const [, serverTls, clientTls] of PARTIES) {
      const { client, accepted } = await connected(serverTls, clientTls, {}, options);
      expect([client.getProtocol(), accepted.getProtocol()]).toEqual([version, version]);
    }
  });

  test.each([
    ['TLS_CHACHA20_POLY1305_SHA256', 'X25519'],
    ['TLS_AES_256_GCM_SHA384', 'P-256'],
    ['TLS_AES_128_GCM_SHA256', 'P-384'],
    ['ECDHE-ECDSA-CHACHA20-POLY1305', 'X25519:P-256'],
    ['ECDHE-ECDSA-AES256-GCM-SHA384', 'P-521:P-256'],
  ])('%s over %s: both implementations describe it alike', async (ciphers, ecdhCurve) => {
    const maxVersion = ciphers.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2';
    const options = { ciphers, ecdhCurve, maxVersion } as const;
    const expected = await connected(nodes, nodes, {}, options);
    for (const [, serverTls, clientTls] of PARTIES) {
      const { client, accepted } = await connected(serverTls, clientTls, {}, options);
      for (const side of [client, accepted]) expect(side.getCipher()).toEqual(expected.client.getCipher());
      expect(client.getEphemeralKeyInfo()).toEqual(expected.client.getEphemeralKeyInfo());
      expect(accepted.getEphemeralKeyInfo() ?? {}).toEqual(expected.accepted.getEphemeralKeyInfo() ?? {});
    }
  });

  test('sigalgs decides on the signature', async () => {
    const rsa = issue({ key: { type: 'rsa', bits: 2048 } });
    const { client } = await connected(ours, ours, rsa, { sigalgs: 'rsa_pss_rsae_sha512' });
    expect(client.connectionInfo?.serverSignatureScheme?.name).toBe('rsa_pss_rsae_sha512');
    expect(client.getSharedSigalgs()).toEqual(['RSA-PSS+SHA512']);
  });

  test('honorCipherOrder false follows the client', async () => {
    const suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] as const;
    const server = { ciphers: suites.join(':') };
    const client = { ciphers: [...suites].reverse().join(':') };
    const ourOrder = await connected(ours, nodes, server, client);
    expect(ourOrder.client.getCipher().name).toBe(suites[0]);
    const theirOrder = await connected(ours, nodes, { ...server, honorCipherOrder: false }, client);
    expect(theirOrder.client.getCipher().name).toBe(suites[1]);
  });
});

describe('ALPN', () => {
  test.each(MATRIX)(
    '%s, %s: the server\u2019s first that the client has',
    async (_name, maxVersion, serverTls, clientTls) => {
      const protocols = { ALPNProtocols: ['h2', 'http/1.1'] };
      const wire = { ALPNProtocols: Buffer.from('\x08http/1.1\x03foo') };
      const { client, accepted } = await connected(serverTls, clientTls, { ...protocols, maxVersion }, wire);
      expect([client.alpnProtocol, accepted.alpnProtocol]).toEqual(['http/1.1', 'http/1.1']);
    },
  );

  test('is false when nobody asked', async () => {
    const { client, accepted } = await connected(ours, ours, { ALPNProtocols: ['h2'] });
    expect([client.alpnProtocol, accepted.alpnProtocol]).toEqual([false, false]);
  });

  test('ALPNCallback chooses among what the client offers', async () => {
    const asked: unknown[] = [];
    const ALPNCallback = (hello: { servername: string; protocols: string[] }): string => {
      asked.push(hello);
      return 'b';
    };
    for (const clientTls of [ours, nodes]) {
      const { client } = await connected(ours, clientTls, { ALPNCallback }, { ALPNProtocols: ['a', 'b'] });
      expect(client.alpnProtocol).toBe('b');
    }
    expect(asked).toEqual(Array(2).fill({ servername: 'localhost', protocols: ['a', 'b'] }));
  });

  test.each([
    ['undefined refuses', () => undefined, undefined],
    ['something else is the server\u2019s mistake', () => 'c', 'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT'],
  ])('ALPNCallback: %s', async (_name, ALPNCallback, code) => {
    const { server, client } = await failing(ours, ours, { ALPNCallback }, { ALPNProtocols: ['a'] });
    expect(server?.code).toBe(code ?? 'ERR_SSL_NO_APPLICATION_PROTOCOL');
    expect(client).toBeInstanceOf(Error);
  });
});

describe('SNI', () => {
  const contexts = ['one.test', '*.two.test'];

  test.each(MATRIX.filter(([, , serverTls]) => serverTls === ours))(
    '%s, %s: addContext serves the name, and the default the others',
    async (_name, maxVersion, _ours, clientTls) => {
      const server = ours.createServer({ ...serverIdentity, maxVersion });
      for (const name of contexts) server.addContext(name, issue({ names: [name], commonName: name }));
      const port = await listen(server);
      const served = async (servername: string): Promise<string | undefined> => {
        const socket = track(clientTls.connect({ port, ca, servername, rejectUnauthorized: false }));
        await once(socket, 'secureConnect');
        return socket.getPeerCertificate().subject.CN as string;
      };
      expect(await served('one.test')).toBe('one.test');
      expect(await served('ONE.TEST')).toBe('one.test');
      expect(await served('a.two.test')).toBe('*.two.test');
      expect(await served('a.b.two.test')).toBe('localhost');
      expect(await served('two.test')).toBe('localhost');
      expect(await served('oneXtest')).toBe('localhost');
    },
  );

  test.each(VERSIONS)('%s: SNICallback answers later, with a context or with nothing', async (maxVersion) => {
    const context = ours.createSecureContext(issue({ names: ['late.test'], commonName: 'late' }));
    const asked: string[] = [];
    const options: TlsOptions = {
      maxVersion,
      SNICallback: (name, callback) => {
        asked.push(name);
        setImmediate(() => (name === 'late.test' ? callback(null, context) : callback(null)));
      },
    };
    const late = await connected(ours, nodes, options, { servername: 'late.test' });
    expect(late.client.getPeerCertificate().subject.CN).toBe('late');
    expect(late.accepted.servername).toBe('late.test');
    const other = await connected(ours, nodes, options);
    expect(other.client.getPeerCertificate().subject.CN).toBe('localhost');
    expect(asked).toEqual(['late.test', 'localhost']);
  });

  test.each([
    [
      'an error',
      (_: string, callback: (error: Error) => void) => callback(new Error('no such host')),
      'no such host',
    ],
    [
      'no context',
      (_: string, callback: (error: null, context: unknown) => void) => callback(null, {}),
      'Invalid SNI context',
    ],
  ])('SNICallback with %s fails the handshake with it', async (_name, SNICallback, message) => {
    const { server, client } = await failing(ours, ours, { SNICallback: SNICallback as never }, {});
    expect(server?.message).toBe(message);
    expect(client).toBeInstanceOf(Error);
  });

  test('is not sent for an address or an empty name, and then servername is false', async () => {
    for (const options of [{ servername: '' }, { servername: undefined, host: '127.0.0.1' }]) {
      const { client, accepted } = await connected(ours, ours, {}, options);
      expect([client.servername, accepted.servername]).toEqual([false, false]);
      expect(client.authorized).toBe(true);
    }
  });

  test('that is an address is refused by a Node that refuses it, and not sent by others', async () => {
    const port = await listen(ours.createServer(serverIdentity));
    const outcome = (tls: Tls): unknown => {
      try {
        track(tls.connect({ port, ca, servername: '127.0.0.1' })).on('error', () => {});
        return 'taken';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(outcome(ours)).toBe(outcome(nodes));
    if (outcome(ours) !== 'taken') return;
    const { client } = await connected(ours, ours, {}, { servername: '127.0.0.1' });
    expect(client).toMatchObject({ servername: false, authorized: true });
  });

  test.each([
    ['ours', ours],
    ['node:tls', nodes],
  ])('is not the host that was connected to, which the certificate has to name: %s', async (_name, tls) => {
    const { client, accepted } = await connected(tls, ours, {}, { host: 'localhost', servername: undefined });
    expect([client.servername, accepted.servername, client.authorized]).toEqual([false, false, true]);
  });
});

describe('what a socket tells', () => {
  test.each(MATRIX)(
    '%s, %s: certificates, Finished, exporter',
    async (_name, maxVersion, serverTls, clientTls) => {
      const { client, accepted } = await connected(serverTls, clientTls, { maxVersion });
      const own = client.getPeerCertificate(true);
      expect(own.raw).toEqual((accepted.getCertificate() as { raw: Buffer }).raw);
      expect(own.issuerCertificate.raw).toEqual(Buffer.from(authority.certificate.der));
      expect(own.issuerCertificate.issuerCertificate).toBe(own.issuerCertificate);
      expect(client.getPeerX509Certificate()?.raw).toEqual(own.raw);
      expect(accepted.getX509Certificate()?.raw).toEqual(own.raw);
      expect(client.getFinished()).toEqual(accepted.getPeerFinished());
      expect(client.getPeerFinished()).toEqual(accepted.getFinished());
      for (const context of [undefined, Buffer.from('context')]) {
        const exported = client.exportKeyingMaterial(32, 'EXPORTER-test', context as Buffer);
        expect(exported).toEqual(accepted.exportKeyingMaterial(32, 'EXPORTER-test', context as Buffer));
        expect(exported.length).toBe(32);
      }
      expect(client.encrypted).toBe(true);
    },
  );

  test('a certificate looks as in Node', async () => {
    const own = await connected(ours, ours);
    const theirs = await connected(nodes, nodes);
    const { issuerCertificate: _a, ...ownLeaf } = own.client.getPeerCertificate(true);
    const { issuerCertificate: _b, ...theirLeaf } = theirs.client.getPeerCertificate(true);
    expect(ownLeaf).toEqual(theirLeaf);
  });

  test('nothing before the handshake is complete', () => {
    const socket = track(new ours.TLSSocket(netConnect(1, '127.0.0.1')).on('error', () => {}));
    expect(socket.getProtocol()).toBeNull();
    expect(socket.getPeerCertificate()).toEqual({});
    expect(socket.getFinished()).toBeUndefined();
    expect(socket.getSession()).toBeUndefined();
    expect(socket.isSessionReused()).toBe(false);
    expect(socket.connectionInfo).toBeUndefined();
    expect(socket.alpnProtocol).toBeNull();
    expect(thrownBy(() => socket.exportKeyingMaterial(1, 'x')).code).toBe('ERR_TLS_INVALID_STATE');
    expect(thrownBy(() => socket.connect(1)).code).toBe('ERR_SOCKET_ALREADY_CONNECTED');
  });

  test('addresses are those of the transport', async () => {
    const { client, accepted, port } = await connected(ours, ours);
    expect(client).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: port, remoteFamily: 'IPv4' });
    expect(accepted).toMatchObject({ localPort: port, remotePort: client.localPort, pending: false });
    expect(accepted.address()).toMatchObject({ port, address: '127.0.0.1' });
    expect(client.setNoDelay().setKeepAlive(true, 1000).unref().ref()).toBe(client);
  });

  test('fragments have a length that may be set', async () => {
    const { client } = await connected(ours, ours, { maxVersion: 'TLSv1.2' });
    expect(client.setMaxSendFragment(1024)).toBe(true);
    expect(client.setMaxSendFragment(511)).toBe(false);
  });
});

describe('key log', () => {
  test.each(VERSIONS)('%s: client and server give the same lines as Node', async (maxVersion) => {
    const lines = new Map<string, string[]>();
    const collect = (who: string) => (line: Buffer) => {
      lines.set(who, [...(lines.get(who) ?? []), String(line)]);
    };
    const server = ours.createServer({ ...serverIdentity, maxVersion });
    server.on('keylog', collect('server'));
    const port = await listen(server);
    for (const [who, clientTls] of [
      ['ours', ours],
      ['node', nodes],
    ] as const) {
      lines.clear();
      const client = track(clientTls.connect({ port, ca })).on('keylog', collect(who));
      client.resume();
      const accepted = once(server, 'secureConnection');
      await once(client, 'secureConnect');
      const [socket] = await accepted;
      socket.resume();
      await new Promise((resolve) => setImmediate(resolve));
      const sorted = (name: string): string[] => (lines.get(name) ?? []).toSorted();
      expect(sorted(who).length).toBeGreaterThan(0);
      expect(sorted('server')).toEqual(sorted(who));
    }
  });
});

describe('the module', () => {
  test('has the names and constants of node:tls', () => {
    expect(ours.DEFAULT_MIN_VERSION).toBe(nodes.DEFAULT_MIN_VERSION);
    expect(ours.DEFAULT_MAX_VERSION).toBe(nodes.DEFAULT_MAX_VERSION);
    expect(ours.DEFAULT_ECDH_CURVE).toBe('auto');
    expect(ours.rootCertificates).toBe(nodes.rootCertificates);
    expect(ours.DEFAULT_CIPHERS).toBe(nodes.DEFAULT_CIPHERS);
  });
});

import { fromHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { Certificate } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import type { Credential } from '../certificates/credential.ts';
import type { CertificateToVerify } from '../certificates/verdict.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { trustedCaKeys } from '../extensions/certificate-authorities.ts';
import { statusRequest, statusRequestV2 } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import { oidFilters } from '../extensions/oid-filters.ts';
import { useSrtp } from '../extensions/use-srtp.ts';
import { certificateStatus } from '../messages/certificate-status.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { ClientHelloInfo, CredentialRequest } from '../requests.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';
import { matchingCredentials } from './oid-filters.ts';
import { OCSP_REQUESTS_V2 } from './stapling.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const LEAF = Uint8Array.of(1, 2, 3);
const ISSUER = Uint8Array.of(4, 5);
const TIMESTAMPS = Uint8Array.of(0, 3, 0, 1, 9);

/** A chain of two, as far as stapling is concerned: the same certificate twice does no harm to the path. */
function chained(extra: Partial<Credential>): Credential {
  const own = pki.server();
  return { ...own, certificates: [...own.certificates, pki.authority.certificate.der], ...extra };
}

function client(options: Partial<ClientOptions> = {}) {
  return clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }));
}

function server(options: Partial<ServerOptions> = {}) {
  return serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options }));
}

function meet(clientOptions: Partial<ClientOptions>, serverOptions: Partial<ServerOptions>) {
  const asked: CertificateToVerify[] = [];
  const verify: ClientOptions['verifyCertificate'] = (request) => {
    asked.push(request);
    return verifyCertificate(request);
  };
  const ends = new Pair(
    client({ verifyCertificate: verify, ...clientOptions }),
    server(serverOptions),
  ).pump();
  expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
  return { info: ends.client.info, ends, asked: asked[0]! };
}

describe('OCSP responses for a chain', () => {
  const credentials = [chained({ ocspResponses: [LEAF, ISSUER] })];

  test('come in TLS 1.3 with each certificate', () => {
    const { info, asked } = meet({}, { credentials });
    expect(info.ocspResponses).toEqual([LEAF, ISSUER]);
    expect(info.ocspResponse).toEqual(LEAF);
    expect(asked).toMatchObject({ ocspResponse: LEAF, ocspResponses: [LEAF, ISSUER] });
  });

  test('come in TLS 1.2 by status_request_v2, holes included', () => {
    const options = { maxVersion: 'TLSv1.2', requestOcspChain: true } as const;
    expect(meet(options, { credentials }).info.ocspResponses).toEqual([LEAF, ISSUER]);
    const only = meet(options, { credentials: [chained({ ocspResponse: LEAF })] });
    expect(only.asked.ocspResponses).toEqual([LEAF, undefined]);
  });

  test('in TLS 1.2 without status_request_v2 are cut to the leaf’s', () => {
    expect(meet({ maxVersion: 'TLSv1.2' }, { credentials }).info.ocspResponses).toEqual([LEAF]);
  });

  test('that nobody asked for are not sent', () => {
    for (const maxVersion of VERSIONS) {
      const { info } = meet({ maxVersion, requestOcsp: false }, { credentials });
      expect(info.ocspResponses.filter(Boolean)).toEqual([]);
    }
  });

  test('a client that wants one response by status_request_v2 gets one', () => {
    const p = new PuppetClient12(nodeCrypto, server({ credentials }), pki.client());
    // One item: type ocsp, no responders, no extensions (RFC 6961 §2.2).
    p.sendHello((h) => h.extensions.set(statusRequestV2, fromHex('000701000400000000')));
    const status = p.messages.find(({ type }) => type === certificateStatus.type)!;
    expect(status.raw).toEqual(Uint8Array.of(22, 0, 0, 7, 1, 0, 0, 3, ...LEAF));
  });

  test.each([
    ['a list of an odd length', '0006020004000000'],
    ['left-over bytes', '0007020004000000000000'],
    ['nothing', ''],
  ])('a request with %s is refused', (_what, hex) => {
    const p = new PuppetClient12(nodeCrypto, server({ credentials }), pki.client());
    p.sendHello((h) => h.extensions.set(statusRequestV2, fromHex(hex)));
    expect(outcomeOf(p)).toEqual(refused('malformed-message'));
  });

  test('our own request is the one of RFC 6961', () => {
    expect(OCSP_REQUESTS_V2).toEqual(fromHex('000e0200040000000001000400000000'));
  });

  describe('a TLS 1.2 server', () => {
    const answering = (change: (b: ExtensionBlock<'server_hello_12'>) => void) => {
      const options = { maxVersion: 'TLSv1.2', requestOcspChain: true } as const;
      const p = new PuppetServer12(nodeCrypto, client(options), pki.server());
      p.send(p.serverHello((h) => change(h.extensions as ExtensionBlock<'server_hello_12'>)));
      return p;
    };
    const status = (p: PuppetServer12, statusType: number, ...response: number[]) =>
      p.send(
        p.certificate(),
        p.encoded(certificateStatus, { statusType, response: Uint8Array.from(response) }),
      );

    test.each([
      ['announces both', (p: PuppetServer12) => p, true, 'illegal-parameter'],
      [
        'sends several where one was announced',
        (p: PuppetServer12) => status(p, 2, 0, 0, 1, 7),
        false,
        'illegal-parameter',
      ],
    ] as const)('that %s is refused', (_what, act, both, code) => {
      const p = answering((b) => {
        b.set(statusRequest, null);
        if (both) b.set(statusRequestV2, null);
      });
      act(p);
      expect(outcomeOf(p)).toEqual(refused(code));
    });

    test.each([
      ['an unknown type', 3, [0], 'illegal-parameter'],
      ['a list that does not add up', 2, [0, 0, 9, 7], 'malformed-message'],
      ['too many responses', 2, new Array(51).fill(0), 'illegal-parameter'],
    ])('that staples %s is refused', (_what, type, response, code) => {
      const p = answering((b) => b.set(statusRequestV2, null));
      status(p, type, ...response);
      expect(outcomeOf(p)).toEqual(refused(code));
    });
  });
});

describe('signed certificate timestamps', () => {
  const credentials = [chained({ signedCertificateTimestamps: TIMESTAMPS })];

  test.each(VERSIONS)('are carried with %s to who asks', (maxVersion) => {
    const { info, asked } = meet({ maxVersion, requestTimestamps: true }, { credentials });
    expect(info.signedCertificateTimestamps).toEqual(TIMESTAMPS);
    expect(asked.signedCertificateTimestamps).toEqual(TIMESTAMPS);
    expect(meet({ maxVersion }, { credentials }).info.signedCertificateTimestamps).toBeUndefined();
  });

  test.each([
    ['an empty list', [0, 0]],
    ['an empty timestamp', [0, 5, 0, 1, 9, 0, 0]],
    ['a list that is cut off', [0, 3, 0, 1]],
    ['no list', []],
    ['something after the list', [0, 3, 0, 1, 9, 9]],
  ])('%s is malformed', (_what, list) => {
    const p = new PuppetServer13(nodeCrypto, client({ requestTimestamps: true }), pki.server());
    p.sendServerHello().send(p.encryptedExtensions());
    const extensions = (b: ExtensionBlock<'certificate'>) =>
      b.set(signedCertificateTimestamp, Uint8Array.from(list));
    p.send(p.certificate({ extensions }));
    expect(outcomeOf(p)).toEqual(refused('malformed-message'));
  });

  test('unsolicited are refused', () => {
    const p = new PuppetServer13(nodeCrypto, client(), pki.server());
    p.sendServerHello().send(p.encryptedExtensions());
    p.send(p.certificate({ extensions: (b) => b.set(signedCertificateTimestamp, TIMESTAMPS) }));
    expect(outcomeOf(p)).toEqual(refused('unsolicited-extension'));
  });
});

test.each(VERSIONS)(
  'a server can choose its chain by the CAs that a client trusts, with %s',
  (maxVersion) => {
    const names = [pki.authority.certificate.subject.der];
    const seen: ClientHelloInfo[] = [];
    meet(
      { certificateAuthorities: names, maxVersion },
      {
        credentials: (info) => {
          seen.push(info);
          return [pki.server()];
        },
      },
    );
    expect(seen[0]!.certificateAuthorities).toEqual(names);
  },
);

describe('oid_filters', () => {
  const KEY_USAGE = fromHex('0603551d0f');
  const PURPOSES = fromHex('0603551d25');
  const CLIENT_AUTH = fromHex('300a06082b06010505070302');
  const SERVER_AUTH = fromHex('300a06082b06010505070301');
  const SIGNATURE = fromHex('03020780');
  const CERT_SIGN = fromHex('03020204');
  const UNKNOWN = fromHex('06032a0304');

  test.each([
    ['a purpose it has', [{ oid: PURPOSES, values: CLIENT_AUTH }], true],
    ['a purpose it lacks', [{ oid: PURPOSES, values: SERVER_AUTH }], false],
    ['a usage it has', [{ oid: KEY_USAGE, values: SIGNATURE }], true],
    ['a usage it lacks', [{ oid: KEY_USAGE, values: CERT_SIGN }], false],
    ['any purpose', [{ oid: PURPOSES, values: new Uint8Array(0) }], true],
    ['what nobody knows', [{ oid: UNKNOWN, values: Uint8Array.of(9) }], true],
    [
      'both',
      [
        { oid: KEY_USAGE, values: SIGNATURE },
        { oid: PURPOSES, values: CLIENT_AUTH },
      ],
      true,
    ],
  ])('for %s decide whether the client shows its certificate', (_what, filters, shown) => {
    const requests: CredentialRequest[] = [];
    const credentials = (request: CredentialRequest) => {
      requests.push(request);
      return [pki.client()];
    };
    const { ends } = meet(
      { credentials },
      { clientCertificate: 'request', verifyCertificate, oidFilters: filters },
    );
    expect(ends.server.info.peerCertificates.length).toBe(shown ? 1 : 0);
    expect(requests[0]!.oidFilters).toEqual(filters);
  });

  test('a certificate without the extension at all does not match', () => {
    const bare = { ...pki.client(), certificates: [pki.authority.certificate.der] };
    expect(Certificate.parse(bare.certificates[0]!).extensions.extendedKeyUsage).toBeUndefined();
    expect(matchingCredentials([bare], [{ oid: PURPOSES, values: new Uint8Array(0) }])).toEqual([]);
  });

  test.each([
    ['no OID', [{ oid: Uint8Array.of(5, 0), values: CLIENT_AUTH }]],
    ['no value', [{ oid: PURPOSES, values: Uint8Array.of(1) }]],
    [
      'the same twice',
      [
        { oid: PURPOSES, values: CLIENT_AUTH },
        { oid: PURPOSES, values: CLIENT_AUTH },
      ],
    ],
  ])('with %s end the handshake', (_what, filters) => {
    const p = new PuppetServer13(nodeCrypto, client({ credentials: [pki.client()] }), pki.server());
    p.sendServerHello().send(p.encryptedExtensions());
    p.send(p.certificateRequest((b) => b.set(oidFilters, filters)));
    p.send(p.certificate(), p.certificateVerify(), p.finished());
    expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
  });
});

describe('extensions that nobody here needs', () => {
  test('trusted_ca_keys and use_srtp are passed over by a server', () => {
    const p = new PuppetClient13(nodeCrypto, server(), pki.client());
    p.sendHello((h) => {
      h.extensions.set(trustedCaKeys, Uint8Array.of(0, 1, 0));
      h.extensions.set(useSrtp, Uint8Array.of(0, 2, 0, 1, 0));
    });
    p.send(p.finished()).enterApplication();
    expect(p.end.connection.state).toBe('open');
    const old = new PuppetClient12(nodeCrypto, server(), pki.client());
    old.sendHello((h) => {
      h.extensions.set(trustedCaKeys, Uint8Array.of(0, 1, 0));
      h.extensions.set(useSrtp, Uint8Array.of(0, 2, 0, 1, 0));
    });
    old.send(old.keyExchange()).changeKeys().send(old.finished());
    expect(old.end.connection.state).toBe('open');
  });

  test.each([
    [
      'use_srtp in EncryptedExtensions',
      (b: ExtensionBlock<'encrypted_extensions'>) => b.set(useSrtp, Uint8Array.of(0, 2, 0, 1, 0)),
      'unsolicited-extension',
    ],
    [
      'trusted_ca_keys in EncryptedExtensions',
      (b: ExtensionBlock<'encrypted_extensions'>) => b.setRaw(3, new Uint8Array(0)),
      'misplaced-extension',
    ],
  ])('%s is refused', (_what, change, code) => {
    const p = new PuppetServer13(nodeCrypto, client(), pki.server());
    p.sendServerHello().send(p.encryptedExtensions((b) => void change(b)));
    expect(outcomeOf(p)).toEqual(refused(code));
  });

  test('use_srtp in a TLS 1.2 ServerHello is refused', () => {
    const p = new PuppetServer12(nodeCrypto, client({ maxVersion: 'TLSv1.2' }), pki.server());
    p.send(
      p.serverHello((h) =>
        (h.extensions as ExtensionBlock<'server_hello_12'>).set(useSrtp, Uint8Array.of(0)),
      ),
    );
    expect(outcomeOf(p)).toEqual(refused('unsolicited-extension'));
  });
});

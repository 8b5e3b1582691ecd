import { concat, decode, encode } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { explainMessage } from '../explain.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { compressCertificate } from '../extensions/certificate-compression.ts';
import { certificate13 } from '../messages/certificate.ts';
import { certificateRequest13 } from '../messages/certificate-request.ts';
import { clientHello } from '../messages/client-hello.ts';
import { type CompressedCertificate, compressedCertificate } from '../messages/compressed-certificate.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import {
  brotliCertificates,
  certificateCompressions,
  zlibCertificates as zlib,
  zstdCertificates,
} from '../node/context/certificate-compression.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { zlibCertificates as streams } from '../web/certificate-compression.ts';
import type { Credential } from './credential.ts';
import type { CertificateCompression } from './types.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

/** Long enough that every algorithm makes it shorter. */
function chained(own: Credential): Credential {
  const ca = pki.authority.certificate.der;
  return { ...own, certificates: [...own.certificates, ca, ca] };
}

const credentials = [chained(pki.server())];
const client = (options: Partial<ClientOptions>) =>
  clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }));
const server = (options: Partial<ServerOptions>) =>
  serverEnd(serverConfig({ provider: nodeCrypto, credentials, verifyCertificate, ...options }));
/** Until both are open or have failed: streams answer when they are ready. */
async function meet(clientOptions: Partial<ClientOptions>, serverOptions: Partial<ServerOptions>) {
  const pair = new Pair(client(clientOptions), server(serverOptions)).pump();
  const isOver = ({ secured, errors }: TestEnd) => secured.length + errors.length > 0;
  while (!isOver(pair.client) || !isOver(pair.server)) {
    await new Promise((resolve) => setImmediate(resolve));
    pair.pump();
  }
  return pair.settle();
}

/** Counts what it is asked. */
function counting(inner: CertificateCompression) {
  const counts = { compressed: 0, decompressed: 0 };
  const algorithm: CertificateCompression = {
    name: inner.name,
    compress: (data) => {
      counts.compressed++;
      return inner.compress(data);
    },
    decompress: (data, length) => {
      counts.decompressed++;
      return inner.decompress(data, length);
    },
  };
  return { algorithm, counts };
}

describe.each([
  ['zlib', zlib],
  ['brotli', brotliCertificates],
  ...(zstdCertificates === undefined ? [] : [['zstd', zstdCertificates] as const]),
  ['zlib by streams', streams],
] as const)('%s', (_what, algorithm) => {
  const certificateCompression = [algorithm];

  test('server and client show compressed certificates', async () => {
    const ends = await meet(
      { certificateCompression, credentials: [chained(pki.client())] },
      { certificateCompression, clientCertificate: 'require' },
    );
    expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
    const both = { sent: algorithm.name, received: algorithm.name };
    expect(ends.client.info.certificateCompression).toEqual(both);
    expect(ends.server.info.certificateCompression).toEqual(both);
    expect(ends.client.info.peerCertificates).toEqual(credentials[0]!.certificates);
    expect(ends.client.log).toContain('received compressed_certificate');
    expect(ends.server.log).toContain('received compressed_certificate');
    expect(ends.client.log.filter((line) => line.endsWith(' certificate'))).toEqual([]);
  });

  test('gives back what it was given, and nothing that is longer than said', async () => {
    const data = concat(...credentials[0]!.certificates);
    const compressed = await algorithm.compress(data);
    expect(compressed.length).toBeLessThan(data.length);
    expect(await algorithm.decompress(compressed, data.length)).toEqual(data);
    await expect(async () => algorithm.decompress(compressed, data.length - 1)).rejects.toThrow();
    const cut = compressed.subarray(0, -8);
    await expect(async () => algorithm.decompress(cut, data.length)).rejects.toThrow();
    await expect(async () => algorithm.decompress(Uint8Array.of(1, 2, 3), 3)).rejects.toThrow();
  });

  test('stops a bomb', async () => {
    const bomb = await algorithm.compress(new Uint8Array(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    await expect(async () => algorithm.decompress(bomb, 100_000)).rejects.toThrow();
  });
});

describe('nothing is compressed', () => {
  const plain = async (clientOptions: Partial<ClientOptions>, serverOptions: Partial<ServerOptions>) => {
    const ends = await meet(clientOptions, serverOptions);
    expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
    expect(ends.client.log).toContain('received certificate');
    expect(ends.client.info.certificateCompression).toBeUndefined();
  };
  const certificateCompression = [zlib];

  test('where the client does not say that it may be', () => plain({}, { certificateCompression }));
  test('where the server cannot', () => plain({ certificateCompression }, {}));
  test('where they share no algorithm', () =>
    plain({ certificateCompression }, { certificateCompression: [brotliCertificates] }));
  test('in TLS 1.2', () =>
    plain({ certificateCompression, maxVersion: 'TLSv1.2' }, { certificateCompression }));
  test('that would not get shorter', () => {
    const longer = { ...zlib, compress: (data: Uint8Array) => concat(data, data) };
    return plain({ certificateCompression }, { certificateCompression: [longer] });
  });
});

test('a TLS 1.2 client does not offer it, a TLS 1.3 client does by its numbers', () => {
  const offered = (options: Partial<ClientOptions>) => {
    const p = new PuppetServer13(nodeCrypto, client(options), credentials[0]!);
    return decodeMessage(clientHello, p.messages[0]!).extensions.get(compressCertificate);
  };
  expect(offered({ certificateCompression: [brotliCertificates, zlib] })).toEqual([2, 1]);
  expect(offered({ certificateCompression: [zlib], maxVersion: 'TLSv1.2' })).toBeUndefined();
  expect(offered({})).toBeUndefined();
});

test('the server’s order decides', async () => {
  const ends = await meet(
    { certificateCompression: [zlib, brotliCertificates] },
    { certificateCompression: [brotliCertificates, zlib] },
  );
  expect(ends.client.info.certificateCompression).toEqual({ sent: undefined, received: 'brotli' });
});

test('a chain is compressed once, and again when its OCSP response changes', async () => {
  const { algorithm, counts } = counting(zlib);
  const own = chained(pki.server('p384'));
  const run = (extra: Partial<Credential>) =>
    meet(
      { certificateCompression: [zlib] },
      { certificateCompression: [algorithm], credentials: [{ ...own, ...extra }] },
    );
  await run({});
  await run({});
  expect(counts.compressed).toBe(1);
  const stapled = await run({ ocspResponse: Uint8Array.of(1, 2, 3) });
  expect(counts.compressed).toBe(2);
  expect(stapled.client.info.ocspResponse).toEqual(Uint8Array.of(1, 2, 3));
});

test('a resumption costs no compression', async () => {
  const { algorithm, counts } = counting(zlib);
  const { TicketKeys } = await import('../sessions/ticket-keys.ts');
  const config = serverConfig({
    provider: nodeCrypto,
    credentials: [chained(pki.server('ed25519'))],
    tickets: new TicketKeys(nodeCrypto),
    certificateCompression: [algorithm],
  });
  const ours = clientConfig({ provider: nodeCrypto, verifyCertificate, certificateCompression: [zlib] });
  const first = await new Pair(clientEnd(ours), serverEnd(config)).settle();
  const session = first.client.sessions[0];
  const second = await new Pair(clientEnd(ours, { session }), serverEnd(config)).settle();
  expect(second.client.info.resumed).toBe(true);
  expect(counts.compressed).toBe(1);
});

describe('a client refuses', () => {
  type Change = (message: CompressedCertificate, body: Uint8Array) => Partial<CompressedCertificate>;
  const compressed = (p: PuppetServer13, change: Change, body?: Uint8Array): Uint8Array => {
    const certificateList = [
      { certData: pki.server().certificates[0]!, extensions: new ExtensionBlock('certificate') },
    ];
    const certificateRequestContext = new Uint8Array(0);
    const plain = body ?? encode(certificate13.codec, { certificateRequestContext, certificateList });
    const message: CompressedCertificate = {
      algorithm: 1,
      uncompressedLength: plain.length,
      compressedCertificateMessage: zlib.compress(plain) as Uint8Array,
    };
    return p.encoded(compressedCertificate, { ...message, ...change(message, plain) });
  };

  function puppet(options: Partial<ClientOptions> = {}): PuppetServer13 {
    const end = client({ certificateCompression: [zlib], maxCertificateMessage: 4096, ...options });
    const p = new PuppetServer13(nodeCrypto, end, pki.server());
    p.sendServerHello();
    return p.send(p.encryptedExtensions());
  }

  test('nothing that is right', () => {
    const p = puppet();
    p.send(
      compressed(p, () => ({})),
      p.certificateVerify(),
      p.finished(),
    );
    expect(outcomeOf(p).state).toBe('open');
  });

  test.each<[string, Change, string]>([
    ['an algorithm that was not offered', () => ({ algorithm: 2 }), 'illegal-parameter'],
    ['an algorithm that does not exist', () => ({ algorithm: 0xffff }), 'illegal-parameter'],
    [
      'a stated length that is short',
      (m) => ({ uncompressedLength: m.uncompressedLength - 1 }),
      'bad-certificate',
    ],
    [
      'a stated length that is long',
      (m) => ({ uncompressedLength: m.uncompressedLength + 1 }),
      'bad-certificate',
    ],
    ['a stated length of nothing', () => ({ uncompressedLength: 0 }), 'bad-certificate'],
    ['a stated length over the limit', () => ({ uncompressedLength: 4097 }), 'bad-certificate'],
    ['a stated length that is enormous', () => ({ uncompressedLength: 0xffffff }), 'bad-certificate'],
    [
      'what does not inflate',
      (m) => ({ compressedCertificateMessage: m.compressedCertificateMessage.map((b) => b ^ 0x55) }),
      'bad-certificate',
    ],
    [
      'what ends too early',
      (m) => ({ compressedCertificateMessage: m.compressedCertificateMessage.slice(0, -5) }),
      'bad-certificate',
    ],
    [
      'a bomb',
      () => ({
        uncompressedLength: 4096,
        compressedCertificateMessage: zlib.compress(new Uint8Array(1_000_000)) as Uint8Array,
      }),
      'bad-certificate',
    ],
    ['an empty message', () => ({ compressedCertificateMessage: new Uint8Array(0) }), 'malformed-message'],
  ])('%s', (_what, change, code) => {
    const p = puppet();
    if (code === 'malformed-message') p.send(Uint8Array.of(25, 0, 0, 8, 0, 1, 0, 0, 9, 0, 0, 0));
    else p.send(compressed(p, change));
    expect(outcomeOf(p)).toEqual(refused(code));
  });

  test('a length over the limit without inflating anything', () => {
    const { algorithm, counts } = counting(zlib);
    const p = puppet({ certificateCompression: [algorithm] });
    p.send(compressed(p, () => ({ uncompressedLength: 4097 })));
    expect(counts.decompressed).toBe(0);
  });

  test('what inflates to something that is no Certificate', () => {
    const p = puppet();
    p.send(compressed(p, () => ({}), Uint8Array.of(0, 0, 0, 9, 1, 2)));
    expect(outcomeOf(p)).toEqual(refused('malformed-message'));
  });

  test('a compressed message that it did not ask for', () => {
    const p = puppet({ certificateCompression: undefined });
    p.send(compressed(p, () => ({})));
    expect(outcomeOf(p)).toEqual(refused('unexpected-message'));
  });
});

describe('a server', () => {
  const asks = { clientCertificate: 'require', certificateCompression: [zlib] } as const;

  test('tells a client how its certificate may be compressed', () => {
    const p = new PuppetClient13(nodeCrypto, server(asks), pki.client());
    p.sendHello();
    const request = p.messages.find(({ type }) => type === certificateRequest13.type)!;
    expect(decodeMessage(certificateRequest13, request).extensions.get(compressCertificate)).toEqual([1]);
  });

  test('refuses a client’s certificate that does not inflate', () => {
    const p = new PuppetClient13(nodeCrypto, server(asks), pki.client());
    p.sendHello();
    p.send(
      p.encoded(compressedCertificate, {
        algorithm: 1,
        uncompressedLength: 100,
        compressedCertificateMessage: Uint8Array.of(1, 2, 3),
      }),
    );
    expect(outcomeOf(p)).toEqual(refused('bad-certificate'));
  });

  test('refuses an empty list of algorithms, and one of an odd length', () => {
    for (const body of [Uint8Array.of(0), Uint8Array.of(1, 0), Uint8Array.of(3, 0, 1, 0)])
      expect(() => decode(compressCertificate.codecs.client_hello, body)).toThrow();
  });
});

test('options that make no sense', () => {
  const wrong = { ...zlib, name: 'lzma' } as unknown as CertificateCompression;
  const numbered = [
    { ...wrong, id: 4 },
    { ...zlib, id: 0xff01 },
    { ...wrong, id: 0x10000 },
  ];
  const twice = [
    { ...wrong, name: 'a', id: 0xff01 },
    { ...wrong, name: 'b', id: 0xff01 },
  ];
  for (const certificateCompression of [[wrong], [zlib, zlib], twice, ...numbered.map((one) => [one])])
    expect(() => clientConfig({ provider: nodeCrypto, verifyCertificate, certificateCompression })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
});

test('an algorithm of one’s own goes by its number', async () => {
  const own = { ...zlib, name: 'house', id: 0xff01 };
  const ends = await meet({ certificateCompression: [own] }, { certificateCompression: [own] });
  expect(ends.client.info.certificateCompression).toEqual({ sent: undefined, received: 'house' });
  const p = new PuppetServer13(nodeCrypto, client({ certificateCompression: [own] }), credentials[0]!);
  expect(decodeMessage(clientHello, p.messages[0]!).extensions.get(compressCertificate)).toEqual([0xff01]);
});

test('Node’s list has what this Node can do', () => {
  const names = certificateCompressions.map(({ name }) => name);
  expect(names).toEqual(zstdCertificates === undefined ? ['brotli', 'zlib'] : ['zstd', 'brotli', 'zlib']);
});

test('a compressed certificate is explained', () => {
  const raw = Uint8Array.of(25, 0, 0, 9, 0, 2, 0, 1, 0, 0, 0, 1, 7);
  const { name, fields, error } = explainMessage({ type: 25, raw }, 0x0304);
  expect([name, error]).toEqual(['compressed_certificate', undefined]);
  expect(fields.map((field) => field.name)).toEqual([
    ...['type', 'length', 'algorithm', 'uncompressedLength', 'compressedCertificateMessage'],
  ]);
});

test('the body of a Certificate is what is compressed, without its header', async () => {
  let seen: Uint8Array | undefined;
  const spy: CertificateCompression = {
    ...zlib,
    compress: (data) => {
      seen = data;
      return zlib.compress(data);
    },
  };
  const own = chained(pki.server('rsa'));
  await meet({ certificateCompression: [zlib] }, { certificateCompression: [spy], credentials: [own] });
  expect(decode(certificate13.codec, seen!).certificateList.map(({ certData }) => certData)).toEqual(
    own.certificates,
  );
});

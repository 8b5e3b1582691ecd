import { once } from 'node:events';
import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { ConnectionOptions, TLSSocket } from './index.ts';
import { extension, identityOf, type Made, make, pemOf, type Wish } from './testing/chains.ts';
import { closeAll, listen, nodes, ours, track } from './testing/support.ts';

afterEach(closeAll);
afterAll(closeAll);

const rsa = (bits: number) => nodeCrypto.generateKey({ type: 'rsa', bits });
const [RSA_1024, RSA_2048] = [rsa(1024), rsa(2048)];
const CERT_SIGN = [5, 6];
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY = '2.5.29.37.0';

const root = make({ subject: 'Root', ca: true, usage: CERT_SIGN });
const leafWish: Wish = { names: ['localhost'], usage: [0] };
const authority = (wish: Wish = {}, issuer: Made = root): Made =>
  make({ subject: 'Intermediate', ca: true, usage: CERT_SIGN, ...wish }, issuer);
/** Leaf, intermediate and root, each as wished. */
const three = (leaf: Wish = {}, middle: Wish = {}, top?: Wish): readonly Made[] => {
  const anchor = top === undefined ? root : make({ subject: 'Root', ca: true, usage: CERT_SIGN, ...top });
  const issuer = authority(middle, anchor);
  return [make({ ...leafWish, ...leaf }, issuer), issuer, anchor];
};
const two = (leaf: Wish = {}, top: Wish = {}): readonly Made[] => {
  const anchor = make({ subject: 'Root', ca: true, usage: CERT_SIGN, ...top });
  return [make({ ...leafWish, ...leaf }, anchor), anchor];
};

interface Case {
  readonly sent: readonly Made[];
  readonly trusted: readonly Made[];
  readonly options?: ConnectionOptions;
}

/** All that is above the leaf is sent but the root, which is trusted. */
const usual = (chain: readonly Made[], options: ConnectionOptions = {}): Case => ({
  sent: chain.slice(0, -1),
  trusted: chain.slice(-1),
  options,
});

const constraints = (permitted: string[], excluded: string[] = []): Uint8Array => {
  const subtrees = (tag: number, names: string[]) =>
    names.length === 0
      ? undefined
      : der.implicit(
          tag,
          der.sequence(
            ...names.map((name) => der.sequence(der.implicit(2, der.octetString(Buffer.from(name))))),
          ),
        );
  return extension('2.5.29.30', der.sequence(subtrees(0, permitted), subtrees(1, excluded)), true);
};

const unknownCritical = extension('1.3.6.1.4.1.99999.1', der.nullValue(), true);
const ocspNoCheck = extension('1.3.6.1.5.5.7.48.1.5', der.nullValue(), true);
const identifier = (byte: number) => extension('2.5.29.14', der.octetString(new Uint8Array(20).fill(byte)));
const issuerIdentifier = (byte: number) =>
  extension('2.5.29.35', der.sequence(der.implicit(0, der.octetString(new Uint8Array(20).fill(byte)))));

const otherName = (tag: number, name: string) =>
  extension('2.5.29.17', der.sequence(der.implicit(tag, der.octetString(Buffer.from(name)))));
const netscapeType = (bits: readonly number[]) => extension('2.16.840.1.113730.1.1', der.namedBits(bits));

const good = three();
const otherRoot = make({ subject: 'Root', ca: true, usage: CERT_SIGN });
const self = make({ ...leafWish });
const selfCa = make({ ...leafWish, ca: true, usage: [0, 5] });

const CASES: Readonly<Record<string, Case>> = {
  'a good chain': usual(good),
  'one with its root sent': { sent: good, trusted: good.slice(2) },
  'one in disorder': { sent: [good[0]!, good[2]!, good[1]!], trusted: good.slice(2) },
  'one with strangers in it': { sent: [good[0]!, self, good[1]!], trusted: good.slice(2) },
  'a missing intermediate': { sent: [good[0]!], trusted: good.slice(2) },
  'an intermediate that is trusted to help': { sent: [good[0]!], trusted: [good[1]!, good[2]!] },
  'a trusted intermediate without its root': { sent: [good[0]!], trusted: [good[1]!] },
  'the same, sent, too': { sent: good.slice(0, 2), trusted: [good[1]!] },
  'the same where a part is enough': {
    sent: [good[0]!],
    trusted: [good[1]!],
    options: { allowPartialTrustChain: true },
  },
  'a leaf that is trusted itself': { sent: [good[0]!], trusted: [good[0]!] },
  'the same where a part is enough, itself': {
    sent: [good[0]!],
    trusted: [good[0]!],
    options: { allowPartialTrustChain: true },
  },
  'a root that nobody trusts': { sent: good, trusted: [selfCa] },
  'an intermediate without its root': { sent: good.slice(0, 2), trusted: [selfCa] },
  'a root of the same name': { sent: good, trusted: [otherRoot] },
  'a root of the same name, and nothing sent': { sent: good.slice(0, 2), trusted: [otherRoot] },
  'a self-signed leaf': { sent: [self], trusted: [root] },
  'a self-signed leaf that is trusted': { sent: [self], trusted: [self] },
  'a self-signed CA as the leaf, trusted': { sent: [selfCa], trusted: [selfCa] },
  'a self-signed leaf that is trusted and has expired': (() => {
    const made = make({ ...leafWish, days: [-9, -3] });
    return { sent: [made], trusted: [made] };
  })(),
  'a self-signed leaf that has expired': { sent: [make({ ...leafWish, days: [-9, -3] })], trusted: [root] },
  'a leaf of a stranger that has expired': {
    sent: [make({ ...leafWish, days: [-9, -3] }, selfCa)],
    trusted: [root],
  },
  'a leaf that has expired': usual(three({ days: [-9, -3] })),
  'a leaf that is not yet valid': usual(three({ days: [3, 9] })),
  'an intermediate that has expired': usual(three({}, { days: [-9, -3] })),
  'a root that has expired': usual(three({}, {}, { days: [-9, -3] })),
  'all of it expired': usual(three({ days: [-9, -3] }, { days: [-9, -3] }, { days: [-9, -3] })),
  'an expired leaf and a root to come': usual(three({ days: [-9, -3] }, {}, { days: [3, 9] })),
  'a forged leaf': usual(three({ isForged: true })),
  'a forged intermediate': usual(three({}, { isForged: true })),
  'a forged root': usual(three({}, {}, { isForged: true })),
  'a forged leaf that has expired': usual(three({ isForged: true, days: [-9, -3] })),
  'an intermediate that is no CA': usual(three({}, { ca: false })),
  'an intermediate that says nothing of it': usual(three({}, { ca: undefined })),
  'an intermediate that says nothing of anything': usual(
    three({}, { ca: undefined, usage: undefined as never }),
  ),
  'an intermediate that may not sign': usual(three({}, { usage: [0] })),
  'a root that is no CA': usual(two({}, { ca: false })),
  'a root that says nothing of it': usual(two({}, { ca: undefined })),
  'a root that says nothing of anything': usual(two({}, { ca: undefined, usage: undefined as never })),
  'a root that may not sign': usual(two({}, { usage: [0] })),
  'a root of version 1': usual(two({}, { version: 1 })),
  'an intermediate of version 1': usual(three({}, { version: 1 })),
  'a leaf of version 1': usual(three({ version: 1, names: undefined as never })),
  'a path that is too long': (() => {
    const top = make({ subject: 'Root', ca: true, usage: CERT_SIGN, pathLength: 0 });
    const middle = authority({}, top);
    return usual([make(leafWish, middle), middle, top]);
  })(),
  'a path that is as long as it may be': usual(three({}, { pathLength: 0 })),
  'a client\u2019s leaf': usual(three({ purposes: [CLIENT_AUTH] })),
  'a leaf for both': usual(three({ purposes: [CLIENT_AUTH, SERVER_AUTH] })),
  'a leaf for anything': usual(three({ purposes: [ANY] })),
  'an intermediate for clients': usual(three({}, { purposes: [CLIENT_AUTH] })),
  'an intermediate for anything': usual(three({}, { purposes: [ANY] })),
  'a root for clients': usual(three({}, {}, { purposes: [CLIENT_AUTH] })),
  'a leaf that encrypts data': usual(three({ usage: [3] })),
  'a leaf that agrees on keys': usual(three({ usage: [0, 4] })),
  'a critical extension in the leaf': usual(three({ extensions: [unknownCritical] })),
  'a critical ocsp-nocheck': usual(three({ extensions: [ocspNoCheck] }, { extensions: [ocspNoCheck] })),
  'a critical extension in an intermediate': usual(three({}, { extensions: [unknownCritical] })),
  'a critical extension in the root': usual(three({}, {}, { extensions: [unknownCritical] })),
  'a critical extension and an expired leaf': usual(
    three({ days: [-9, -3] }, { extensions: [unknownCritical] }),
  ),
  'a name that is permitted': usual(three({}, { extensions: [constraints(['localhost'])] })),
  'a name that is not permitted': usual(three({}, { extensions: [constraints(['example'])] })),
  'a name that is excluded': usual(three({}, { extensions: [constraints([], ['localhost'])] })),
  'a root that does not permit the name': usual(three({}, {}, { extensions: [constraints(['example'])] })),
  'a common name that is not permitted': usual(
    three({ names: undefined as never }, { extensions: [constraints(['example'])] }),
  ),
  ...Object.fromEntries(
    (
      [
        [['example'], []],
        [[], ['test']],
      ] as const
    ).flatMap(([permitted, excluded]) => {
      const constrained = { extensions: [constraints([...permitted], [...excluded])] };
      const leaves: Readonly<Record<string, Wish>> = {
        'a mail address': { subject: 'host.test', extensions: [otherName(1, 'me@host.example')] },
        'a URI': { subject: 'host.test', extensions: [otherName(6, 'urn:host.example')] },
        'nothing, and several common names': { subject: 'host.example', namesBefore: ['host.test'] },
        'nothing, and several common names that are allowed': {
          subject: 'host.example',
          namesBefore: ['other.example'],
        },
        'nothing, and a common name of one label': { subject: 'test' },
        'nothing, and a common name with a NUL': { subject: 'host.example\0.test' },
      };
      return Object.entries(leaves).map(([what, leaf]) => [
        `constraints ${permitted} ${excluded} and a leaf with subjectAltName with ${what}`,
        usual(three({ names: undefined as never, ...leaf }, constrained), { servername: 'host.test' }),
      ]);
    }),
  ),
  'identifiers that agree': usual(
    three({ extensions: [issuerIdentifier(1)] }, { extensions: [identifier(1)] }),
  ),
  'identifiers that do not': usual(
    three({ extensions: [issuerIdentifier(1)] }, { extensions: [identifier(2)] }),
  ),
  'extensions that cannot be read in the leaf': usual(
    three({ extensions: [extension('2.5.29.35', Uint8Array.of(5, 0))] }),
  ),
  ...Object.fromEntries(
    ['2.5.29.31', '2.16.840.1.113730.1.1'].flatMap((oid) => {
      const unreadable = { extensions: [extension(oid, der.integer(5))] };
      const self = make({ ...leafWish, ...unreadable });
      return [
        [`a leaf with ${oid} that cannot be read`, usual(two(unreadable))],
        [`a root with ${oid} that cannot be read`, usual(two({}, unreadable))],
        [`a self-signed leaf with ${oid} that cannot be read, trusted`, { sent: [self], trusted: [self] }],
      ];
    }),
  ),
  ...Object.fromEntries(
    [[7], [6], [5], [5, 6, 7]].map((type) => [
      `a root that is one by bits ${type} of Netscape's type only`,
      usual(two({}, { ca: undefined, usage: undefined as never, extensions: [netscapeType(type)] })),
    ]),
  ),
  'validity that ends before it begins': usual(three({ days: [3, -3] })),
  ...Object.fromEntries(
    ([{ ca: false }, { usage: [0] }, { isForged: true }, { days: [-9, -3] }] as Wish[]).map((middle) => {
      const chain = three({}, middle);
      const options = { allowPartialTrustChain: true };
      return [
        `a trusted leaf, and above it, from the peer: ${JSON.stringify(middle)}`,
        { sent: chain.slice(0, 2), trusted: chain.slice(0, 1), options },
      ];
    }),
  ),
  'a short key in the leaf': usual(three({ key: RSA_1024 })),
  'a short key in an intermediate': usual(three({}, { key: RSA_1024 })),
  'a short key in the root': usual(two({}, { key: RSA_1024 })),
  'a short key in all of them': usual(three({ key: RSA_1024 }, { key: RSA_1024 }, { key: RSA_1024 })),
  'a short key in a self-signed leaf': { sent: [make({ ...leafWish, key: RSA_1024 })], trusted: [root] },
  'a short key and no issuer': { sent: [three({ key: RSA_1024 })[0]!], trusted: [selfCa] },
  'SHA-1 on the leaf': usual(two({ signedWith: { name: 'rsa-pkcs1', hash: 'sha1' } }, { key: RSA_2048 })),
  'SHA-1 on the root only': usual(
    two({}, { key: RSA_2048, signedWith: { name: 'rsa-pkcs1', hash: 'sha1' } }),
  ),
  'ECDSA with SHA-1': usual(two({ signedWith: { name: 'ecdsa', hash: 'sha1' } })),
  'MD5 on the leaf': usual(two({ signedWith: { name: 'rsa-pkcs1', hash: 'md5' } }, { key: RSA_2048 })),
  'SHA-224 on the leaf': usual(two({ signedWith: { name: 'rsa-pkcs1', hash: 'sha224' } }, { key: RSA_2048 })),
  'another name': usual(three({ names: ['other.example'], subject: 'other.example' })),
  'another name in subjectAltName, the right common name': usual(three({ names: ['other.example'] })),
  'a common name only': usual(three({ names: undefined as never })),
  'another common name only': usual(three({ names: undefined as never, subject: 'other' })),
};

async function judge(tls: typeof ours, port: number, options: ConnectionOptions): Promise<unknown[]> {
  const client = track(tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ...options }));
  const failed = once(client, 'error').then(([error]) => error as Error & { code?: string });
  const secured = once(client, 'secureConnect').then(() => undefined);
  secured.catch(() => {});
  const error = await Promise.race([failed, secured]);
  failed.catch(() => {});
  const chain: string[] = [];
  for (
    let at = (client as TLSSocket).getPeerCertificate(true);
    at?.subject !== undefined;
    at = at.issuerCertificate
  ) {
    chain.push(at.subject.CN as string);
    if (at.issuerCertificate === at) break;
  }
  const shown = [client.authorized, client.authorizationError ?? null, error?.code, error?.message];
  client.destroy();
  // Node shows a root that is the leaf twice.
  return client.authorized ? [...shown, [...new Set(chain)]] : shown;
}

describe.each(Object.entries(CASES))('%s', (_what, { sent, trusted, options }) => {
  test.each(['', 'DEFAULT@SECLEVEL=0', 'DEFAULT@SECLEVEL=2', 'DEFAULT@SECLEVEL=3'])(
    'is judged as in node:tls %s',
    async (ciphers) => {
      const [leaf, ...others] = sent;
      const server = ours.createServer({
        ...identityOf(leaf!, ...others),
        ciphers: 'DEFAULT@SECLEVEL=0',
        minVersion: 'TLSv1.3',
      });
      const port = await listen(server);
      const level = ciphers === '' ? {} : { ciphers };
      for (const rejectUnauthorized of ciphers === '' ? [true, false] : [true]) {
        const asked = { ca: trusted.map((one) => pemOf(one)), ...level, ...options, rejectUnauthorized };
        const theirs = await judge(nodes, port, asked);
        expect(await judge(ours, port, asked)).toEqual(theirs);
      }
    },
  );
});

describe('own certificates', () => {
  const chains: Readonly<Record<string, readonly Made[]>> = {
    'a short key': [make({ ...leafWish, key: RSA_1024 })],
    'a CA\u2019s short key': three({}, { key: RSA_1024 }).slice(0, 2),
    'SHA-1': two({ signedWith: { name: 'rsa-pkcs1', hash: 'sha1' } }, { key: RSA_2048 }).slice(0, 1),
    'SHA-1 on itself': [
      make({ ...leafWish, key: RSA_2048, signedWith: { name: 'rsa-pkcs1', hash: 'sha1' } }),
    ],
    'SHA-1 on an intermediate': (() => {
      const anchor = make({ subject: 'Root', ca: true, key: RSA_2048 });
      const middle = authority({ signedWith: { name: 'rsa-pkcs1', hash: 'sha1' } }, anchor);
      return [make(leafWish, middle), middle];
    })(),
    'nothing weak': good.slice(0, 2),
  };

  test.each(Object.entries(chains))('with %s are taken at the same levels as in node:tls', (_what, chain) => {
    const [leaf, ...others] = chain;
    for (const ciphers of [undefined, ...[0, 1, 2, 3, 4].map((level) => `HIGH@SECLEVEL=${level}`)]) {
      const options = { ...identityOf(leaf!, ...others), ...(ciphers === undefined ? {} : { ciphers }) };
      expect(outcome(ours, options)).toEqual(outcome(nodes, options));
    }
  });

  function outcome(tls: typeof ours, options: object): unknown {
    try {
      tls.createSecureContext(options);
      return 'taken';
    } catch (error) {
      const { code, reason, library } = error as Error & Record<string, unknown>;
      return { code, reason, library };
    }
  }
});

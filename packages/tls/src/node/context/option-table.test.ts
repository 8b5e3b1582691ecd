import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { afterEach, describe, expect, test } from 'vitest';
import { live } from '../as-node/replaceable-members.ts';
import { Agent } from '../https.ts';
import { ca, clientIdentity, ours } from '../testing/support.ts';
import type { SecureContextOptions } from './context-options.ts';
import { agentKeys, contextKey } from './option-table.ts';
import { type ClientConfigKey, SecureContext, sharedSecureContext } from './secure-context.ts';

const bytes = (value: number): Buffer => Buffer.alloc(48, value);
const text = (value: string): string => `-----BEGIN X-----\n${value}\n-----END X-----`;

type Pair<T> = readonly [T, T];

/** Two values for each option that must not be taken for each other. A new option has none yet, and does not compile. */
const VALUES: { readonly [Name in keyof Required<SecureContextOptions>]: Pair<unknown> } = {
  secureProtocol: ['TLSv1_2_method', 'TLS_method'],
  minVersion: ['TLSv1.2', 'TLSv1.3'],
  maxVersion: ['TLSv1.2', 'TLSv1.3'],
  secureOptions: [1, 2],
  ciphers: ['HIGH', 'ALL'],
  ca: [text('A'), text('B')],
  allowPartialTrustChain: [true, false],
  cert: [text('A'), text('B')],
  key: [[{ pem: text('A') }], [{ pem: text('B') }]],
  passphrase: ['a', 'b'],
  sigalgs: ['ECDSA+SHA256', 'ECDSA+SHA384'],
  privateKeyEngine: ['a', 'b'],
  privateKeyIdentifier: ['a', 'b'],
  ecdhCurve: ['X25519', 'P-256'],
  dhparam: ['auto', text('B')],
  crl: [text('A'), text('B')],
  sessionIdContext: ['a', 'b'],
  // No UTF-8: as texts they are the same.
  pfx: [Buffer.from([0x30, 0xfe]), Buffer.from([0x30, 0xff])],
  clientCertEngine: ['a', 'b'],
  ticketKeys: [bytes(1), bytes(2)],
  sessionTimeout: [1, 2],
  honorCipherOrder: [true, false],
  certificateCompression: [['zlib'], ['brotli']],
  ALPNCallback: [() => undefined, () => 'h2'],
  strict: [{ closeNotify: true }, { subjectAltName: true }],
  legacy: [{ rules: [] }, { rules: [1] }],
  psks: [[{ identity: bytes(1), key: bytes(1) }], [{ identity: bytes(1), key: bytes(2) }]],
  ech: ['grease', { configs: bytes(1) }],
  echKeys: [[{ config: bytes(1) }], [{ config: bytes(2) }]],
  renegotiation: [{ limit: 1 }, { limit: 2 }],
  postHandshakeAuth: [true, false],
  requireAlpn: [true, false],
  applicationSettings: [{ h2: bytes(1) }, { h2: bytes(2) }],
  serverNames: [['a'], ['b']],
  dangerouslyExportWithoutExtendedMasterSecret: [true, false],
  heartbeat: ['answer', 'only-ask'],
};

const OPTIONS = Object.keys(VALUES) as (keyof typeof VALUES)[];

/** As {@link structuredClone}, which takes no functions and makes no Buffers. */
function copy(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copy(one)]));
}

const nameOf = (options: object): string => new Agent().getName({ host: 'localhost', ...options });

describe('every option of a context', () => {
  test('has two values here', () => {
    expect(
      agentKeys()
        .map(([name]) => name)
        .sort(),
    ).toEqual([...OPTIONS].sort());
  });

  test.each(OPTIONS)('%s tells an agent\u2019s requests apart, and equal values do not', (name) => {
    const [one, other] = VALUES[name];
    expect(nameOf({ [name]: one })).not.toBe(nameOf({ [name]: other }));
    expect(nameOf({ [name]: one })).toBe(nameOf({ [name]: copy(one) }));
    if (one !== true) expect(nameOf({ [name]: one })).not.toBe(nameOf({}));
    expect(nameOf({ [name]: undefined })).toBe(nameOf({}));
  });

  test.each(OPTIONS)('%s tells contexts apart, or has one of its own', (name) => {
    const [one, other] = VALUES[name];
    const keyOf = (value: unknown): string | undefined => contextKey({ [name]: value });
    expect(keyOf(one)).toBe(keyOf(copy(one)));
    if (keyOf(one) !== undefined) expect(keyOf(one)).not.toBe(keyOf(other));
    expect(keyOf(undefined)).toBe(contextKey({}));
  });

  test('that holds secrets or objects has a context of its own', () => {
    const owned = OPTIONS.filter((name) => contextKey({ [name]: VALUES[name][0] }) === undefined);
    expect(owned).toEqual([
      ...['cert', 'key', 'passphrase', 'privateKeyEngine', 'privateKeyIdentifier', 'dhparam', 'crl', 'pfx'],
      ...['clientCertEngine', 'ticketKeys', 'certificateCompression', 'ALPNCallback', 'legacy', 'psks'],
      ...['ech', 'echKeys', 'renegotiation', 'applicationSettings', 'serverNames'],
    ]);
  });
});

describe('an agent', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });

  test.each<[string, object, object]>([
    [
      'contexts',
      { secureContext: ours.createSecureContext() },
      { secureContext: ours.createSecureContext() },
    ],
    ['checks of names', { checkServerIdentity: () => {} }, { checkServerIdentity: () => {} }],
    ['smallest fields', { minDHSize: 1024 }, { minDHSize: 2048 }],
    ['key objects', { key: privateKey }, { key: createPrivateKey(pem) }],
    ['a text and a number', { minDHSize: '1' }, { minDHSize: 1 }],
    ['where lists end', { serverNames: ['a', 'b'] }, { serverNames: ['a,b'] }],
  ])('tells %s apart', (_what, one, other) => {
    expect(nameOf(one)).toBe(nameOf({ ...one }));
    expect(nameOf(one)).not.toBe(nameOf(other));
  });

  test('has no secret of ours in its names', () => {
    const name = nameOf({ passphrase: 'open sesame', psks: [{ identity: bytes(7), key: bytes(7) }] });
    expect(name).not.toMatch(/sesame|0707|BwcH/);
  });

  test('has Node\u2019s names for what only Node has', () => {
    const options = {
      ca,
      ...clientIdentity,
      ciphers: 'HIGH',
      crl: [Buffer.from('c')],
      minVersion: 'TLSv1.2',
    };
    const request: object = { ...options, timeout: 1, ALPNProtocols: ['http/1.1'], keepAlive: true };
    const nodes = Object.getPrototypeOf(Agent.prototype) as { getName(options: RequestOptions): string };
    expect(nameOf(request)).toBe(nodes.getName.call(new Agent(), { host: 'localhost', ...request }));
  });
});

describe('a context that is shared', () => {
  const module = live.tls as { DEFAULT_ECDH_CURVE: string };
  const { DEFAULT_ECDH_CURVE } = module;
  afterEach(() => {
    module.DEFAULT_ECDH_CURVE = DEFAULT_ECDH_CURVE;
  });

  test('goes by the curves that are the default now', () => {
    const before = sharedSecureContext({});
    expect(sharedSecureContext({})).toBe(before);
    module.DEFAULT_ECDH_CURVE = 'P-384';
    expect(sharedSecureContext({})).not.toBe(before);
    expect(sharedSecureContext({}).negotiation.client.groups).toEqual(['secp384r1']);
  });
});

describe('the configuration that a context keeps for its next client', () => {
  const first: ClientConfigKey = {
    alpnProtocols: ['a', 'b'],
    rejectUnauthorized: true,
    checkServerIdentity: undefined,
    requestOcsp: false,
    pskCallback: undefined,
  };
  const others: Required<ClientConfigKey> = {
    alpnProtocols: ['a', 'c'],
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    requestOcsp: true,
    pskCallback: () => null,
  };

  test.each(Object.entries(others))('is not for one with another %s', (name, value) => {
    const context = new SecureContext();
    const kept = context.clientConfig(first);
    expect(context.clientConfig({ ...first, alpnProtocols: ['a', 'b'] })).toBe(kept);
    expect(context.clientConfig({ ...first, [name]: value })).not.toBe(kept);
  });
});

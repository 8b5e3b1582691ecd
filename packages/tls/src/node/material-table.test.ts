import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { certificateToPem, ManagedAuthority, MemoryCertificateDatabase } from '@testudo/x509';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  authority,
  ca,
  closeAll,
  issue,
  listen,
  nodes,
  ours,
  stranger,
  type Tls,
  track,
} from './testing/support.ts';

afterEach(closeAll);

const { cert, key } = issue();
const foreign = certificateToPem(stranger.certificate);
let crl: string;
beforeAll(async () => {
  const managed = new ManagedAuthority(authority, new MemoryCertificateDatabase());
  crl = block('X509 CRL', Buffer.from((await managed.crl()).der));
});

function block(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

const derOf = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ''), 'base64');
const labelOf = (pem: string): string => /BEGIN (.*)-----/.exec(pem)![1]!;

/** Every way to disturb a good PEM text. */
const TEXTS: Readonly<Record<string, (good: string) => unknown>> = {
  'as it is': (good) => good,
  'a byte order mark before it': (good) => `\ufeff${good}`,
  'two byte order marks before it': (good) => `\ufeff\ufeff${good}`,
  'a byte order mark between two': (good) => `${foreign}\ufeff${good}`,
  'the mark in bytes': (good) => Buffer.from(`\ufeff${good}`),
  'UTF-16': (good) => Buffer.from(`\ufeff${good}`, 'utf16le'),
  'text before it': (good) => `Hello,\n# here it is:\n${good}`,
  'text before it in its line': (good) => `here: ${good}`,
  'text behind it': (good) => `${good}that was all`,
  twice: (good) => good + good,
  'another kind before it': (good) => block('SOMETHING', Buffer.from('else')) + good,
  'a key before it': (good) => key + good,
  'a certificate before it': (good) => foreign + good,
  'a certificate behind it': (good) => good + foreign,
  'no DER before it': (good) => block(labelOf(good), Buffer.from('none')) + good,
  'an empty one before it': (good) =>
    `-----BEGIN ${labelOf(good)}-----\n-----END ${labelOf(good)}-----\n${good}`,
  'no base64 before it': (good) =>
    `-----BEGIN ${labelOf(good)}-----\n!!!!\n-----END ${labelOf(good)}-----\n${good}`,
  'no DER behind it': (good) => good + block(labelOf(good), Buffer.from('none')),
  cut: (good) => good.slice(0, 100),
  'cut before it': (good) => `${good.slice(0, 100)}\n${good}`,
  'cut behind it': (good) => good + good.slice(0, 100),
  'without its last line': (good) => good.replace(/-----END.*\n/, ''),
  'without its first line': (good) => good.replace(/-----BEGIN.*\n/, ''),
  'another END': (good) => good.replace(/END .*-----/, 'END OTHER-----'),
  'four hyphens': (good) => good.replaceAll('-----', '----'),
  'lower case': (good) => good.replace(/BEGIN .*-----/, (line) => line.toLowerCase()),
  indented: (good) => good.replaceAll(/^/gm, '  '),
  'spaces at the ends of lines': (good) => good.replaceAll('\n', ' \t \n'),
  'CR LF': (good) => good.replaceAll('\n', '\r\n'),
  CR: (good) => good.replaceAll('\n', '\r'),
  'one line of base64': (good) => good.replaceAll(/(?<!-)\n(?!-)/g, ''),
  'short lines of base64': (good) =>
    good
      .replace(derOf(good).toString('base64'), '')
      .replaceAll(/([A-Za-z0-9+/]{20})(?=[A-Za-z0-9+/=]{3,}\n)/g, '$1\n'),
  'no line end at the end': (good) => good.trimEnd(),
  'an empty line after BEGIN': (good) => good.replace('-----\n', '-----\n\n'),
  'two empty lines after BEGIN': (good) => good.replace('-----\n', '-----\n\n\n'),
  'an empty line in the middle': (good) => good.replace(/\n(.{64}\n)/, '\n\n$1'),
  'an empty line before END': (good) => good.replace('\n-----END', '\n\n-----END'),
  'a header': (good) => good.replace('-----\n', '-----\nFriendly: name\n\n'),
  'a bad character': (good) => good.replace(/\n(.{10})./, '\n$1!'),
  'a hyphen in the base64': (good) => good.replace(/\n(.{10})./, '\n$1-'),
  'a sign of equality in the base64': (good) => good.replace(/\n(.{10})./, '\n$1='),
  'bytes behind the DER': (good) =>
    block(labelOf(good), Buffer.concat([derOf(good), Buffer.from([1, 2, 3])])),
  DER: (good) => derOf(good),
  Buffer: (good) => Buffer.from(good),
  Uint8Array: (good) => new Uint8Array(Buffer.from(good)),
  DataView: (good) => new DataView(new Uint8Array(Buffer.from(`xx${good}`)).buffer, 2),
  Uint16Array: (good) =>
    new Uint16Array(new Uint8Array(Buffer.from(good.length % 2 ? `${good}\n` : good)).buffer),
  ArrayBuffer: (good) => new Uint8Array(Buffer.from(good)).buffer,
  'SharedArrayBuffer view': (good) => {
    const shared = new Uint8Array(new SharedArrayBuffer(good.length));
    shared.set(Buffer.from(good));
    return shared;
  },
  'String object': (good) => new String(good),
  array: (good) => [good],
  'array in an array': (good) => [[good]],
  'array with an empty text first': (good) => ['', good],
  'array with spaces first': (good) => [' \n', good],
  'array with a comment last': (good) => [good, '# comment'],
  'array with something cut first': (good) => [good.slice(0, 100), good],
  'array with something unreadable first': (good) => [block(labelOf(good), Buffer.from('none')), good],
  'array with something unreadable last': (good) => [good, block(labelOf(good), Buffer.from('none'))],
  'array with another before': (good) => [foreign, good],
  'array with undefined': (good) => [undefined, good],
  'array with undefined last': (good) => [good, undefined],
  'array with null': (good) => [null, good],
  'array with false': (good) => [good, false],
  'array with 0': (good) => [0, good],
  'array with an object': (good) => [{}, good],
  'array with a hole': (good) => Object.assign(new Array(2), { 1: good }),
  'frozen array': (good) => Object.freeze([good]),
  Set: (good) => new Set([good]),
};

const NONE: readonly unknown[] = [
  ...[
    undefined,
    null,
    false,
    0,
    '',
    Number.NaN,
    0n,
    -0,
    true,
    1,
    'x',
    ' ',
    '\ufeff',
    [],
    [''],
    [[]],
    {},
    () => {},
  ],
  ...[
    Symbol('x'),
    Buffer.alloc(0),
    [Buffer.alloc(0)],
    new DataView(new ArrayBuffer(0)),
    new ArrayBuffer(0),
    new Date(0),
  ],
];

interface Verdict {
  readonly code: string | undefined;
  readonly message: string;
  readonly name: string;
}

/** What a context says to these options: undefined when it takes them. */
function verdict(tls: Tls, options: object): Verdict | undefined {
  try {
    tls.createSecureContext(options);
    return undefined;
  } catch (error) {
    const { code, message, name } = error as Error & { code?: string };
    return { code, message, name };
  }
}

const SUBJECTS: readonly (readonly [string, () => string, (value: unknown) => object])[] = [
  ['ca', () => ca, (value) => ({ ca: value })],
  ['cert', () => cert, (value) => ({ cert: value })],
  ['cert with its key', () => cert, (value) => ({ cert: value, key })],
  ['key', () => key, (value) => ({ key: value })],
  ['key with its cert', () => key, (value) => ({ cert, key: value })],
  ['crl', () => crl, (value) => ({ crl: value })],
  ['dhparam', () => block('DH PARAMETERS', dhParameters()), (value) => ({ dhparam: value })],
  ['pfx', () => ca, (value) => ({ pfx: value })],
];

let parameters: Buffer | undefined;
function dhParameters(): Buffer {
  parameters ??= derOf(
    execFileSync('openssl', ['genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048'], {
      encoding: 'utf8',
    }),
  );
  return parameters;
}

describe.each(SUBJECTS)('%s, as Node', (_name, good, options) => {
  test.each(Object.entries(TEXTS))('%s', (_text, disturb) => {
    const given = options(disturb(good()));
    expect(verdict(ours, given)).toEqual(verdict(nodes, given));
  });

  test.each(NONE.map((value) => [value]))('%o', (value) => {
    expect(verdict(ours, options(value))).toEqual(verdict(nodes, options(value)));
  });
});

/** What becomes of a connection: the certificate that was shown, or the error\u2019s code. */
async function outcome(
  serverTls: Tls,
  clientTls: Tls,
  own: object,
  client: object,
): Promise<string | undefined> {
  const server = serverTls.createServer(own);
  server.on('tlsClientError', () => {});
  const port = await listen(server);
  const socket = track(clientTls.connect({ port, servername: 'localhost', ...client }));
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.fingerprint256;
  } catch (error) {
    return (error as Error & { code?: string }).code;
  }
}

describe('CAs are found and trusted where Node finds them', () => {
  const LABELS = ['X509 CERTIFICATE', 'X.509 CERTIFICATE', 'TRUSTED CERTIFICATE', 'PKCS7', 'certificate'];
  const cases: readonly (readonly [string, (good: string) => unknown])[] = [
    ...Object.entries(TEXTS),
    ...LABELS.map((label) => [label, (good: string) => block(label, derOf(good))] as const),
  ];

  test.each(cases.filter(([, disturb]) => verdict(nodes, { ca: disturb(ca) }) === undefined))(
    '%s',
    async (_text, disturb) => {
      const client = { ca: disturb(ca) };
      const theirs = await outcome(nodes, nodes, { cert, key }, client);
      expect(await outcome(nodes, ours, { cert, key }, client)).toBe(theirs);
    },
  );

  test.each([
    ['-addtrust', 'serverAuth'],
    ['-addtrust', 'emailProtection'],
    ['-addreject', 'serverAuth'],
    ['-addreject', 'emailProtection'],
    ['-addtrust', 'anyExtendedKeyUsage'],
    ['-setalias', 'alias'],
  ])('openssl x509 %s %s', async (flag, value) => {
    const client = {
      ca: execFileSync('openssl', ['x509', '-trustout', flag, value], { input: ca, encoding: 'utf8' }),
    };
    const theirs = await outcome(nodes, nodes, { cert, key }, client);
    const own = await outcome(nodes, ours, { cert, key }, client);
    expect(own?.includes(':')).toBe(theirs?.includes(':'));
  });
});

describe('Keys and certificates that were taken serve', () => {
  test.each(Object.entries(TEXTS))('%s', async (_text, disturb) => {
    for (const own of [
      { cert: disturb(cert), key },
      { cert, key: disturb(key) },
    ]) {
      if (verdict(nodes, own) !== undefined) continue;
      const lenient = { rejectUnauthorized: false };
      expect(await outcome(ours, nodes, own, lenient)).toBe(await outcome(nodes, nodes, own, lenient));
    }
  });
});

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type CertificateAuthority,
  certificateToPem,
  createCertificateAuthority,
  encodeOcspRequest,
  type IssuedCertificate,
  ManagedAuthority,
  MemoryCertificateDatabase,
  ocspCertificateId,
  privateKeyToPem,
} from '@testudo/x509';
import { ocspHandler } from '@testudo/x509/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../cli.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { testIo } from '../testing/io.ts';
import { listenOn, stopAll } from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

/** What `testudo connect` shows of paths and revocation, against servers of `node:tls`. */
let folder: string;
let root: CertificateAuthority;
let managed: ManagedAuthority;
beforeAll(() => {
  folder = folderWith();
  root = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Root' });
  writeFileSync(join(folder, 'root.pem'), certificateToPem(root.certificate));
  managed = new ManagedAuthority(
    root.issueAuthority({ commonName: 'Issuing' }),
    new MemoryCertificateDatabase(),
  );
});

const issue = (options: { mustStaple?: boolean } = {}): Promise<IssuedCertificate> =>
  managed.issue({ purpose: 'server', names: ['localhost'], ...options });

async function answerAbout({ certificate }: IssuedCertificate, at?: Date): Promise<Buffer> {
  const id = ocspCertificateId(nodeCrypto, certificate.serialNumber, managed.authority.certificate);
  const request = encodeOcspRequest({ certificateIds: [id] });
  return Buffer.from(await managed.ocsp(request, at === undefined ? {} : { at }));
}

async function serve(issued: IssuedCertificate, staple?: Buffer, options: TlsOptions = {}): Promise<number> {
  const server = createServer(
    {
      cert: certificateToPem(...issued.certificateChain),
      key: privateKeyToPem(issued.privateKey!),
      ...options,
    },
    (socket) => void socket.on('error', () => undefined).resume(),
  );
  server.on('tlsClientError', () => undefined);
  if (staple !== undefined)
    server.on('OCSPRequest', (_certificate, _issuer, done: (error: null, response: Buffer) => void) =>
      done(null, staple),
    );
  return listenOn(server);
}

async function connect(
  port: number,
  ...args: string[]
): Promise<{ code: number; text: string; out: string }> {
  const io = testIo();
  const ca = join(folder, 'root.pem');
  const code = await main(['connect', `localhost:${port}`, '--ca', ca, '--no-input', ...args], io);
  return { code, text: io.err() + io.out(), out: io.out() };
}

async function certificateJson(port: number, ...args: string[]) {
  return JSON.parse((await connect(port, '--json', ...args)).out).certificate;
}

describe('a stapled OCSP response', () => {
  test('that says good is shown with its times', async () => {
    const issued = await issue();
    const port = await serve(issued, await answerAbout(issued));
    const { code, text } = await connect(port);
    expect(code).toBe(0);
    expect(text).toMatch(/Revocation\n {2}1 OCSP response stapled, made \d{4}-.*, good until \d{4}-/);
    expect(text).toMatch(/CN=localhost: not revoked\n/);
    const { revocation } = await certificateJson(port);
    expect(revocation).toMatchObject({
      stapled: 1,
      certificates: [{ status: 'good' }, { status: 'unknown' }],
    });
  });

  test('that says revoked ends it, unless --insecure', async () => {
    const issued = await issue();
    await managed.revoke(issued.certificate.serialNumber, { reason: 'keyCompromise' });
    const port = await serve(issued, await answerAbout(issued));
    const { code, text } = await connect(port);
    expect(code).toBe(1);
    expect(text).toMatch(/refused: .*its CA has revoked it .*\(keyCompromise\)/);
    expect(text).toMatch(/CN=localhost: revoked since .* \(keyCompromise\)/);
    expect((await connect(port, '--insecure')).code).toBe(0);
    expect(await certificateJson(port)).toMatchObject({ accepted: false, code: 'revoked' });
  });

  test.each([
    ['about another certificate', async () => answerAbout(await issue())],
    ['that has grown old', async (issued: IssuedCertificate) => answerAbout(issued, new Date('2026-01-01'))],
    ['that is none', async () => Buffer.from('no answer')],
  ])('%s says nothing', async (_, make) => {
    const issued = await issue();
    const port = await serve(issued, await make(issued));
    const { code, text } = await connect(port);
    expect(code).toBe(0);
    expect(text).toMatch(/CN=localhost: not known: /);
  });

  test('that the certificate demands must be there', async () => {
    const issued = await issue({ mustStaple: true });
    const without = await connect(await serve(issued));
    expect([without.code, without.text]).toEqual([
      1,
      expect.stringMatching(/requires a stapled OCSP response/),
    ]);
    expect((await connect(await serve(issued, await answerAbout(issued)))).code).toBe(0);
  });
});

test('without one, --online asks whom the certificate names', async () => {
  const http = createHttpServer(ocspHandler({ answer: (request) => managed.ocsp(request) }));
  const responder = `http://127.0.0.1:${await listenOn(http)}/`;
  const published = new ManagedAuthority(
    managed.authority.withPublication({ ocsp: [responder] }),
    managed.database,
  );
  const issued = await published.issue({ purpose: 'server', names: ['localhost'] });
  const port = await serve(issued);
  const silent = await connect(port);
  expect([silent.code, silent.text]).toEqual([
    0,
    expect.stringContaining(
      `no OCSP response was stapled\n  CN=localhost: not known: no OCSP response is stapled`,
    ),
  ]);
  expect(silent.text).toContain(`${responder} can tell: --online asks`);
  expect((await connect(port, '--online')).text).toMatch(/CN=localhost: not revoked/);
  await managed.revoke(issued.certificate.serialNumber);
  expect((await connect(port, '--online')).code).toBe(1);
  expect((await connect(port)).code).toBe(0);
});

describe('the paths', () => {
  test('are shown with what is wrong with each', async () => {
    const issued = await issue();
    const strangeRoot = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Strange' });
    // Another CA of the same name, which cannot have issued it.
    const namesake = strangeRoot.issueAuthority({ commonName: 'Issuing' });
    const cert = certificateToPem(issued.certificate, namesake.certificate);
    const port = await serve(issued, undefined, { cert });
    const { code, text } = await connect(port);
    expect(code).toBe(1);
    expect(text).toMatch(/Paths\n {2}CN=localhost\n {2}\u2514\u2500 CN=Issuing: bad-signature: /);
    const { tree } = await certificateJson(port);
    expect(tree.leaf).toMatchObject({ subject: 'CN=localhost', source: 'peer', chosen: false });
    expect(tree.leaf.issuers).toMatchObject([
      { subject: 'CN=Issuing', source: 'peer', chosen: false, error: { code: 'bad-signature' } },
    ]);
  });

  test('are shown when all is well', async () => {
    const issued = await issue();
    const port = await serve(issued);
    expect((await connect(port)).text).toContain(
      'Paths\n  CN=localhost \u2713\n  \u2514\u2500 CN=Issuing \u2713\n     \u2514\u2500 CN=Root (trusted) \u2713\n',
    );
    const { tree } = await certificateJson(port);
    expect(tree.leaf.issuers[0].issuers[0]).toMatchObject({
      subject: 'CN=Root',
      source: 'trust',
      chosen: true,
    });
  });
});

describe('--session', () => {
  test('makes the file, and resumes from it the next time', async () => {
    const port = await serve(await issue());
    const file = join(folder, 'kept');
    const resumed: boolean[] = [];
    for (let i = 0; i < 2; i++)
      resumed.push(JSON.parse((await connect(port, '--session', file, '--json')).out).resumed);
    expect([resumed, statSync(file).mode & 0o777]).toEqual([[false, true], 0o600]);
    expect(readFileSync(file).length).toBeGreaterThan(100);
  });

  test('early data that the server does not take goes after the handshake', async () => {
    const port = await serve(await issue());
    const [file, data] = [join(folder, 'early-session'), join(folder, 'early')];
    writeFileSync(data, 'hello');
    await connect(port, '--session', file);
    const { code, text } = await connect(port, '--session', file, '--early-data', data);
    expect([code, text]).toEqual([
      0,
      expect.stringMatching(/early data +not taken: it was sent after the handshake/),
    ]);
  });

  test.each([
    [['--session', 'a', '--session-in', 'b'], /give it alone/],
    [['--early-data', 'x'], /goes with a session/],
    [['--early-data', '/none', '--session', '/also-none'], /\/none: cannot read the early data/],
    [['--log-list', '/none'], /\/none: cannot read the list of logs/],
  ])('%j is refused', async (args, message) => {
    const { code, text } = await connect(1, ...args);
    expect([code, text]).toEqual([2, expect.stringMatching(message)]);
  });

  test('a list of logs that is none is refused', async () => {
    const file = join(folder, 'logs.json');
    writeFileSync(file, '{"operators": 5}');
    const { code, text } = await connect(1, '--log-list', file);
    expect([code, text]).toEqual([
      2,
      expect.stringMatching(/logs\.json: not a log list: operators is not an array/),
    ]);
  });
});

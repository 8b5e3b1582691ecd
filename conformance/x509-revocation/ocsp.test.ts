import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Certificate,
  CertificateError,
  certificateToPem,
  createCertificateAuthority,
  encodeOcspRequest,
  fetchingChecker,
  HARD_FAIL,
  ManagedAuthority,
  MemoryCertificateDatabase,
  type OcspFinding,
  OcspStapler,
  type OcspVerification,
  ocspCertificateId,
  parseCertificates,
  parseOcspRequest,
  parseOcspResponse,
  privateKeyToPem,
  SOFT_FAIL,
  verifyOcspResponse,
} from '@testudo/x509';
import { httpFetcher, ocspHandler } from '@testudo/x509/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EC_KEY, opensslCa } from '../support/openssl-ca.ts';
import { requireProgram, withPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';

const provider = nodeCrypto;
const DAY = 86_400_000;
const run = promisify(execFile);

const suite = withPrograms('openssl');
suite('OCSP responses by openssl', () => {
  const scratch = useScratch('ocsp');
  const certificate = (name: string): Certificate => parseCertificates(scratch.text(`${name}.pem`))[0]!;

  const ca = opensslCa(scratch);
  function issue(name: string, by: string, extensions: string): void {
    ca.request(name);
    ca.sign(name, by, `${extensions}\nauthorityKeyIdentifier=keyid\n`);
  }

  beforeAll(() => {
    for (const name of ['root', 'other'])
      ca.selfSigned(name, EC_KEY, '-addext', 'keyUsage=keyCertSign,cRLSign,digitalSignature');
    for (const name of ['good', 'bad', 'stranger']) issue(name, 'root', 'subjectAltName=DNS:example.com');
    issue('responder', 'root', 'extendedKeyUsage=OCSPSigning\nnoCheck=ignored');
    issue('responder-checked', 'root', 'extendedKeyUsage=OCSPSigning');
    issue('not-responder', 'root', 'extendedKeyUsage=serverAuth');
    issue('foreign-responder', 'other', 'extendedKeyUsage=OCSPSigning\nnoCheck=ignored');
    issue('wrong-usage', 'root', 'extendedKeyUsage=OCSPSigning\nkeyUsage=keyEncipherment\nnoCheck=ignored');
    const serial = (name: string): string =>
      scratch.run('openssl', 'x509', '-in', `${name}.pem`, '-noout', '-serial').trim().replace('serial=', '');
    scratch.write(
      'index.txt',
      `V\t400101000000Z\t\t${serial('good')}\tunknown\t/CN=good\n` +
        `R\t400101000000Z\t260101000000Z,keyCompromise\t${serial('bad')}\tunknown\t/CN=bad\n`,
    );
  });

  interface Question {
    readonly name: string;
    readonly by: string;
    readonly request: string[];
    readonly response: string[];
  }

  /** What openssl answers, as responder for the database, to openssl's or our question. */
  function ask({ name = 'good', by = 'root', request = [], response = [] }: Partial<Question>): Uint8Array {
    scratch.run(
      'openssl',
      ...[
        'ocsp',
        '-issuer',
        'root.pem',
        '-cert',
        `${name}.pem`,
        '-reqout',
        'request.der',
        '-no_nonce',
        ...request,
      ],
    );
    return answer(by, response);
  }

  function answer(by = 'root', response: string[] = []): Uint8Array {
    scratch.run(
      'openssl',
      ...['ocsp', '-index', 'index.txt', '-CA', 'root.pem', '-rsigner', `${by}.pem`, '-rkey', `${by}.key`],
      ...['-reqin', 'request.der', '-respout', 'response.der', '-ndays', '3', ...response],
    );
    return scratch.bytes('response.der');
  }

  function verify(
    response: Uint8Array,
    options: Partial<OcspVerification> & { name?: string } = {},
  ): OcspFinding {
    const { name = 'good', ...rest } = options;
    return verifyOcspResponse({
      ...{ provider, response, certificate: certificate(name), issuer: certificate('root') },
      at: new Date(),
      ...rest,
    });
  }

  test.each(['root', 'responder', 'responder-checked'])(
    'tell good from revoked from unknown, signed by %s',
    (by) => {
      expect(verify(ask({ by })).status).toBe('good');
      expect(verify(ask({ by, name: 'bad' }), { name: 'bad' })).toMatchObject({
        status: 'revoked',
        reason: 'keyCompromise',
        since: new Date('2026-01-01T00:00:00Z'),
      });
      const stranger = verify(ask({ by, name: 'stranger' }), { name: 'stranger' });
      expect(stranger).toMatchObject({ status: 'unknown', reason: expect.stringContaining('does not know') });
    },
  );

  test.each(['-sha256', '-sha384', '-sha512', '-sha1'])('count with names hashed by %s', (hash) => {
    scratch.run(
      'openssl',
      'ocsp',
      hash,
      '-issuer',
      'root.pem',
      '-cert',
      'good.pem',
      '-reqout',
      'request.der',
      '-no_nonce',
    );
    expect(verify(answer()).status).toBe('good');
  });

  test.each<[string, string[]]>([
    ['by key', ['-resp_key_id']],
    ['without certificates', ['-resp_no_certs']],
  ])('count when the issuer itself answers %s', (_, response) => {
    expect(verify(ask({ response })).status).toBe('good');
  });

  test('about several certificates serve each of them', () => {
    scratch.run(
      'openssl',
      ...['ocsp', '-issuer', 'root.pem', '-cert', 'bad.pem', '-cert', 'stranger.pem', '-cert', 'good.pem'],
      ...['-reqout', 'request.der', '-no_nonce'],
    );
    expect(parseOcspRequest(scratch.bytes('request.der')).certificateIds).toHaveLength(3);
    const response = answer('responder');
    expect(['good', 'bad', 'stranger'].map((name) => verify(response, { name }).status)).toEqual([
      'good',
      'revoked',
      'unknown',
    ]);
  });

  test('answer questions of ours, and repeat the nonce', () => {
    const nonce = provider.randomBytes(32);
    const id = ocspCertificateId(provider, certificate('good').serialNumber, certificate('root'), 'sha256');
    scratch.write('request.der', encodeOcspRequest({ certificateIds: [id], nonce }));
    const shown = scratch.run('openssl', 'ocsp', '-reqin', 'request.der', '-req_text', '-noverify');
    expect(shown).toContain('OCSP Nonce');
    const response = answer();
    expect(verify(response, { nonce, requiresNonce: true }).status).toBe('good');
    expect(verify(response, { nonce: provider.randomBytes(32) }).status).toBe('unknown');
    const without = ask({});
    expect(verify(without, { nonce }).status).toBe('good');
    expect(verify(without, { nonce, requiresNonce: true }).status).toBe('unknown');
  });

  test.each<[string, () => OcspFinding]>([
    ['by a server', () => verify(ask({ by: 'not-responder' }))],
    ['by a responder of another CA', () => verify(ask({ by: 'foreign-responder' }))],
    ['by another CA', () => verify(ask({ by: 'other' }))],
    ['by a key that is not for signatures', () => verify(ask({ by: 'wrong-usage' }))],
    [
      'by a responder whose certificate is missing',
      () => verify(ask({ by: 'responder', response: ['-resp_no_certs'] })),
    ],
    ['signed with SHA-1', () => verify(ask({ response: ['-rmd', 'sha1'] }))],
    ['about another certificate', () => verify(ask({ name: 'bad' }))],
    ['that are over', () => verify(ask({}), { at: new Date(Date.now() + 4 * DAY) })],
    ['from the future', () => verify(ask({}), { at: new Date(Date.now() - DAY) })],
    [
      'by an expired responder',
      () =>
        verify(ask({ by: 'responder', response: ['-ndays', '40'] }), { at: new Date(Date.now() + 30 * DAY) }),
    ],
    [
      'by a responder that would need a check, where the policy says so',
      () => verify(ask({ by: 'responder-checked' }), { policy: HARD_FAIL }),
    ],
    ['that are errors', () => verify(Uint8Array.of(0x30, 3, 0x0a, 1, 3))],
    ['that are none', () => verify(new Uint8Array(100))],
  ])('%s say nothing', (_, finding) => {
    expect(finding().status).toBe('unknown');
  });

  test('within the clock skew are current', () => {
    const response = ask({});
    expect(verify(response, { at: new Date(Date.now() - 120_000) }).status).toBe('good');
    expect(verify(response, { at: new Date(Date.now() + 3 * DAY + 120_000) }).status).toBe('good');
    expect(verify(response, { at: new Date(Date.now() + 3 * DAY + 400_000) }).status).toBe('unknown');
  });

  test('without a next update count for a day', () => {
    scratch.run(
      'openssl',
      'ocsp',
      '-issuer',
      'root.pem',
      '-cert',
      'good.pem',
      '-reqout',
      'request.der',
      '-no_nonce',
    );
    scratch.run(
      'openssl',
      ...['ocsp', '-index', 'index.txt', '-CA', 'root.pem', '-rsigner', 'root.pem', '-rkey', 'root.key'],
      ...['-reqin', 'request.der', '-respout', 'response.der'],
    );
    const response = scratch.bytes('response.der');
    expect(parseOcspResponse(response).basic?.responses[0]?.nextUpdate).toBeUndefined();
    expect(verify(response).status).toBe('good');
    expect(verify(response, { at: new Date(Date.now() + 2 * DAY) }).status).toBe('unknown');
  });

  test('that are changed anywhere never say that a revoked certificate is good', () => {
    const bytes = ask({ by: 'responder', name: 'bad' });
    for (let at = 0; at < bytes.length; at++)
      for (const bit of [1, 0x80]) {
        const changed = bytes.slice();
        changed[at]! ^= bit;
        expect(['unknown', 'revoked']).toContain(verify(changed, { name: 'bad' }).status);
      }
  });
});

suite('OCSP responses of ours', () => {
  const scratch = useScratch('ocsp-ours');
  const managed = new ManagedAuthority(
    createCertificateAuthority({ provider, commonName: 'Our CA' }),
    new MemoryCertificateDatabase(),
  );
  let server: Server;
  let url: string;

  beforeAll(async () => {
    const signer = await managed.ocspSigner();
    server = createServer(ocspHandler({ answer: (request) => managed.ocsp(request, { signer }) }));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    scratch.write('root.pem', certificateToPem(managed.authority.certificate));
    for (const name of ['good', 'bad']) {
      const { certificate } = await managed.issue({ names: [`${name}.example.com`], purpose: 'server' });
      scratch.write(`${name}.pem`, certificateToPem(certificate));
      if (name === 'bad') await managed.revoke(certificate.serialNumber, { reason: 'superseded' });
    }
    const stranger = managed.authority.issue({ names: ['stranger.example.com'], purpose: 'server' });
    scratch.write('stranger.pem', certificateToPem(stranger.certificate));
    const elsewhere = createCertificateAuthority({ provider, commonName: 'Other CA' });
    scratch.write('other.pem', certificateToPem(elsewhere.certificate));
    scratch.write('other.key', privateKeyToPem(elsewhere.privateKey));
  });
  afterAll(() => server.close());
  const ask = async (...args: string[]): Promise<string> => {
    const options = ['ocsp', '-url', url, '-CAfile', 'root.pem', '-timeout', '10', ...args];
    const { stdout, stderr } = await run(requireProgram('openssl'), options, { cwd: scratch.path('.') });
    return `${stdout}${stderr}`;
  };

  test.each(['-sha1', '-sha256'])('satisfy openssl, with nonce and %s', async (hash) => {
    const said = await ask(
      hash,
      '-issuer',
      'root.pem',
      '-cert',
      'good.pem',
      '-cert',
      'bad.pem',
      '-cert',
      'stranger.pem',
    );
    expect(said).toContain('Response verify OK');
    expect(said).not.toMatch(/no nonce/i);
    expect(said).toMatch(/good\.pem: good/);
    expect(said).toMatch(/bad\.pem: revoked[\s\S]*Reason: superseded/);
    expect(said).toMatch(/stranger\.pem: unknown/);
  });

  test('to questions about another CA are errors', async () => {
    await expect(ask('-issuer', 'other.pem', '-cert', 'good.pem')).rejects.toMatchObject({
      stdout: expect.stringContaining('unauthorized'),
    });
  });

  test('are given to a signed question, too', async () => {
    const said = await ask(
      '-issuer',
      'root.pem',
      '-cert',
      'good.pem',
      '-signer',
      'other.pem',
      '-signkey',
      'other.key',
    );
    expect(said).toMatch(/good\.pem: good/);
  });

  test('come by GET and may be kept; what cannot be read gets an error', async () => {
    const [certificate] = parseCertificates(scratch.text('good.pem')) as [Certificate];
    const id = ocspCertificateId(provider, certificate.serialNumber, managed.authority.certificate);
    const body = encodeOcspRequest({ certificateIds: [id] });
    const got = await fetch(url + encodeURIComponent(Buffer.from(body).toString('base64')));
    expect(got.headers.get('content-type')).toBe('application/ocsp-response');
    expect(got.headers.get('cache-control')).toMatch(/max-age=\d+/);
    expect(parseOcspResponse(new Uint8Array(await got.arrayBuffer())).status).toBe('successful');
    const bad = await fetch(`${url}%00garbage`);
    expect(parseOcspResponse(new Uint8Array(await bad.arrayBuffer())).status).toBe('malformedRequest');
    const post = (type: string, bytes: Uint8Array): Promise<Response> =>
      fetch(url, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(bytes) });
    expect((await post('text/plain', body)).status).toBe(415);
    expect((await post('application/ocsp-request', new Uint8Array(40_000))).status).toBe(413);
    const garbage = await post('application/ocsp-request', new Uint8Array(40));
    expect(parseOcspResponse(new Uint8Array(await garbage.arrayBuffer())).status).toBe('malformedRequest');
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(405);
  });

  test('are fetched and believed by ours', async () => {
    const at = new Date();
    const published = new ManagedAuthority(
      managed.authority.withPublication({ ocsp: [url] }),
      managed.database,
    );
    const { certificate } = await published.issue({ names: ['new.example.com'], purpose: 'server' });
    const path = [certificate, managed.authority.certificate];
    const request = { certificate, issuer: path[1]!, at, path, index: 0 };
    for (const nonce of [false, true]) {
      const checker = fetchingChecker({ provider, fetch: httpFetcher(), policy: HARD_FAIL, nonce });
      expect((await checker.check(request)).status).toBe('good');
    }
    await published.revoke(certificate.serialNumber, { reason: 'keyCompromise' });
    const checker = fetchingChecker({ provider, fetch: httpFetcher(), policy: HARD_FAIL });
    expect(await checker.check(request)).toMatchObject({ status: 'revoked', reason: 'keyCompromise' });
    const refused = fetchingChecker({
      provider,
      fetch: httpFetcher({ allows: () => false }),
      policy: SOFT_FAIL,
    });
    expect(await refused.check(request)).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('are not allowed'),
    });
  });

  test('are stapled', async () => {
    const published = new ManagedAuthority(
      managed.authority.withPublication({ ocsp: [url] }),
      managed.database,
    );
    const { certificate } = await published.issue({ names: ['stapled.example.com'], purpose: 'server' });
    const issuer = managed.authority.certificate;
    const clock = { now: () => Date.now(), schedule: () => () => undefined };
    const stapler = new OcspStapler({ provider, certificate, issuer, fetch: httpFetcher(), clock });
    await stapler.start();
    stapler.stop();
    const response = stapler.response!;
    scratch.write('stapled.pem', certificateToPem(certificate));
    scratch.write('stapled.der', response);
    const said = scratch.attempt(
      'openssl',
      ...[
        'ocsp',
        '-respin',
        'stapled.der',
        '-issuer',
        'root.pem',
        '-cert',
        'stapled.pem',
        '-CAfile',
        'root.pem',
      ],
    ).said;
    expect(said).toMatch(/Response verify OK/);
    expect(said).toMatch(/stapled\.pem: good/);
  });
});

const gnutls = withPrograms('ocsptool');
gnutls('OCSP and GnuTLS', () => {
  const scratch = useScratch('ocsp-gnutls');

  test('its questions are read, and it believes our answers', async () => {
    const managed = new ManagedAuthority(
      createCertificateAuthority({ provider, commonName: 'Our CA' }),
      new MemoryCertificateDatabase(),
    );
    const { certificate } = await managed.issue({ names: ['example.com'], purpose: 'server' });
    scratch.write('root.pem', certificateToPem(managed.authority.certificate));
    scratch.write('leaf.pem', certificateToPem(certificate));
    scratch.run(
      'ocsptool',
      '--generate-request',
      '--load-issuer',
      'root.pem',
      '--load-cert',
      'leaf.pem',
      '--outfile',
      'request.der',
    );
    for (const status of ['good', 'revoked']) {
      if (status === 'revoked') await managed.revoke(certificate.serialNumber);
      const signer = status === 'good' ? await managed.ocspSigner() : undefined;
      scratch.write('response.der', await managed.ocsp(scratch.bytes('request.der'), signer && { signer }));
      expect(scratch.run('ocsptool', '--response-info', '--infile', 'response.der')).toContain(
        `Certificate Status: ${status}`,
      );
      const { said } = scratch.attempt(
        'ocsptool',
        '--verify-response',
        '--load-trust',
        'root.pem',
        '--infile',
        'response.der',
      );
      expect(said).toMatch(/Verifying OCSP Response: Success/);
    }
  });
});

describe('the answers of a responder', () => {
  const managed = new ManagedAuthority(
    createCertificateAuthority({ provider, commonName: 'Our CA' }),
    new MemoryCertificateDatabase(),
  );

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['something else', managed.authority.certificate.der],
    ['too much', new Uint8Array(20_000)],
  ])('to %s are malformedRequest', async (_, request) => {
    expect(parseOcspResponse(await managed.ocsp(request)).status).toBe('malformedRequest');
  });

  test('to a question about too many certificates too', async () => {
    const id = ocspCertificateId(provider, Uint8Array.of(1), managed.authority.certificate);
    const request = encodeOcspRequest({ certificateIds: new Array(65).fill(id) });
    expect(parseOcspResponse(await managed.ocsp(request)).status).toBe('malformedRequest');
    expect(() => encodeOcspRequest({ certificateIds: [] })).toThrow(RangeError);
    expect(() => parseOcspRequest(request)).toThrow(CertificateError);
  });
});

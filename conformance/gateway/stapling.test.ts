import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { promisify } from 'node:util';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  certificateToPem,
  createCertificateAuthority,
  ManagedAuthority,
  MemoryCertificateDatabase,
  parseOcspResponse,
  privateKeyToPem,
} from '@testudo/x509';
import { ocspHandler } from '@testudo/x509/node';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { folderWith, removeFolders, stopAll, TestClock } from '#app/testing';
import { type AcmeGateway, startAcmeGateway, stopGateways } from '../acme/support/gateway.ts';
import { cleanUp, cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { freePort, Program } from '../interop/support/program.ts';
import { requireProgram, testWithPrograms } from '../support/programs.ts';

cleanUpAfterTests();
afterEach(() => {
  stopAll();
  stopGateways();
});
afterAll(removeFolders);

const HOUR = 3_600_000;

/** A CA with a responder, and a certificate of it in `cert.pem` and `key.pem`. */
async function setUp(options: { port?: number; mustStaple?: boolean; chain?: boolean } = {}) {
  const clock = new TestClock();
  const server = createServer();
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(() => stopServer(server));
  const { port } = server.address() as AddressInfo;
  const root = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Root' });
  const managed = new ManagedAuthority(
    root.withPublication({ ocsp: [`http://127.0.0.1:${port}/`] }),
    new MemoryCertificateDatabase(),
  );
  const signer = await managed.ocspSigner();
  let requests = 0;
  const answer = (request: Uint8Array): Promise<Uint8Array> => {
    requests++;
    return managed.ocsp(request, { signer, at: new Date(clock.now()) });
  };
  server.on('request', ocspHandler({ answer }));
  const issued = await managed.issue({
    names: ['one.test'],
    purpose: 'server',
    mustStaple: options.mustStaple,
  });
  const chain = [issued.certificate, ...(options.chain === false ? [] : [root.certificate])];
  const folder = folderWith({
    'root.pem': certificateToPem(root.certificate),
    'cert.pem': certificateToPem(...chain),
    'key.pem': privateKeyToPem(issued.privateKey!),
  });
  return {
    clock,
    server,
    port,
    managed,
    folder,
    requests: () => requests,
    certificate: issued.certificate,
    start: (more = '') =>
      startAcmeGateway(
        `listeners: [{ listen: "127.0.0.1:0", certificate: cert.pem, key: key.pem, echo: true${more} }]`,
        { data: folder, surroundings: { clock } },
      ),
  };
}

async function stopServer(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

/** What Node's TLS gets stapled; the status of the first certificate in it. */
async function stapled({ ports }: AcmeGateway): Promise<string | undefined> {
  const socket = connect({
    port: ports[0]!,
    host: '127.0.0.1',
    servername: 'one.test',
    rejectUnauthorized: false,
    requestOCSP: true,
  } as ConnectionOptions);
  const [response] = (await once(socket, 'OCSPResponse')) as [Buffer | null];
  socket.destroy();
  if (response === null) return undefined;
  return parseOcspResponse(new Uint8Array(response)).basic?.responses[0]?.certificateStatus.status;
}

describe('the gateway', () => {
  test('staples what the responder says, asks once for all listeners, and keeps it', async () => {
    const { start, requests, folder } = await setUp();
    const started = await start();
    await started.logged('an OCSP response is stapled');
    expect(await stapled(started)).toBe('good');
    expect(await stapled(started)).toBe('good');
    expect(requests()).toBe(1);
    expect(readdirSync(join(folder, 'ocsp'))).toHaveLength(1);
  });

  testWithPrograms('openssl')('staples so that s_client is satisfied', async () => {
    const { start, folder } = await setUp({ mustStaple: true });
    const started = await start();
    await started.logged('an OCSP response is stapled');
    for (const version of ['-tls1_3', '-tls1_2']) {
      const running = promisify(execFile)(requireProgram('openssl'), [
        ...['s_client', '-connect', `127.0.0.1:${started.ports[0]}`, '-servername', 'one.test', version],
        ...['-status', '-CAfile', join(folder, 'root.pem'), '-verify_return_error'],
      ]);
      running.child.stdin!.end();
      const { stdout } = await running;
      expect(stdout).toContain('OCSP Response Status: successful');
      expect(stdout).toContain('Cert Status: good');
      expect(stdout).toContain('Verify return code: 0 (ok)');
    }
  });

  testWithPrograms('openssl')('takes the answers of openssl ocsp', async () => {
    const port = await freePort();
    const { server, managed, certificate, folder, start } = await setUp({ port });
    await stopServer(server);
    const serial = Buffer.from(certificate.serialNumber).toString('hex').toUpperCase();
    writeFileSync(join(folder, 'index.txt'), `V\t491231235959Z\t\t${serial}\tunknown\t/CN=one.test\n`);
    writeFileSync(join(folder, 'root-key.pem'), privateKeyToPem(managed.authority.privateKey));
    const responder = new Program('openssl', [
      ...['ocsp', '-port', String(port), '-index', join(folder, 'index.txt'), '-ndays', '1'],
      ...['-CA', join(folder, 'root.pem'), '-rsigner', join(folder, 'root.pem')],
      ...['-rkey', join(folder, 'root-key.pem')],
    ]);
    await responder.expect(/waiting for OCSP client connections/i);
    const started = await start();
    await started.logged('an OCSP response is stapled');
    expect(await stapled(started)).toBe('good');
  });

  test('keeps the last good answer when the responder is down, while it is current', async () => {
    const { start, server, clock, port, managed } = await setUp();
    const started = await start();
    const line = await started.logged('an OCSP response is stapled');
    const left = Date.parse(String(line['until'])) - clock.now();
    await stopServer(server);
    clock.advance(left / 2 + HOUR / 60);
    expect(await started.logged('the last one is stapled')).toMatchObject({ level: 30 });
    expect(await stapled(started)).toBe('good');
    clock.advance(left / 2);
    expect(await stapled(started)).toBeUndefined();
    await started.logged('nothing is stapled');
    // It comes back.
    const signer = await managed.ocspSigner();
    const again = createServer(
      ocspHandler({ answer: (request) => managed.ocsp(request, { signer, at: new Date(clock.now()) }) }),
    ).listen(port, '127.0.0.1');
    await once(again, 'listening');
    cleanUp(() => stopServer(again));
    clock.advance(2 * HOUR);
    await started.logged('an OCSP response is stapled', 2);
    expect(await stapled(started)).toBe('good');
  });

  test('staples at once after a restart, with the responder down; damaged files do no harm', async () => {
    const { start, server, folder } = await setUp();
    const first = await start();
    await first.logged('an OCSP response is stapled');
    first.gateway.destroy();
    await stopServer(server);
    const second = await start();
    expect(await stapled(second)).toBe('good');
    second.gateway.destroy();
    const [file] = readdirSync(join(folder, 'ocsp'));
    for (const content of ['', 'no DER', '\u0030\u0082']) {
      writeFileSync(join(folder, 'ocsp', file!), content);
      const third = await start();
      expect(await stapled(third)).toBeUndefined();
      third.gateway.destroy();
    }
  });

  test('staples nothing to a certificate that is revoked, and says so', async () => {
    const { start, managed, certificate, clock } = await setUp();
    const started = await start();
    const line = await started.logged('an OCSP response is stapled');
    await managed.revoke(certificate.serialNumber, { reason: 'superseded' });
    clock.advance((Date.parse(String(line['until'])) - clock.now()) / 2 + HOUR);
    expect(await started.logged('this certificate is revoked: replace it')).toMatchObject({
      level: 50,
      reason: 'superseded',
    });
    expect(await stapled(started)).toBeUndefined();
  });

  test('asks nobody where stapling is off', async () => {
    const { start, requests } = await setUp();
    const started = await start(', stapling: off');
    expect(await stapled(started)).toBeUndefined();
    expect(requests()).toBe(0);
  });

  test('needs the issuer\u2019s certificate, and says what to do without', async () => {
    const { start, requests } = await setUp({ chain: false });
    const started = await start();
    // The other line is about the key, which everybody can read here.
    expect(started.lines().filter(({ listener }) => listener === undefined)).toMatchObject([
      {
        level: 40,
        msg: 'nothing is stapled: put the issuer\u2019s certificate after this one in the same file',
      },
    ]);
    expect(requests()).toBe(0);
  });
});

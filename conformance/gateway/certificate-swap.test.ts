import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, expect, test } from 'vitest';
import { connectTls, readAll, removeFolders, stopAll } from '#app/testing';
import { cleanUp, cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { freePort } from '../interop/support/program.ts';
import { requireProgram, withPrograms } from '../support/programs.ts';
import { GatewayProcess } from './gateway-process.ts';

cleanUpAfterTests();
afterEach(stopAll);
afterAll(removeFolders);

const run = promisify(execFile);

// What an operator does: new files in the place of the old ones, and a signal to the process.
withPrograms('openssl', 'curl')('a certificate is renewed by hand, with SIGHUP', () => {
  /** A process that serves `cert.pem` and `key.pem` of its folder, and what is behind it. */
  async function started(service: string) {
    const gateway = new GatewayProcess();
    const port = await freePort();
    const at = (name: string): string => join(gateway.folder, name);
    const openssl = async (...args: string[]): Promise<string> =>
      (await run(requireProgram('openssl'), args, { cwd: gateway.folder })).stdout;

    /** A pair `NAME.pem`, `NAME.key` from OpenSSL. */
    const make = (name: string, ...more: string[]): Promise<string> =>
      openssl(
        ...['req', '-x509', '-nodes', '-days', '30', '-keyout', `${name}.key`, '-out', `${name}.pem`],
        ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost'],
        ...(more.length === 0 ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : more),
      );
    const put = (certificate: string, key: string = certificate): void => {
      renameSync(at(`${certificate}.pem`), at('cert.pem'));
      renameSync(at(`${key}.key`), at('key.pem'));
    };

    /** The subject that `openssl s_client` is shown. */
    const shown = async (): Promise<string> => {
      const pending = run(requireProgram('openssl'), [
        ...['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-verify_quiet'],
      ]);
      pending.child.stdin!.end();
      const { stdout } = await pending;
      return /^subject=CN ?= ?(\S+)$/m.exec(stdout)?.[1] ?? stdout;
    };
    await make('one');
    put('one');
    gateway.write(`name: web, listen: "127.0.0.1:${port}", certificate: cert.pem, key: key.pem, ${service}`);
    await gateway.start();
    return { gateway, port, at, make, put, shown };
  }

  async function echoes(socket: TLSSocket): Promise<boolean> {
    socket.write('ping');
    const [data] = await once(socket, 'data');
    return String(data) === 'ping';
  }

  test('new clients see the new one, open connections live on, and a mistake changes nothing', async () => {
    const { gateway, port, make, put, shown, at } = await started('echo: true');
    expect(await shown()).toBe('one');
    const open = [await connectTls(port, { rejectUnauthorized: false })];

    await make('two');
    put('two');
    // Nobody has said so yet.
    expect(await shown()).toBe('one');
    expect(await gateway.reload()).toContain('is now used');
    expect(await shown()).toBe('two');
    open.push(await connectTls(port, { rejectUnauthorized: false }));

    // The certificate is there, and its key not yet.
    await make('three');
    renameSync(at('three.pem'), at('cert.pem'));
    expect(await gateway.reload()).toContain('this key does not belong to the certificate');
    expect(await shown()).toBe('two');
    writeFileSync(at('cert.pem'), '');
    expect(await gateway.reload()).toContain('not reloaded: nothing changes');
    expect(await shown()).toBe('two');

    // Another kind of key.
    await make('four', '-newkey', 'rsa:2048');
    put('four');
    await gateway.reload();
    expect(await shown()).toBe('four');
    for (const socket of open) expect(await echoes(socket)).toBe(true);
    const subjects = open.map((socket) => socket.getPeerCertificate().subject.CN);
    expect(subjects).toEqual(['one', 'two']);
  });

  test('an answer that is under way arrives whole, and curl trusts the new one', async () => {
    let answer = (): void => undefined;
    const behind = createServer((request, response) => {
      response.write('first ');
      answer = () => response.end('last');
      if (request.url === '/now') answer();
    });
    await new Promise<void>((resolve) => behind.listen(0, '127.0.0.1', resolve));
    cleanUp(() => {
      behind.close();
      behind.closeAllConnections();
    });
    const { port: upstream } = behind.address() as AddressInfo;
    const { gateway, port, make, put, at } = await started(`proxy: "http://127.0.0.1:${upstream}"`);
    const old = await connectTls(port, { rejectUnauthorized: false });
    old.write('GET /late HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await once(old, 'readable');

    await make('two');
    const trusted = at('trusted.pem');
    await run('cp', [at('two.pem'), trusted]);
    put('two');
    await gateway.reload();
    const url = `https://localhost:${port}/now`;
    const finish = answer;
    const { stdout } = await run(requireProgram('curl'), [
      '--silent',
      '--show-error',
      '--cacert',
      trusted,
      url,
    ]);
    expect(stdout).toBe('first last');
    finish();
    expect(await readAll(old)).toMatch(/first (.|\r\n)*last/);
  });

  test('no client is turned away while it happens', async () => {
    const { gateway, port, make, put } = await started('echo: true');
    let isOver = false;
    const seen = new Set<unknown>();
    const visiting = (async () => {
      while (!isOver) {
        const socket = await connectTls(port, { rejectUnauthorized: false });
        seen.add(socket.getPeerCertificate().subject.CN);
        expect(await echoes(socket)).toBe(true);
        socket.destroy();
      }
    })();
    for (const name of ['two', 'three', 'four']) {
      await make(name);
      put(name);
      await gateway.reload();
      await expect.poll(() => seen.has(name)).toBe(true);
    }
    isOver = true;
    await visiting;
    expect([...seen]).toEqual(['one', 'two', 'three', 'four']);
  });
});

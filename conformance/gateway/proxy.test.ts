import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderWith, removeFolders, startGateway, stopAll, type TestGateway } from '#app/testing';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { Program, startOnFreePort } from '../interop/support/program.ts';
import { requireProgram, withPrograms } from '../support/programs.ts';

// curl, the gateway, nginx.

cleanUpAfterTests();

withPrograms('nginx', 'curl')('the proxy between curl and nginx', () => {
  let folder: string;
  let site: TestGateway;
  const big = Buffer.alloc(3_000_000, 'testudo ');

  beforeAll(async () => {
    folder = folderWith({ 'index.html': 'hello', 'ca.pem': '' });
    for (const name of ['dav', 'temp']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'big.bin'), big);
    const { port } = await startOnFreePort((free) => startNginx(folder, free), /start worker process/);
    site = await startGateway([`certificate: local\nproxy: http://127.0.0.1:${port}`]);
    writeFileSync(join(folder, 'ca.pem'), site.ca);
  });
  afterAll(() => {
    stopAll();
    removeFolders();
  });

  async function curl(path: string, ...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(
      requireProgram('curl'),
      ['-sS', '--cacert', join(folder, 'ca.pem'), ...args, `https://localhost:${site.port}${path}`],
      { encoding: 'latin1', maxBuffer: 10_000_000 },
    );
    return stdout;
  }

  test('fields with bytes above 127, both ways', async () => {
    const text = await curl('/fields', '-i', '-H', 'X-High: na\u00efve');
    const [head, body] = text.split('\r\n\r\n');
    // nginx writes what stands in its configuration, which is UTF-8; curl what it is given, which is so, too.
    expect(head).toContain(`X-Answer: ${Buffer.from('caf\u00e9').toString('latin1')}`);
    expect(body).toBe(`${Buffer.from('na\u00efve').toString('latin1')}|/fields|localhost\n`);
  });

  test('a large file, and a part of it', async () => {
    expect(await curl('/big.bin')).toBe(big.toString('latin1'));
    expect(await curl('/big.bin', '-r', '3-9')).toBe(big.subarray(3, 10).toString('latin1'));
    expect(await curl('/big.bin', '-I')).toContain('Content-Length: 3000000\r\n');
  });

  test.each([
    ['with a length', []],
    ['in chunks', ['-H', 'Transfer-Encoding: chunked']],
    ['after a 100', ['-H', 'Expect: 100-continue']],
    ['in chunks after a 100', ['-H', 'Transfer-Encoding: chunked', '-H', 'Expect: 100-continue']],
    ['without waiting', ['-H', 'Expect:']],
  ])('an upload %s', async (_, args) => {
    const name = createHash('sha256').update(args.join()).digest('hex').slice(0, 8);
    const answer = await curl(`/dav/${name}`, '-i', '-T', join(folder, 'big.bin'), ...args);
    expect(answer).toContain('HTTP/1.1 201 Created\r\n');
    expect(readFileSync(join(folder, 'dav', name)).equals(big)).toBe(true);
  });

  test('an upload that nginx refuses: the answer comes, and no 100 before it', async () => {
    const answer = await curl('/small', '-i', '-T', join(folder, 'big.bin'), '-H', 'Expect: 100-continue');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a wish for HTTP/2 is not heard', async () => {
    const wish = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    expect(await curl('/', ...wish.flatMap((field) => ['-H', field]))).toBe('hello');
    expect(await curl('/', '--http1.0', '--no-alpn')).toBe('hello');
  });
});

function startNginx(folder: string, port: number): Program {
  const file = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, 'temp', name)};`,
  );
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; pid ${join(folder, 'nginx.pid')}; worker_processes 1; error_log stderr notice;
events {}
http {
  access_log off; ${temporary.join(' ')}
  server {
    listen 127.0.0.1:${port}; root ${folder}; client_max_body_size 1m;
    location /fields { add_header X-Answer "caf\u00e9"; default_type text/plain; return 200 "$http_x_high|$request_uri|$host\\n"; }
    location /dav { dav_methods PUT; client_max_body_size 100m; }
    location /small { client_max_body_size 1k; proxy_pass http://127.0.0.1:1; }
  }
}`,
  );
  return new Program('nginx', ['-p', folder, '-c', file], { stopSignal: 'SIGTERM' });
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { nodeCrypto } from '@testudo/crypto/node';
import { type ClientOptions, clientConfig, type Session } from '@testudo/tls';
import { connect } from '@testudo/tls/node';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, type Link } from './support/link.ts';
import { Program, startOnFreePort } from './support/program.ts';

// nginx says in its pages what it thinks of the connection.

cleanUpAfterTests();

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const only = (version: (typeof VERSIONS)[number]) => ({ minVersion: version, maxVersion: version });

let identities: Identities;
let port: number;

withPrograms('nginx')('nginx server', () => {
  beforeAll(async () => {
    identities = new Identities();
    const identity = identities.server('RSA');
    const ecdsa = identities.server('P-384');
    mkdirSync(identities.path('nginx'));
    writeFileSync(identities.path('nginx/big'), 'z'.repeat(1_048_576));
    ({ port } = await startOnFreePort((free) => start(free, [identity, ecdsa]), /start worker process/));
  });

  test.each(VERSIONS)('%s: a page, and what nginx saw', async (version) => {
    const link = connectLink(port, config({ ...only(version), groups: ['secp384r1'] }));
    const info = await link.secure;
    const page = await get(link);
    expect(page).toContain(
      `protocol=${version} cipher=${info.cipherSuite.opensslName} curve=secp384r1 name=localhost reused=. alpn= client=NONE.`,
    );
    expect(info.peerCertificates).toHaveLength(2);
  });

  test.each(VERSIONS)('%s: every suite', async (version) => {
    const suites =
      version === 'TLSv1.3'
        ? ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
        : ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].flatMap((rest) => [
            `ECDHE-RSA-${rest}`,
            `ECDHE-ECDSA-${rest}`,
          ]);
    for (const suite of suites) {
      const link = connectLink(port, config({ cipherSuites: [suite] }));
      expect(await get(link)).toContain(`cipher=${suite} `);
    }
  });

  test('TLSv1.3: HelloRetryRequest', async () => {
    const link = connectLink(port, config({ groups: ['secp521r1', 'secp384r1'] }));
    expect(await link.secure).toMatchObject({ helloRetryRequest: true, group: { name: 'secp384r1' } });
    expect(await get(link)).toContain('curve=secp384r1');
  });

  test('TLSv1.3: KeyUpdate', async () => {
    const link = connectLink(port, config(only('TLSv1.3')));
    await link.secure;
    link.do(() => link.connection.updateKeys());
    expect(await get(link)).toContain('protocol=TLSv1.3');
    expect(link.keys.slice(-2)).toEqual(['sent application 1', 'received application 1']);
  });

  test.each(VERSIONS)('%s: resumption by ticket', async (version) => {
    const first = connectLink(port, config(only(version)));
    await get(first);
    const [session] = first.sessions as [Session];
    const second = connectLink(port, config(only(version)), { session });
    expect(await get(second)).toContain('reused=r');
    expect((await second.secure).resumed).toBe(true);
  });

  test.each(VERSIONS)('%s: client certificate', async (version) => {
    const { credential } = identities.client('Ed25519', 'a client of nginx');
    const link = connectLink(port, config({ ...only(version), credentials: [credential] }));
    expect(await get(link)).toContain('client=SUCCESS.CN=a client of nginx');
    // In TLS 1.2 OpenSSL wants the curve of a client's key to be among its groups.
    const stranger = new Identities('Stranger').client('P-384');
    const refused = connectLink(port, config({ ...only(version), credentials: [stranger.credential] }));
    expect(await get(refused)).toMatch(/400 Bad Request|client=FAILED/);
  });

  test.each(VERSIONS)('%s: ALPN', async (version) => {
    const link = connectLink(port, config({ ...only(version), alpnProtocols: ['x', 'http/1.1'] }));
    expect(await get(link)).toContain('alpn=http/1.1');
    const none = connectLink(port, config({ ...only(version), alpnProtocols: ['x'] }));
    expect(await none.over).toMatchObject({ receivedAlert: 'no_application_protocol' });
  });

  test.each(VERSIONS)('%s: a megabyte', async (version) => {
    const link = connectLink(port, config(only(version)));
    const page = await get(link, '/big');
    expect(page.slice(page.indexOf('\r\n\r\n') + 4) === 'z'.repeat(1_048_576)).toBe(true);
  });

  test.each(VERSIONS)('%s: through the node door', async (version) => {
    const socket = connect({
      ...only(version),
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: readFileSync(identities.ca),
    });
    socket.write('GET / HTTP/1.0\r\n\r\n');
    let page = '';
    for await (const chunk of socket) page += String(chunk);
    expect(page).toContain(`protocol=${version}`);
  });

  test('it refuses a client of another version, group or suite', async () => {
    const group = await connectLink(port, config({ groups: ['secp521r1'] })).over;
    expect(group).toMatchObject({ code: 'alert-received', receivedAlert: 'handshake_failure' });
    const suite = await connectLink(port, config({ cipherSuites: ['TLS_AES_128_CCM_SHA256'] })).over;
    expect(suite).toMatchObject({ receivedAlert: 'handshake_failure' });
  });

  test('we refuse its certificate: unknown CA, another name', async () => {
    const stranger = config({ verifyCertificate: new Identities('Stranger').verifier() });
    expect(await connectLink(port, stranger).over).toMatchObject({ code: 'unknown-ca' });
    expect(await connectLink(port, config(), { host: 'example.org' }).over).toMatchObject({
      code: 'bad-certificate',
    });
  });
});

function config(options: Partial<ClientOptions> = {}) {
  return clientConfig({ provider: nodeCrypto, verifyCertificate: identities.verifier(), ...options });
}

/** A page, and the server's close_notify after it. */
async function get(link: Link, path = '/'): Promise<string> {
  await link.secure;
  link.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect(await link.over).toBeUndefined();
  return link.received;
}

function start(free: number, served: readonly Identity[]): Program {
  const folder = identities.path('nginx');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    identities.path('nginx/nginx.conf'),
    // Root's workers would be nobody's, who may not read the folder.
    `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; master_process on; worker_processes 1; pid ${folder}/pid; error_log stderr notice;
     events { worker_connections 64; }
     http {
       access_log off;
       ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
       server {
         listen 127.0.0.1:${free} ssl;
         ${served.map(({ cert, key }) => `ssl_certificate ${cert}; ssl_certificate_key ${key};`).join('\n')}
         ssl_protocols TLSv1.2 TLSv1.3;
         ssl_ciphers HIGH;
         ssl_ecdh_curve X25519:secp384r1;
         ssl_session_tickets on;
         ssl_verify_client optional; ssl_client_certificate ${identities.ca}; ssl_verify_depth 3;
         location = /big { root ${folder}; }
         location / {
           return 200 "protocol=$ssl_protocol cipher=$ssl_cipher curve=$ssl_curve name=$ssl_server_name reused=$ssl_session_reused alpn=$ssl_alpn_protocol client=$ssl_client_verify.$ssl_client_s_dn\\n";
         }
       }
     }\n`,
  );
  return new Program('nginx', ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr'], {
    stopSignal: 'SIGTERM',
  });
}

import { createHash } from 'node:crypto';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { type ConnectionReport, messageTitle } from '../report/connection-report.ts';
import { removeFolders } from '../testing/folder.ts';
import { connectTls, fetchFrom, keepAliveAgent, startGateway, stopAll } from '../testing/test-gateway.ts';
import { purposeOf } from './explanations.ts';
import { escapeHtml, html } from './html.ts';
import { nextStep } from './next-step.ts';
import { WELCOME_POLICY, welcomePage } from './welcome-page.ts';

afterEach(stopAll);
afterAll(removeFolders);

const REPORT: ConnectionReport = {
  version: 'TLSv1.3',
  cipherSuite: 'TLS_CHACHA20_POLY1305_SHA256',
  group: 'X25519MLKEM768',
  postQuantum: true,
  signatureScheme: 'ed25519',
  clientSignatureScheme: null,
  alpn: 'http/1.1',
  serverName: 'localhost',
  resumed: false,
  helloRetryRequest: false,
  extendedMasterSecret: true,
  ech: 'none',
  serverCertificates: [],
  clientCertificates: [],
  messages: [
    { from: 'client', kind: 'message', name: 'client_hello', size: 1234, time: 0.5, encrypted: false },
    { from: 'server', kind: 'message', name: 'finished', size: 36, time: 2.25, encrypted: true },
  ],
  omittedMessages: 0,
  records: { fromClient: { records: 1, bytes: 1239 }, fromServer: { records: 2, bytes: 100 } },
};

const page = (change: Partial<ConnectionReport> = {}): string =>
  welcomePage({
    report: { ...REPORT, ...change },
    client: 'browser',
    requests: 1,
    age: 5,
    remote: '127.0.0.1',
    next: nextStep(8443, 'npx testudo', 'data'),
  });

/** HandshakeType (RFC 9846 §4, RFC 5246 §7.4, RFC 8879, NPN), as the engine names them. */
const MESSAGES = [
  ...['hello_request', 'client_hello', 'server_hello', 'hello_retry_request', 'new_session_ticket'],
  ...['end_of_early_data', 'encrypted_extensions', 'certificate', 'server_key_exchange'],
  ...['certificate_request', 'server_hello_done', 'certificate_verify', 'client_key_exchange', 'finished'],
  ...['certificate_url', 'certificate_status', 'key_update', 'compressed_certificate', 'next_protocol'],
];

/** What a reader sees, roughly. */
const textOf = (source: string): string =>
  source
    .replace(/<style>.*?<\/style>/s, '')
    .replaceAll('<wbr>', '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

test('values in HTML are escaped, HTML in HTML is not', () => {
  expect(html`<b>${'<i>&"\''}</b>${html`<hr>`}${[html`1`, html`2`]}${false}${undefined}${3}`.text).toBe(
    '<b>&#60;i&#62;&#38;&#34;&#39;</b><hr>123',
  );
  expect(escapeHtml('`')).toBe('&#96;');
});

describe('the page', () => {
  test('says in plain words what was agreed on', () => {
    const text = textOf(page());
    expect(text).toContain('Your browser and this server agreed on TLS 1.3.');
    expect(text).toContain('sealed with ChaCha20-Poly1305');
    expect(text).toContain('withstands a quantum computer');
    expect(textOf(page({ version: 'TLSv1.2', group: 'x25519', postQuantum: false }))).toContain(
      'agreed on TLS 1.2.',
    );
  });

  test('says so when the connection was resumed', () => {
    const text = textOf(page({ resumed: true, signatureScheme: null }));
    expect(text).toContain('from an earlier connection and resumed it, so no certificate had to be sent');
    expect(text).toContain('(PSK)');
  });

  test('says whether the name was to be seen', () => {
    expect(textOf(page())).toContain('sent in the clear (SNI)');
    const hidden = textOf(page({ ech: 'accepted' }));
    expect(hidden).toContain('hidden from all on the way (Encrypted Client Hello)');
    expect(hidden).not.toContain('sent in the clear (SNI)');
  });

  test('explains each message that the engine knows, by its name in the RFCs', () => {
    for (const name of MESSAGES) {
      const message = { from: 'server', kind: 'message', name, size: 1, time: 1, encrypted: true } as const;
      expect(messageTitle(message)).toMatch(/^([A-Z][a-z]+)+(URL)?$/);
      expect([name, purposeOf(message, REPORT)]).toEqual([name, expect.stringMatching(/./)]);
    }
    const compressed = { name: 'compressed_certificate', from: 'server', kind: 'message' } as const;
    const text = textOf(page({ messages: [{ ...compressed, size: 1, time: 1, encrypted: true }] }));
    expect(text).toMatch(/CompressedCertificate .*its certificates, compressed to save bytes/);
  });

  test('says what to do next, with the file and the command', () => {
    const text = textOf(page());
    expect(text).toContain('Put your own service behind this');
    expect(text).toContain('proxy: http://127.0.0.1:3000');
    expect(text).toContain('npx testudo up --config testudo.yaml --data data');
    expect(parseConfig(nextStep(8443).config, 'testudo.yaml').listeners).toMatchObject([
      { listen: { host: '127.0.0.1', port: 8443 }, certificate: 'local' },
    ]);
  });

  test('has each message with its size and time', () => {
    const text = textOf(page());
    expect(text).toMatch(/0\.50 ClientHello .* 1,234 B/);
    expect(text).toMatch(/2\.25 Finished .* 36 B/);
  });

  test('runs nothing and loads nothing, and its policy allows its style only', () => {
    const source = page();
    expect(source).not.toMatch(/<script|\son\w+=|\sstyle=|https?:\/\/(?!www\.w3\.org)/);
    const style = /<style>(.*?)<\/style>/s.exec(source)![1]!;
    expect(WELCOME_POLICY).toContain(
      `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    );
    expect(WELCOME_POLICY).toContain("default-src 'none'");
  });

  test('shows what a peer wrote as text', () => {
    const attack = '<script>alert(1)</script>';
    const certificate = {
      subject: attack,
      issuer: attack,
      selfIssued: false,
      serialNumber: '00',
      notBefore: '',
      notAfter: '',
      key: 'EC P-256',
      signatureAlgorithm: 'x',
      names: [attack],
      isCa: false,
      purposes: [],
      sha256: '00ff',
    };
    const source = page({
      alpn: attack,
      serverName: attack,
      clientCertificates: [certificate],
      serverCertificates: [certificate, certificate],
    });
    expect(source).not.toContain('<script');
    expect(source.split('&#60;script&#62;').length - 1).toBeGreaterThanOrEqual(8);
  });
});

describe('over a connection', () => {
  test('it shows that very connection, each time', async () => {
    const site = await startGateway(['certificate: local\nwelcome: true']);
    const agent = keepAliveAgent();
    const first = JSON.parse((await fetchFrom(site, '/connection.json', { agent })).body);
    const again = JSON.parse((await fetchFrom(site, '/connection.json', { agent })).body);
    expect(first).toMatchObject({
      version: 'TLSv1.3',
      serverName: 'localhost',
      resumed: false,
      requests: 1,
      remote: '127.0.0.1',
    });
    expect(first.messages.map(({ from, name }: { from: string; name: string }) => `${from} ${name}`)).toEqual(
      [
        'client client_hello',
        'server server_hello',
        'server change_cipher_spec',
        'server encrypted_extensions',
        'server certificate',
        'server certificate_verify',
        'server finished',
        'client finished',
        'server new_session_ticket',
        'server new_session_ticket',
      ],
    );
    expect(again).toMatchObject({ requests: 2, messages: first.messages });
    expect(again.records.fromClient.bytes).toBeGreaterThan(first.records.fromClient.bytes);
  });

  test('it agrees with what the client knows', async () => {
    const site = await startGateway(['certificate: local\nwelcome: true\ngroups: [secp384r1]']);
    const socket = await connectTls(site.port, {
      ca: site.ca,
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
      ecdhCurve: 'P-384:P-256',
    });
    const fingerprint = socket.getPeerX509Certificate()!.fingerprint256.replaceAll(':', '').toLowerCase();
    socket.destroy();
    const { body } = await fetchFrom(site, '/connection.json', {
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
      ecdhCurve: 'P-384:P-256',
    });
    const report = JSON.parse(body) as ConnectionReport;
    expect(report).toMatchObject({
      version: 'TLSv1.2',
      cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      group: 'secp384r1',
    });
    expect(report.serverCertificates[0]!.sha256).toBe(fingerprint);
    const clear = report.messages.filter(({ encrypted }) => !encrypted).map(({ name }) => name);
    expect(clear).toContain('certificate');
    expect(clear).not.toContain('finished');
  });

  test('a resumed one says so', async () => {
    const site = await startGateway(['certificate: local\nwelcome: true']);
    const socket = await connectTls(site.port, { ca: site.ca });
    const session = await new Promise<Buffer>((resolve) => socket.once('session', resolve));
    socket.destroy();
    const { body } = await fetchFrom(site, '/', { session });
    expect(textOf(body)).toContain('resumed it, so no certificate had to be sent');
  });

  test('a retry says so', async () => {
    const site = await startGateway(['certificate: local\nwelcome: true\ngroups: [secp384r1]']);
    const { body } = await fetchFrom(site, '/connection.json', { ecdhCurve: 'X25519:P-384' });
    const report = JSON.parse(body) as ConnectionReport;
    expect(report.helloRetryRequest).toBe(true);
    expect(report.messages.slice(0, 5).map(({ name }) => name)).toContain('hello_retry_request');
  });

  test('other paths, methods and clients have their answers, too', async () => {
    const site = await startGateway(['certificate: local\nwelcome: true']);
    expect(await fetchFrom(site, '/none')).toMatchObject({ status: 404 });
    expect(await fetchFrom(site, '/', { method: 'DELETE' })).toMatchObject({ status: 405 });
    expect(await fetchFrom(site, '/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect((await fetchFrom(site, '/favicon.ico')).headers['content-type']).toBe('image/svg+xml');
    expect((await fetchFrom(site, '/connection.txt')).body).toMatch(/^version +TLS 1\.3\n/);
    const answer = await fetchFrom(site, '/', { headers: { 'User-Agent': 'Mozilla/5.0' } });
    expect(answer.body).toContain('Your browser and');
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': WELCOME_POLICY,
    });
    expect((await fetchFrom(site, '/')).body).toContain('Your client and');
  });
});

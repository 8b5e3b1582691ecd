import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AcmeStore, connectTls, folderWith, ourselves, readAll, removeFolders, stopAll } from '#app/testing';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { freePort } from '../interop/support/program.ts';
import { startAcmeGateway, stopGateways } from './support/gateway.ts';
import { Refusal } from './support/jws.ts';
import { StrictCa } from './support/strict-ca.ts';
import { clockFor, filesBelow, HOUR, listener, request, shown, startCa } from './support/strict-setup.ts';

cleanUpAfterTests();
afterEach(() => {
  stopAll();
  stopGateways();
});
afterAll(removeFolders);

describe('a certificate', () => {
  test('comes by tls-alpn-01; before, a temporary one is shown; all that is kept is private', async () => {
    const { ca, tls } = await startCa();
    const started = await startAcmeGateway(`${ca.block(', email: a@b.test')}\n${listener(tls)}`);
    expect((await shown(tls)).issuer).toMatch(/self-signed|strict/);
    await started.logged('certificate issued');
    const socket = await connectTls(tls, { servername: 'one.test', ca: ca.root });
    socket.end('hello');
    expect(await readAll(socket)).toBe('hello');
    expect(ca.contacts).toEqual([['mailto:a@b.test']]);
    const kept = filesBelow(join(started.data, 'acme'));
    expect(kept.map((file) => file.split('/').at(-1)).toSorted()).toEqual([
      'account-key.pem',
      'account.json',
      'one.test.json',
      'one.test.pem',
    ]);
    for (const file of kept) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(started.data, 'acme')).mode & 0o777).toBe(0o700);
    // No secret in the log.
    expect(JSON.stringify(started.lines())).not.toContain('PRIVATE KEY');
  });

  test('comes by http-01; the plain listener redirects everything else', async () => {
    const { ca, tls, http } = await startCa();
    const block = ca.block(`, http: "127.0.0.1:${http}", challenges: [http-01]`);
    const started = await startAcmeGateway(`${block}\n${listener(tls).replace('echo', 'welcome')}`);
    await started.logged('certificate issued');
    expect((await shown(tls)).issuer).toBe('strict');
    expect(await request(http, '/a?b=c')).toEqual({
      status: 308,
      location: `https://one.test:${tls}/a?b=c`,
    });
    expect(await request(http, '/a', 'one.test:80')).toMatchObject({ location: `https://one.test:${tls}/a` });
    expect(await request(http, '/.well-known/acme-challenge/abc')).toMatchObject({ status: 404 });
    expect(await request(http, '/.well-known/acme-challenge/..%2f..')).toMatchObject({ status: 404 });
    expect(await request(http, '/', 'one.test/evil')).toMatchObject({ status: 400 });
  });

  test('is had for several names and several listeners at once, one order each', async () => {
    const { ca, tls } = await startCa();
    const started = await startAcmeGateway(
      `${ca.block()}\nlisteners:\n  - { listen: "127.0.0.1:${tls}", echo: true, certificates: [{ certificate: acme, names: [one.test, two.test] }, { certificate: acme, names: [three.test] }] }\n  - { listen: "127.0.0.1:0", certificate: acme, names: [three.test], echo: true }`,
    );
    await started.logged('certificate issued', 2);
    for (const servername of ['one.test', 'two.test', 'three.test'])
      (await connectTls(tls, { servername, ca: ca.root })).destroy();
    (await connectTls(started.ports[1]!, { servername: 'three.test', ca: ca.root })).destroy();
    expect(ca.log.filter((resource) => resource === 'newOrder')).toHaveLength(2);
    expect(ca.log.filter((resource) => resource === 'newAccount')).toHaveLength(1);
  });

  test('comes to a listener that is strict about names, protocols and versions, and asks for certificates', async () => {
    const { ca, tls } = await startCa();
    const clientCa = join(folderWith({ 'clients.pem': ca.root }), 'clients.pem');
    const strict = `strictSni: true, alpn: [echo], requireAlpn: true, minVersion: 1.3, clientCertificate: optional, clientCa: "${clientCa}"`;
    const started = await startAcmeGateway(
      `${ca.block()}\n${listener(tls).replace('echo: true', `${strict}, echo: true`)}`,
    );
    await started.logged('certificate issued');
    const options = { servername: 'one.test', ca: ca.root };
    const socket = await connectTls(tls, { ...options, ALPNProtocols: ['echo'] });
    expect(socket.alpnProtocol).toBe('echo');
    await expect(connectTls(tls, options)).rejects.toThrow();
  });

  test('comes in spite of refused nonces', async () => {
    const { ca, tls } = await startCa();
    const badNonce = new Refusal(400, 'badNonce', 'again');
    for (const resource of ['newAccount', 'newOrder', 'newOrder', 'finalize'])
      ca.script.push({ resource, answer: badNonce });
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`);
    await started.logged('certificate issued');
    expect(ca.script).toEqual([]);
  });

  test('that the CA is slow with is waited for', async () => {
    const { ca, tls } = await startCa();
    for (let i = 0; i < 3; i++) ca.script.push({ resource: 'order', answer: 'processing' });
    ca.script.push({ resource: 'finalize', answer: 'processing' });
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`, {
      surroundings: clockFor(ca),
    });
    await started.logged('certificate issued');
    expect(ca.script).toEqual([]);
  });
});

describe('after a restart', () => {
  test('the certificate is there, and nothing is ordered', async () => {
    const { ca, tls } = await startCa();
    const yaml = `${ca.block()}\n${listener(tls)}`;
    const first = await startAcmeGateway(yaml);
    await first.logged('certificate issued');
    const before = await shown(tls);
    await first.gateway.drain(1000);
    ca.log.length = 0;
    await startAcmeGateway(yaml, { data: first.data });
    expect(await shown(tls)).toEqual(before);
    expect(ca.log).not.toContain('newOrder');
  });

  test('a certificate that lives for days only is no reason to warn', async () => {
    const { ca, tls } = await startCa();
    ca.days = 5;
    const yaml = `${ca.block()}\n${listener(tls)}`;
    const first = await startAcmeGateway(yaml);
    await first.logged('certificate issued');
    first.gateway.destroy();
    const second = await startAcmeGateway(yaml, { data: first.data });
    await second.gateway.reload();
    expect(second.lines().map(({ msg }) => msg)).toEqual([
      'configuration and certificates reloaded: nothing has changed',
    ]);
  });

  test('an order that was under way is gone on with', async () => {
    const { ca, tls } = await startCa();
    const yaml = `${ca.block()}\n${listener(tls)}`;
    ca.script.push({ resource: 'finalize', answer: 'hang-up' });
    const first = await startAcmeGateway(yaml, { surroundings: clockFor(ca) });
    await first.logged('no certificate yet');
    first.gateway.destroy();
    const surroundings = clockFor(ca);
    const second = await startAcmeGateway(yaml, { data: first.data, surroundings });
    // The pause after a failure outlives a restart.
    expect(second.lines()).toMatchObject([{ msg: expect.stringContaining('ordering a certificate') }]);
    await expect.poll(() => surroundings.clock.next, { timeout: 20_000 }).toBeGreaterThan(0);
    surroundings.clock.advance(2 * 60_000);
    await second.logged('certificate issued');
    expect(ca.log.filter((resource) => resource === 'newOrder')).toHaveLength(1);
    expect(ca.log.filter((resource) => resource === 'newAccount')).toHaveLength(1);
  });

  test('with other names, a certificate that fits one of them is shown meanwhile', async () => {
    const { ca, tls } = await startCa();
    const first = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`);
    await first.logged('certificate issued');
    const before = await shown(tls);
    first.gateway.destroy();
    ca.script.push({ resource: 'newOrder', answer: new Refusal(500, 'serverInternal', 'no') });
    const second = await startAcmeGateway(`${ca.block()}\n${listener(tls, 'one.test, two.test')}`, {
      data: first.data,
    });
    // Another CA file, the same CA.
    await second.logged('no certificate yet');
    expect(await shown(tls)).toEqual(before);
  });

  test('another mail address is told to the CA', async () => {
    const { ca, tls } = await startCa();
    const first = await startAcmeGateway(`${ca.block(', email: a@b.test')}\n${listener(tls)}`);
    await first.logged('certificate issued');
    first.gateway.destroy();
    const second = await startAcmeGateway(`${ca.block(', email: c@d.test')}\n${listener(tls, 'two.test')}`, {
      data: first.data,
    });
    await second.logged('certificate issued');
    expect(ca.contacts).toEqual([['mailto:c@d.test']]);
  });

  test('a CA that has lost the account gets another', async () => {
    const { ca, tls } = await startCa();
    const first = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`);
    await first.logged('certificate issued');
    first.gateway.destroy();
    ca.loseAccounts();
    const second = await startAcmeGateway(`${ca.block()}\n${listener(tls, 'two.test')}`, {
      data: first.data,
    });
    await second.logged('certificate issued');
    expect(ca.log.filter((resource) => resource === 'newAccount')).toHaveLength(2);
  });
});

describe('when it does not work', () => {
  test('a CA that limits is left alone for as long as it says', async () => {
    const { ca, tls } = await startCa();
    const limited = new Refusal(429, 'rateLimited', 'too many certificates', { 'retry-after': '7200' });
    ca.script.push({ resource: 'newOrder', answer: limited });
    const surroundings = clockFor(ca);
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`, { surroundings });
    const line = await started.logged('no certificate yet');
    expect(line).toMatchObject({
      level: 50,
      type: 'rateLimited',
      reason: 'the CA refuses: too many certificates',
    });
    expect(Date.parse(String(line['next'])) - Date.now()).toBeGreaterThan(1.9 * HOUR);
    surroundings.clock.advance(HOUR);
    expect(ca.log.filter((resource) => resource === 'newOrder')).toHaveLength(1);
    expect((await shown(tls)).issuer).toBe('self-signed');
    surroundings.clock.advance(1.1 * HOUR);
    await started.logged('certificate issued');
  });

  test('another process that is at it is waited for, and that is said', async () => {
    // The seconds for which a lock is waited for pass at once.
    vi.useFakeTimers({ toFake: ['Date'] });
    const passing = setInterval(() => vi.setSystemTime(Date.now() + 1000), 10);
    onTestFinished(() => {
      clearInterval(passing);
      vi.useRealTimers();
    });
    const { ca, tls } = await startCa();
    const surroundings = clockFor(ca);
    const data = folderWith();
    const directory = new URL(/directory: "([^"]*)"/.exec(ca.block())![1]!);
    const lock = `${new AcmeStore(data, directory).certificate(['one.test']).file}.lock`;
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, JSON.stringify(ourselves()));
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`, { surroundings, data });
    expect(await started.logged('another process is getting this certificate')).toMatchObject({
      level: 40,
      names: ['one.test'],
      reason: expect.stringContaining(`is in use by process ${process.pid}`),
    });
    clearInterval(passing);
    rmSync(lock);
    surroundings.clock.advance(surroundings.clock.next! + 1);
    await started.logged('certificate issued');
  });

  test('a CA that is not there is asked again, after longer and longer pauses', async () => {
    const { ca, tls } = await startCa();
    const block = ca.block();
    const port = Number(new URL(ca.origin).port);
    ca.close();
    const surroundings = clockFor(ca);
    const started = await startAcmeGateway(`${block}\n${listener(tls)}`, { surroundings });
    const pauses: number[] = [];
    for (let i = 1; i <= 4; i++) {
      const { reason, next } = await started.logged('no certificate yet', i);
      expect(reason).toMatch(/^localhost:\d+ cannot be reached: /);
      pauses.push(Math.round((Date.parse(String(next)) - surroundings.clock.now()) / 6000) * 6);
      surroundings.clock.advance(surroundings.clock.next! + 1);
    }
    // With a random part of a tenth.
    expect(pauses).toEqual([66, 132, 264, 528]);
    await started.logged('no certificate yet', 5);
    await ca.listen(port);
    surroundings.clock.advance(surroundings.clock.next! + 1);
    await started.logged('certificate issued');
  });

  test('a reload tries again at once', async () => {
    const { ca, tls } = await startCa();
    ca.script.push({ resource: 'newAccount', answer: new Refusal(403, 'externalAccountRequired', 'who?') });
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`, {
      surroundings: clockFor(ca),
    });
    await started.logged('no certificate yet');
    started.gateway.reload();
    await started.logged('certificate issued');
  });

  test('a challenge that the CA does not see answered is named, and the other kind is tried next', async () => {
    const { tls, http } = await startCa();
    // The CA looks for TLS where nothing is.
    const ca = await new StrictCa({ tls: await freePort(), http }).listen();
    const surroundings = clockFor(ca);
    const started = await startAcmeGateway(`${ca.block(`, http: "127.0.0.1:${http}"`)}\n${listener(tls)}`, {
      surroundings,
    });
    expect(await started.logged('no certificate yet')).toMatchObject({
      type: 'tls',
      reason: expect.stringMatching(
        /^one\.test: the CA did not find the answer to tls-alpn-01: .*ECONNREFUSED/,
      ),
    });
    surroundings.clock.advance(surroundings.clock.next! + 1);
    await started.logged('certificate issued');
  });

  test('a certificate for another key is not used', async () => {
    const { ca, tls } = await startCa();
    ca.script.push({ resource: 'finalize', answer: 'other-key' });
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`, {
      surroundings: clockFor(ca),
    });
    expect(await started.logged('no certificate yet')).toMatchObject({
      reason: "the CA's certificate is for another key",
    });
    expect((await shown(tls)).issuer).toBe('self-signed');
    expect(existsSync(join(started.data, 'acme', 'one.test.pem'))).toBe(false);
  });

  test('a CA whose TLS is not trusted is told nothing', async () => {
    const { ca, tls } = await startCa();
    const block = ca.block().replace(/ca: "[^"]*"/, `ca: "${join(folderWith({}), 'other.pem')}"`);
    const other = new StrictCa({ tls, http: 1 });
    writeFileSync(/ca: "([^"]*)"/.exec(block)![1]!, other.root);
    const started = await startAcmeGateway(`${block}\n${listener(tls)}`);
    expect((await started.logged('no certificate yet'))['reason']).toMatch(
      /cannot be reached: .*certificate/i,
    );
    expect(ca.log).toEqual([]);
  });

  test('what is no answer to a check gets no certificate', async () => {
    const { ca, tls } = await startCa();
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`);
    await started.logged('certificate issued');
    // No challenge is open any more.
    const options = { servername: 'one.test', ALPNProtocols: ['acme-tls/1'], rejectUnauthorized: false };
    await expect(connectTls(tls, options)).rejects.toThrow();
    // Who offers something else besides is an ordinary client, and the echo takes any protocol.
    const both = await connectTls(tls, { ...options, ALPNProtocols: ['acme-tls/1', 'x'] });
    expect(both.alpnProtocol).toBe(false);
    const key = filesBelow(join(started.data, 'acme')).find((file) => file.endsWith('account-key.pem'))!;
    expect(readFileSync(key, 'utf8')).toContain('PRIVATE KEY');
  });
});

describe('a start', () => {
  test('without the files of the block is refused, a line each', async () => {
    const { ca, tls } = await startCa();
    const missing = ca.block().replace(/ca: "[^"]*"/, 'ca: none.pem');
    await expect(startAcmeGateway(`${missing}\n${listener(tls)}`)).rejects.toThrow(
      /\/none\.pem: cannot read the certificate: there is no such file or directory$/,
    );
    const folder = folderWith({ 'mac.key': 'not a key' });
    const mac = (file: string): Promise<unknown> => {
      const more = `, externalAccount: { keyId: a, macKeyFile: "${join(folder, file)}" }`;
      return startAcmeGateway(`${ca.block(more)}\n${listener(tls)}`);
    };
    await expect(mac('none.key')).rejects.toThrow(
      /\/none\.key: cannot read the MAC key of the external account: there is no such file or directory$/,
    );
    await expect(mac('mac.key')).rejects.toThrow(
      /\/mac\.key: this is not a MAC key: the CA provides it as base64url, on one line$/,
    );
  });

  test('on a plain HTTP address that is taken is refused, and holds no address', async () => {
    const { ca, tls } = await startCa();
    const taken = Number(new URL(ca.origin).port);
    const block = ca.block(`, http: "127.0.0.1:${taken}"`);
    await expect(startAcmeGateway(`${block}\n${listener(tls)}`)).rejects.toThrow(
      `acme: http: 127.0.0.1:${taken} is in use by another program: stop that one, or choose another port`,
    );
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`);
    await started.logged('certificate issued');
  });

  test('with a stored certificate that is damaged gets another', async () => {
    const { ca, tls } = await startCa();
    const yaml = `${ca.block()}\n${listener(tls)}`;
    const first = await startAcmeGateway(yaml);
    await first.logged('certificate issued');
    first.gateway.destroy();
    const kept = filesBelow(join(first.data, 'acme'));
    writeFileSync(kept.find((file) => file.endsWith('one.test.pem'))!, 'damaged');
    writeFileSync(kept.find((file) => file.endsWith('one.test.json'))!, '{');
    const second = await startAcmeGateway(yaml, { data: first.data });
    await second.logged('a stored certificate cannot be used');
    await second.logged('certificate issued');
    expect((await shown(tls)).issuer).toBe('strict');
  });

  test('that ends while the CA works leaves nothing open', async () => {
    const { ca, tls } = await startCa();
    for (let i = 0; i < 100; i++) ca.script.push({ resource: 'order', answer: 'processing' });
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`);
    await expect
      .poll(() => ca.log.filter((resource) => resource === 'order').length, { timeout: 20_000 })
      .toBeGreaterThan(1);
    await started.gateway.drain(1000);
    await expect.poll(() => ca.connections(), { timeout: 20_000 }).toBe(0);
    // It was asked to end: that is no failure to tell about.
    expect(started.lines().filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { connectTls, folderWith, readAll, removeFolders, stopAll, TestClock } from '#app/testing';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { withPrograms } from '../support/programs.ts';
import { startAcmeGateway, stopGateways } from './support/gateway.ts';
import { type Pebble, startPebble } from './support/pebble.ts';

cleanUpAfterTests();

const YEAR = 365 * 86_400_000;

const suite = withPrograms('pebble', 'pebble-challtestsrv');

suite('Pebble, strict', () => {
  afterEach(() => {
    stopAll();
    stopGateways();
  });
  afterAll(removeFolders);

  const acme = ({ directory, ca }: Pebble, more = ''): string =>
    `acme: { directory: "${directory}", ca: ${ca}, termsAgreed: true, email: a@b.test${more} }`;

  const listener = ({ ports }: Pebble, names = 'one.test'): string =>
    `listeners: [{ listen: "127.0.0.1:${ports.tls}", certificate: acme, names: [${names}], echo: true }]`;

  async function echoes({ ports }: Pebble, ca: string, servername = 'one.test'): Promise<boolean> {
    const socket = await connectTls(ports.tls, { ca, servername });
    socket.end('hello');
    return (await readAll(socket)) === 'hello';
  }

  async function serial({ ports }: Pebble): Promise<string> {
    const socket = await connectTls(ports.tls, { servername: 'one.test', rejectUnauthorized: false });
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  }

  test('issues by tls-alpn-01, for several names', async () => {
    const pebble = await startPebble();
    const started = await startAcmeGateway(`${acme(pebble)}\n${listener(pebble, 'one.test, two.test')}`);
    await started.logged('certificate issued');
    const ca = await pebble.root();
    expect(await echoes(pebble, ca, 'one.test')).toBe(true);
    expect(await echoes(pebble, ca, 'two.test')).toBe(true);
    // Pebble looks three times for each name.
    const looks = started.lines().filter(({ msg }) => msg === 'a CA looks for the answer to tls-alpn-01');
    expect(new Set(looks.map(({ name }) => name))).toEqual(new Set(['one.test', 'two.test']));
  });

  test('issues by http-01, for an RSA key, refusing half of all nonces', async () => {
    const pebble = await startPebble({ refusedNonces: 50 });
    const more = `, challenges: [http-01], keyType: rsa2048, http: "127.0.0.1:${pebble.ports.http}"`;
    // Six nonces in a row may be refused; then it is tried again a minute later.
    const surroundings = { clock: new TestClock() };
    const started = await startAcmeGateway(`${acme(pebble, more)}\n${listener(pebble)}`, { surroundings });
    const hurry = setInterval(() => surroundings.clock.advance(60_000), 500);
    await started.logged('certificate issued');
    clearInterval(hurry);
    expect(await echoes(pebble, await pebble.root())).toBe(true);
  });

  test('issues for an address (RFC 8738)', async () => {
    const pebble = await startPebble();
    const started = await startAcmeGateway(`${acme(pebble)}\n${listener(pebble, '127.0.0.1')}`);
    await started.logged('certificate issued');
    const socket = await connectTls(pebble.ports.tls, {
      ca: await pebble.root(),
      servername: '',
      host: '127.0.0.1',
    });
    expect(socket.getPeerCertificate().subjectaltname).toBe('IP Address:127.0.0.1');
  });

  test('takes an external account, and refuses who has none', async () => {
    const macKeys = { 'kid-1': Buffer.alloc(32, 7).toString('base64url') };
    const pebble = await startPebble({ macKeys });
    const without = await startAcmeGateway(`${acme(pebble)}\n${listener(pebble)}`);
    expect(await without.logged('no certificate yet')).toMatchObject({ type: 'externalAccountRequired' });
    without.gateway.destroy();
    const macKeyFile = join(folderWith(), 'mac.key');
    writeFileSync(macKeyFile, `${macKeys['kid-1']}\n`);
    const more = `, externalAccount: { keyId: kid-1, macKeyFile: ${macKeyFile} }`;
    const started = await startAcmeGateway(`${acme(pebble, more)}\n${listener(pebble)}`);
    await started.logged('certificate issued');
    expect(await echoes(pebble, await pebble.root())).toBe(true);
  });

  test('renews, and the old certificate is shown until then', async () => {
    const pebble = await startPebble();
    const clock = new TestClock();
    const started = await startAcmeGateway(`${acme(pebble)}\n${listener(pebble)}`, {
      surroundings: { clock },
    });
    await started.logged('certificate issued');
    const before = await serial(pebble);
    // Its certificates are good for five years.
    clock.advance(3 * YEAR);
    await expect.poll(() => clock.next, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await serial(pebble)).toBe(before);
    clock.advance(0.4 * YEAR);
    await started.logged('certificate renewed');
    expect(await serial(pebble)).not.toBe(before);
    expect(await echoes(pebble, await pebble.root())).toBe(true);
  });

  test('comes to look at the wrong place: its words are in the log, and no certificate is there', async () => {
    const pebble = await startPebble();
    const yaml = listener(pebble).replace(`:${pebble.ports.tls}`, ':0');
    const started = await startAcmeGateway(`${acme(pebble)}\n${yaml}`);
    expect(await started.logged('no certificate yet')).toMatchObject({
      reason: expect.stringMatching(/^one\.test: the CA did not find the answer to tls-alpn-01: /),
    });
  });
});

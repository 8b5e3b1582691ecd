import { afterAll, afterEach, expect, test } from 'vitest';
import { removeFolders } from '../../apps/testudo/src/testing/folder.ts';
import { connectTls, readAll, stopAll } from '../../apps/testudo/src/testing/test-gateway.ts';
import { withPrograms } from '../support/programs.ts';
import { startAcmeGateway, stopGateways } from './support/gateway.ts';
import { startPebble } from './support/pebble.ts';

const suite = withPrograms('pebble', 'pebble-challtestsrv');

suite('Pebble, strict', () => {
  afterEach(() => {
    stopAll();
    stopGateways();
  });
  afterAll(removeFolders);

  const acme = ({ directory, ca }: { directory: string; ca: string }, more = ''): string =>
    `acme: { directory: "${directory}", ca: ${ca}, termsAgreed: true, email: a@b.test${more} }`;

  test('issues by tls-alpn-01, for several names, while the gateway serves', async () => {
    const pebble = await startPebble();
    const started = await startAcmeGateway(
      `${acme(pebble)}\nlisteners: [{ listen: "127.0.0.1:${pebble.ports.tls}", certificate: acme, names: [one.test, two.test], echo: true }]`,
    );
    const { until } = await started.logged('certificate issued');
    expect(Date.parse(String(until))).toBeGreaterThan(Date.now());
    const ca = await pebble.root();
    for (const servername of ['one.test', 'two.test']) {
      const socket = await connectTls(pebble.ports.tls, { ca, servername });
      socket.end('hello');
      expect(await readAll(socket)).toBe('hello');
    }
  });
});

import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { type Plan, parseConfig, planOf, removeFolders } from '#app/testing';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { freePort } from '../interop/support/program.ts';
import { type AcmeGateway, startAcmeGateway, stopGateways } from './support/gateway.ts';
import { StrictCa } from './support/strict-ca.ts';

cleanUpAfterTests();
afterEach(stopGateways);
afterAll(removeFolders);

/** A gateway with certificates for these names, and how to give it others. */
async function gatewayFor(names: readonly string[]) {
  const ports = { tls: await freePort(), http: 1 };
  const ca = await new StrictCa(ports).listen();
  const block = ca.block();
  const yaml = (all: readonly string[]): string =>
    `${block}\nlisteners: [{ name: web, listen: "127.0.0.1:${ports.tls}", echo: true, certificates: [${all
      .map((name) => `{ certificate: acme, names: [${name}] }`)
      .join(', ')}] }]`;
  const started: AcmeGateway = await startAcmeGateway(yaml(names));
  const planned = (text: string) => (): Plan => {
    const file = join(started.data, 'testudo.yaml');
    return planOf(parseConfig(text, file), file);
  };
  return { ca, yaml, ...started, reload: (text: string) => started.gateway.reload(planned(text)) };
}

function issued(lines: AcmeGateway['lines']): unknown[] {
  return lines().flatMap(({ msg, names }) => (msg === 'certificate issued' ? [names] : []));
}

test('a hundred reloads while an order is under way make no second order', async () => {
  const { ca, yaml, lines, reload, logged } = await gatewayFor(['one.test']);
  await Promise.all(Array.from({ length: 100 }, () => reload(yaml(['one.test']))));
  await logged('certificate issued');
  await reload(yaml(['one.test']));
  expect(issued(lines)).toEqual([['one.test']]);
  expect(ca.replaced).toHaveLength(1);
});

test('a new name is ordered, and the certificate that is there stays', async () => {
  const { ca, yaml, lines, reload, logged } = await gatewayFor(['one.test']);
  await logged('certificate issued');
  await reload(yaml(['one.test', 'two.test']));
  await logged('certificate issued', 2);
  expect(issued(lines)).toEqual([['one.test'], ['two.test']]);
  await reload(yaml(['two.test']));
  await reload(yaml(['one.test', 'two.test']));
  expect(ca.replaced).toHaveLength(2);
});

test('a reload that fails orders nothing', async () => {
  const { ca, yaml, lines, reload, logged } = await gatewayFor(['one.test']);
  await logged('certificate issued');
  await reload(yaml(['one.test', 'two.test']).replace('echo: true', 'folder: ./none'));
  expect(lines().at(-1)).toMatchObject({
    level: 50,
    reason: expect.stringContaining('cannot serve this folder'),
  });
  await reload(yaml(['one.test']));
  expect(ca.replaced).toHaveLength(1);
});

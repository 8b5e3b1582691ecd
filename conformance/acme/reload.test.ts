import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { connectTls, type Plan, parseConfig, planOf, removeFolders } from '#app/testing';
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
  const yaml = (all: readonly string[], more = ''): string =>
    `${block.replace(' }', `${more} }`)}\nlisteners: [{ name: web, listen: "127.0.0.1:${ports.tls}", echo: true, certificates: [${all
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

describe('the block acme changes while an order is under way', () => {
  /** Reloads with this block when the CA is asked for a resource first, and before it answers. */
  async function changedAt(resource: string, ...changes: readonly string[]) {
    const one = await gatewayFor(['one.test']);
    const { ca, yaml, reload, gateway } = one;
    const [listener] = gateway.listeners;
    await new Promise<void>((resolve) => {
      ca.onRequest = async (asked) => {
        if (asked !== resource) return;
        ca.onRequest = () => undefined;
        for (const more of changes) await reload(yaml(['one.test'], more));
        resolve();
      };
    });
    const key = async (): Promise<unknown> => {
      const socket = await connectTls(listener!.address.port, {
        servername: 'one.test',
        rejectUnauthorized: false,
      });
      const { publicKey, issuer } = new X509Certificate(socket.getPeerCertificate().raw);
      socket.destroy();
      return issuer === 'CN=strict' ? publicKey.asymmetricKeyDetails?.namedCurve : undefined;
    };
    return { ...one, key };
  }

  const STEPS = ['directory', 'newNonce', 'newAccount', 'newOrder', 'authorization', 'challenge', 'order'];
  const LATE = ['finalize', 'certificate'];

  test.each(STEPS)('%s: the order is gone on with, with the new kind of key', async (resource) => {
    const { ca, key, lines } = await changedAt(resource, ', keyType: p384');
    await expect.poll(key, { timeout: 20_000 }).toBe('secp384r1');
    expect(ca.replaced).toHaveLength(1);
    expect(lines().filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });

  test.each(LATE)('%s: the CA knows the key already, and nothing is ordered twice', async (resource) => {
    const { ca, key, lines } = await changedAt(resource, ', keyType: p384');
    await expect.poll(key, { timeout: 20_000 }).toBe('prime256v1');
    expect(ca.replaced).toHaveLength(1);
    expect(lines().filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });

  test.each([...STEPS, ...LATE])('%s: three times, and the newest counts', async (resource) => {
    const { ca, key } = await changedAt(
      resource,
      ', email: a@one.test',
      ', email: b@one.test',
      ', email: c@one.test',
    );
    await expect.poll(key, { timeout: 20_000 }).toBe('prime256v1');
    expect(ca.replaced).toHaveLength(1);
    if (!LATE.includes(resource)) expect(ca.contacts).toEqual([['mailto:c@one.test']]);
  });

  test.each(STEPS)('%s: it is taken out, and put back with another kind of key', async (resource) => {
    const one = await gatewayFor(['one.test']);
    const { ca, yaml, reload } = one;
    await new Promise<void>((resolve) => {
      ca.onRequest = async (asked) => {
        if (asked !== resource) return;
        ca.onRequest = () => undefined;
        const text = yaml(['one.test'], ', keyType: p384');
        await reload(text.slice(text.indexOf('\n')).replace('certificate: acme', 'certificate: local'));
        await reload(text);
        resolve();
      };
    });
    await one.logged('certificate issued');
    expect(ca.replaced).toHaveLength(1);
  });

  test('another CA is asked at once, and the first one no more', async () => {
    const one = await gatewayFor(['one.test']);
    const ports = { tls: one.gateway.listeners[0]!.address.port, http: 1 };
    const other = await new StrictCa(ports).listen();
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      one.ca.onRequest = (resource) => {
        if (resource !== 'newOrder') return undefined;
        resolve();
        // It never answers.
        return new Promise((free) => {
          release = free;
        });
      };
    });
    await asked;
    const text = one.yaml(['one.test']);
    await one.reload(`${other.block()}${text.slice(text.indexOf('\n'))}`);
    await one.logged('certificate issued');
    const seen = one.ca.log.length;
    release();
    expect(other.replaced).toHaveLength(1);
    expect(one.ca.log).toHaveLength(seen);
  });
});

import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { removeFolders, stopAll, type TestClock } from '#app/testing';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { type AcmeGateway, startAcmeGateway, stopGateways } from './support/gateway.ts';
import { Refusal } from './support/jws.ts';
import type { StrictCa } from './support/strict-ca.ts';
import { clockFor, DAY, HOUR, listener, shown, startCa } from './support/strict-setup.ts';

cleanUpAfterTests();
afterEach(() => {
  stopAll();
  stopGateways();
});
afterAll(removeFolders);

describe('renewal', () => {
  async function issued(prepare: (ca: StrictCa) => void = () => undefined): Promise<{
    ca: StrictCa;
    clock: TestClock;
    started: AcmeGateway;
    tls: number;
    before: { serial: string };
  }> {
    const { ca, tls } = await startCa();
    const surroundings = clockFor(ca);
    prepare(ca);
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`, { surroundings });
    await started.logged('certificate issued');
    const { clock } = surroundings;
    await expect.poll(() => clock.next, { timeout: 20_000 }).toBeGreaterThan(0);
    return { ca, clock, started, tls, before: await shown(tls) };
  }

  /** Lets time pass as it does, so that no appointment is skipped. */
  async function pass(clock: TestClock, time: number): Promise<void> {
    for (let left = time; left > 0; ) {
      const step = Math.min(left, Math.max(clock.next ?? left, 1));
      clock.advance(step);
      left -= step;
      await expect.poll(() => clock.next, { interval: 2, timeout: 20_000 }).toBeGreaterThan(0);
    }
  }

  test('takes place before two thirds of its life are over, without a restart', async () => {
    const { ca, clock, started, tls, before } = await issued();
    await pass(clock, 56.9 * DAY);
    expect(await shown(tls)).toEqual(before);
    expect(ca.log.filter((resource) => resource === 'newOrder')).toHaveLength(1);
    await pass(clock, 3.2 * DAY);
    await started.logged('certificate renewed');
    expect((await shown(tls)).serial).not.toBe(before.serial);
    expect(ca.replaced).toHaveLength(2);
  });

  test('takes place when the CA suggests it, and says what it replaces (RFC 9773)', async () => {
    const now = Date.now();
    const { ca, clock, started, tls, before } = await issued((one) => {
      one.renewalWindow = { start: new Date(now + 10 * DAY), end: new Date(now + 11 * DAY) };
    });
    await pass(clock, 9.9 * DAY);
    expect(await shown(tls)).toEqual(before);
    await pass(clock, 1.2 * DAY);
    await started.logged('certificate renewed');
    const [serial] = [Buffer.from(before.serial, 'hex').toString('base64url')];
    expect(ca.replaced).toEqual([undefined, expect.stringMatching(new RegExp(`^[\\w-]{27}\\.${serial}$`))]);
  });

  test('that fails leaves the old certificate in place, until it works', async () => {
    const { ca, clock, started, tls, before } = await issued();
    const down = new Refusal(503, 'serverInternal', 'down');
    for (let i = 0; i < 100; i++) ca.script.push({ resource: 'newOrder', answer: down });
    await pass(clock, 60 * DAY);
    const { level } = await started.logged('could not be renewed: the old one is served', 10);
    expect(level).toBe(40);
    expect(await shown(tls)).toEqual(before);
    ca.script.length = 0;
    await pass(clock, 8 * HOUR);
    await started.logged('certificate renewed');
    expect((await shown(tls)).serial).not.toBe(before.serial);
  });
});

describe('a certificate that the CA has revoked', () => {
  test('is replaced at once, and not again before the next day', async () => {
    const { ca, tls } = await startCa();
    await ca.startResponder();
    const surroundings = clockFor(ca);
    const { clock } = surroundings;
    const started = await startAcmeGateway(`${ca.block()}\n${listener(tls)}`, { surroundings });
    // Two answers: of the certificate's first hour, and of half of the first answer's life later.
    await started.logged('an OCSP response is stapled');
    const first = await shown(tls);
    await ca.revoke(first.serial);
    clock.advance(13 * HOUR);
    await started.logged('this certificate is revoked');
    await started.logged('certificate renewed');
    const second = await shown(tls);
    expect(second.serial).not.toBe(first.serial);
    await started.logged('an OCSP response is stapled', 2);
    await ca.revoke(second.serial);
    clock.advance(13 * HOUR);
    await started.logged('this certificate is revoked', 2);
    expect(await shown(tls)).toEqual(second);
    expect(ca.log.filter((resource) => resource === 'newOrder')).toHaveLength(2);
  });
});

describe('gateways that share a folder', () => {
  test('order once, and both show what came', async () => {
    const { ca, tls } = await startCa();
    const surroundings = clockFor(ca);
    const yaml = (port: number): string => `${ca.block()}\n${listener(port)}`;
    const orders = () => ca.log.filter((resource) => resource === 'newOrder').length;
    const first = await startAcmeGateway(yaml(tls), { surroundings });
    // The CA looks at the first one, so that has to begin.
    await expect.poll(orders, { timeout: 20_000 }).toBe(1);
    const other = clockFor(ca);
    ca.now = () => surroundings.clock.now();
    const second = await startAcmeGateway(yaml(0), { data: first.data, surroundings: other });
    await first.logged('certificate issued');
    await second.logged('another process has obtained a certificate');
    expect(await shown(second.ports[0]!)).toEqual(await shown(tls));
    for (const { clock } of [surroundings, other])
      await expect.poll(() => clock.next, { timeout: 20_000 }).toBeGreaterThan(10_000);
    // Both are due at the same moment.
    surroundings.clock.advance(60 * DAY);
    await expect.poll(orders, { timeout: 20_000 }).toBe(2);
    other.clock.advance(60 * DAY);
    await first.logged('certificate renewed');
    await second.logged('another process has obtained a certificate', 2);
    expect(await shown(second.ports[0]!)).toEqual(await shown(tls));
    expect(orders()).toBe(2);
  });

  test('answer the CA for each other', async () => {
    const { ca, tls } = await startCa();
    const surroundings = clockFor(ca);
    const other = clockFor(ca);
    ca.now = () => surroundings.clock.now();
    ca.script.push({ resource: 'newOrder', answer: new Refusal(503, 'serverInternal', 'later') });
    const yaml = (port: number): string => `${ca.block()}\n${listener(port)}`;
    const first = await startAcmeGateway(yaml(0), { surroundings });
    await first.logged('no certificate yet');
    // The CA looks here. It waits for as long as the first one has to.
    const second = await startAcmeGateway(yaml(tls), { data: first.data, surroundings: other });
    surroundings.clock.advance(2 * 60_000);
    await first.logged('certificate issued');
    other.clock.advance(2 * 60_000);
    await second.logged('another process has obtained a certificate');
    expect(await shown(tls)).toEqual(await shown(first.ports[0]!));
  });
});

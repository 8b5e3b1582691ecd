import { nodeCrypto } from '@testudo/crypto/node';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryCertificateDatabase } from '../authority/database.ts';
import { ManagedAuthority } from '../authority/managed-authority.ts';
import { createCertificateAuthority } from '../authority.ts';
import type { Certificate } from '../certificate.ts';
import { NOW } from '../testing/make.ts';
import { ExpiringCache } from './cache.ts';
import type { Fetcher, FetchRequest } from './fetch.ts';
import { fetchingChecker } from './fetching-checker.ts';
import { ocspCertificateId } from './ocsp-certificate-id.ts';
import { encodeOcspRequest } from './ocsp-request.ts';
import { HARD_FAIL } from './policy.ts';
import { OcspStapler, type StaplerEvent } from './stapler.ts';

const provider = nodeCrypto;
const DAY = 86_400_000;
const OCSP = 'http://ocsp.example.com';
const CRL = 'http://crl.example.com/a.crl';
const DELTA = 'http://crl.example.com/delta.crl';

const authority = createCertificateAuthority({ provider, commonName: 'CA', at: new Date(+NOW - DAY) });
const managed = new ManagedAuthority(
  authority.withPublication({ ocsp: [OCSP], crl: [CRL], deltaCrl: [DELTA] }),
  new MemoryCertificateDatabase(),
);
const issue = async (): Promise<Certificate> =>
  (await managed.issue({ names: ['example.com'], purpose: 'server', at: NOW })).certificate;
const certificate = await issue();
const requestFor = (one: Certificate, at: Date = NOW) =>
  ({
    certificate: one,
    issuer: authority.certificate,
    path: [one, authority.certificate],
    index: 0,
    at,
  }) as const;

let fetched: FetchRequest[] = [];
let fails = new Set<string>();
let replaced = new Map<string, Uint8Array>();
let now = NOW;
beforeEach(() => {
  fetched = [];
  fails = new Set();
  replaced = new Map();
  now = NOW;
});

/** The CA's own sites. */
const site: Fetcher = async (request) => {
  fetched.push(request);
  const place = request.url.startsWith(OCSP) ? OCSP : request.url;
  if (fails.has(place)) throw new Error('down');
  const other = replaced.get(place);
  if (other !== undefined) return { body: other };
  if (place === CRL) return { body: (await managed.crl({ at: now })).der };
  if (place === DELTA) return { body: (await managed.crl({ at: now, delta: true })).der };
  const body =
    request.body ??
    new Uint8Array(Buffer.from(decodeURIComponent(request.url.slice(OCSP.length + 1)), 'base64'));
  return { body: await managed.ocsp(body, { at: now }) };
};
const places = (): string[] => fetched.map(({ url }) => (url.startsWith(OCSP) ? OCSP : url));

describe('what is fetched', () => {
  test('by OCSP is asked once and remembered until it ends', async () => {
    const checker = fetchingChecker({ provider, fetch: site, policy: HARD_FAIL });
    expect((await checker.check(requestFor(certificate))).status).toBe('good');
    expect((await checker.check(requestFor(certificate, new Date(+NOW + DAY / 2)))).status).toBe('good');
    expect(places()).toEqual([OCSP]);
    expect(fetched[0]!.method).toBe('GET');
    now = new Date(+NOW + 2 * DAY);
    expect((await checker.check(requestFor(certificate, now))).status).toBe('good');
    expect(places()).toEqual([OCSP, OCSP]);
  });

  test('at the same time by several is fetched once', async () => {
    const checker = fetchingChecker({ provider, fetch: site, policy: HARD_FAIL });
    const statuses = await Promise.all(
      Array.from({ length: 20 }, () => checker.check(requestFor(certificate))),
    );
    expect(statuses.every(({ status }) => status === 'good')).toBe(true);
    expect(places()).toEqual([OCSP]);
  });

  test('with a nonce is sent by POST and never from the cache', async () => {
    const checker = fetchingChecker({
      provider,
      fetch: site,
      policy: HARD_FAIL,
      nonce: true,
      methods: ['ocsp'],
    });
    expect((await checker.check(requestFor(certificate))).status).toBe('good');
    expect(fetched[0]!.method).toBe('POST');
    const id = ocspCertificateId(provider, certificate.serialNumber, authority.certificate);
    replaced.set(OCSP, await managed.ocsp(encodeOcspRequest({ certificateIds: [id] }), { at: NOW }));
    const again = fetchingChecker({
      provider,
      fetch: site,
      policy: HARD_FAIL,
      nonce: true,
      methods: ['ocsp'],
    });
    expect(await again.check(requestFor(certificate))).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('nonce'),
    });
  });

  test('falls back to CRLs, with their deltas', async () => {
    fails.add(OCSP);
    const other = await issue();
    const checker = fetchingChecker({ provider, fetch: site, policy: HARD_FAIL });
    expect((await checker.check(requestFor(other))).status).toBe('good');
    expect(places()).toEqual([OCSP, CRL, DELTA]);
    await managed.revoke(other.serialNumber, { at: NOW, reason: 'superseded' });
    const fresh = fetchingChecker({ provider, fetch: site, policy: HARD_FAIL, methods: ['crl'] });
    expect(await fresh.check(requestFor(other))).toMatchObject({ status: 'revoked', reason: 'superseded' });
  });

  test('of one list serves all its certificates', async () => {
    const checker = fetchingChecker({ provider, fetch: site, policy: HARD_FAIL, methods: ['crl'] });
    for (const one of [certificate, await issue(), await issue()])
      expect((await checker.check(requestFor(one))).status).toBe('good');
    expect(places()).toEqual([CRL, DELTA]);
  });

  test('is not asked for again soon after a failure', async () => {
    fails.add(OCSP).add(CRL);
    const checker = fetchingChecker({ provider, fetch: site, policy: HARD_FAIL });
    const first = await checker.check(requestFor(certificate));
    expect(first).toMatchObject({ status: 'unknown', reason: expect.stringContaining('down') });
    await checker.check(requestFor(certificate));
    expect(places()).toEqual([OCSP, CRL]);
    fails.clear();
    expect((await checker.check(requestFor(certificate, new Date(+NOW + 120_000)))).status).toBe('good');
  });

  test.each<[string, Uint8Array]>([
    ['too long', new Uint8Array(20 * 1024 * 1024)],
    ['no answer at all', new Uint8Array(10)],
    ['another thing', certificate.der],
  ])('and is %s says nothing', async (_, body) => {
    replaced.set(OCSP, body).set(CRL, body);
    const checker = fetchingChecker({ provider, fetch: site, policy: HARD_FAIL });
    expect((await checker.check(requestFor(certificate))).status).toBe('unknown');
  });

  test('but forged is not kept', async () => {
    const forger = createCertificateAuthority({ provider, commonName: 'CA', at: new Date(+NOW - DAY) });
    const forged = new ManagedAuthority(forger, new MemoryCertificateDatabase());
    replaced.set(CRL, (await forged.crl({ at: NOW, days: 3000 })).der);
    const checker = fetchingChecker({ provider, fetch: site, policy: HARD_FAIL, methods: ['crl'] });
    expect((await checker.check(requestFor(certificate))).status).toBe('unknown');
    replaced.clear();
    expect((await checker.check(requestFor(certificate))).status).toBe('good');
  });
});

describe('a stapler', () => {
  const id = ocspCertificateId(provider, certificate.serialNumber, authority.certificate);
  let events: StaplerEvent[] = [];
  let waiting: { action: () => void; at: number } | undefined;
  const clock = {
    now: () => +now,
    schedule: (action: () => void, delay: number) => {
      const entry = { action, at: +now + delay };
      waiting = entry;
      return () => {
        if (waiting === entry) waiting = undefined;
      };
    },
  };
  const make = (initial?: Uint8Array): OcspStapler =>
    new OcspStapler({
      ...{ provider, certificate, issuer: authority.certificate, fetch: site, clock, initial },
      onEvent: (event) => events.push(event),
    });
  /** Goes to when the stapler wanted to be woken, wakes it, and gives the hours that passed. */
  const sleep = async (stapler: OcspStapler): Promise<number> => {
    const { action, at } = waiting!;
    const hours = (at - +now) / 3_600_000;
    now = new Date(at);
    action();
    await stapler.refresh();
    return hours;
  };
  beforeEach(() => {
    events = [];
    waiting = undefined;
  });

  test('fetches, and refreshes when half of the time is over', async () => {
    const stapler = make();
    expect(stapler.response).toBeUndefined();
    await stapler.start();
    const first = stapler.response;
    expect(first).toBeDefined();
    expect(await sleep(stapler)).toBe(12);
    expect(stapler.response).not.toEqual(first);
    expect(events.map(({ kind }) => kind)).toEqual(['refreshed', 'refreshed']);
  });

  test('keeps the last good answer while the responder is down, but not beyond its end', async () => {
    const stapler = make();
    await stapler.start();
    const first = stapler.response;
    fails.add(OCSP);
    await sleep(stapler);
    expect(events.at(-1)).toMatchObject({
      kind: 'failed',
      reason: 'down',
      staplesUntil: new Date(+NOW + DAY),
    });
    expect(stapler.response).toBe(first);
    const pauses: number[] = [];
    while (+now < +NOW + DAY) pauses.push(await sleep(stapler));
    expect(pauses.slice(0, 7).map((hours) => Math.round(60 * hours))).toEqual([1, 2, 4, 8, 16, 32, 60]);
    expect(stapler.response).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ kind: 'failed', staplesUntil: undefined });
    fails.clear();
    await sleep(stapler);
    expect(stapler.response).toBeDefined();
  });

  test('staples nothing that does not verify', async () => {
    replaced.set(OCSP, new Uint8Array(100));
    const stapler = make();
    await stapler.start();
    expect(stapler.response).toBeUndefined();
    expect(events).toMatchObject([{ kind: 'failed' }]);
  });

  test('begins with what was kept, if that is good', async () => {
    const kept = await managed.ocsp(encodeOcspRequest({ certificateIds: [id] }), { at: NOW });
    expect(make(kept).response).toEqual(kept);
    now = new Date(+NOW + 2 * DAY);
    expect(make(kept).response).toBeUndefined();
    expect(make(Uint8Array.of(1)).response).toBeUndefined();
  });

  test('stops when it is told to', async () => {
    const stapler = make();
    await stapler.start();
    stapler.stop();
    expect(waiting).toBeUndefined();
    expect(stapler.response).toBeDefined();
    await stapler.refresh();
    expect(waiting).toBeUndefined();
  });

  test('needs a responder', () => {
    const plain = authority.issue({ names: ['a.test'], purpose: 'server' }).certificate;
    const options = { provider, certificate: plain, issuer: authority.certificate, fetch: site, clock };
    expect(() => new OcspStapler(options)).toThrow(/names no OCSP responder/);
  });

  test('staples nothing for a revoked certificate, and says so', async () => {
    const stapler = make();
    await stapler.start();
    await managed.revoke(certificate.serialNumber, { reason: 'keyCompromise', at: NOW });
    await sleep(stapler);
    expect(stapler.response).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ kind: 'revoked', reason: 'keyCompromise' });
  });
});

describe('the cache', () => {
  test('forgets what ended and what was used least', () => {
    const cache = new ExpiringCache<number>(2);
    cache.set('a', 1, 100);
    cache.set('b', 2, 50);
    expect(cache.get('a', 10)).toBe(1);
    cache.set('c', 3, 100);
    expect(cache.get('b', 10)).toBeUndefined();
    expect(cache.get('a', 99)).toBe(1);
    expect(cache.get('a', 100)).toBeUndefined();
    expect(cache.length).toBe(1);
  });

  test('is bounded by size', () => {
    const cache = new ExpiringCache<string>(100, 10);
    cache.set('a', 'x', 100, 6);
    cache.set('b', 'y', 100, 6);
    expect([cache.get('a', 0), cache.get('b', 0)]).toEqual([undefined, 'y']);
    cache.set('c', 'z', 100, 11);
    expect(cache.get('c', 0)).toBeUndefined();
    cache.set('b', 'w', 100, 10);
    expect(cache.get('b', 0)).toBe('w');
  });
});

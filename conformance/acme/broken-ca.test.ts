import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { removeFolders, TestClock } from '#app/testing';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { freePort } from '../interop/support/program.ts';
import { startAcmeGateway, stopGateways } from './support/gateway.ts';
import { StrictCa } from './support/strict-ca.ts';

cleanUpAfterTests();
afterEach(stopGateways);
afterAll(removeFolders);

const ORDER = '{"status":"pending","authorizations":["https://a.test/1"],"finalize":"https://a.test/2"';
const AUTHORIZATION = '"status":"pending","identifier":{"type":"dns","value":"one.test"}';

const NONSENSE: readonly [what: string, text: string][] = [
  ['nothing', ''],
  ['a page', '<html>'],
  ['null', 'null'],
  ['an object', '{}'],
];

const MORE_NONSENSE: typeof NONSENSE = [
  ...NONSENSE,
  ['a list', '[]'],
  ['a number', '1'],
  ['deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ['long', `"${'a'.repeat(2_000_000)}"`],
];

/** What is said when a resource answers like this; then it works at the next attempt. */
async function saidAbout(resource: string, instead: string): Promise<string> {
  const ports = { tls: await freePort(), http: 1 };
  const ca = await new StrictCa(ports).listen();
  ca.script.push({ resource, answer: { instead } });
  const clock = new TestClock();
  const started = await startAcmeGateway(
    `${ca.block()}\nlisteners: [{ listen: "127.0.0.1:${ports.tls}", certificate: acme, names: [one.test], echo: true }]`,
    { surroundings: { clock } },
  );
  const { reason } = await started.logged('no certificate yet');
  // A minute, and a tenth at random.
  clock.advance(80_000);
  await started.logged('certificate issued');
  return String(reason);
}

describe('a CA that answers with nonsense is named in one line, and asked again later:', () => {
  for (const [resource, nonsense] of [
    ['directory', NONSENSE],
    ['newOrder', MORE_NONSENSE],
    ['authorization', NONSENSE],
    ['order', NONSENSE],
    ['finalize', NONSENSE],
    ['certificate', MORE_NONSENSE],
  ] as const)
    test.each(nonsense)(`${resource}: %s`, async (_, instead) => {
      const reason = await saidAbout(resource, instead);
      expect(reason).toMatch(/^(the CA |what the CA |localhost:\d+ cannot be reached: )/);
      expect(reason.length).toBeLessThan(600);
      expect(reason).not.toMatch(/[\n\r]/);
    });

  test.each([
    ['newOrder', `${ORDER},"status":"done"}`, 'what the CA sent is not an order'],
    ['newOrder', `${ORDER.replace('https://a.test/1', 'here')}}`, 'what the CA sent is not an order'],
    ['order', `${ORDER.replace('"https://a.test/2"', '7')}}`, 'what the CA sent is not an order'],
    ['authorization', `{${AUTHORIZATION}}`, 'what the CA sent is not an authorization'],
    ['authorization', `{${AUTHORIZATION},"challenges":[null]}`, 'what the CA sent is not an authorization'],
    [
      'authorization',
      `{${AUTHORIZATION.replace('one.test', 'evil\\u001b[2J.test')},"challenges":[]}`,
      'the CA wants to know about evil',
    ],
    [
      'authorization',
      `{${AUTHORIZATION},"challenges":[{"type":"dns-01","url":"https://a.test/3","token":"a"}]}`,
      'one.test: the CA offers dns-01, and the configuration wants tls-alpn-01',
    ],
  ])('%s: %s', async (resource, instead, message) => {
    const reason = await saidAbout(resource, instead);
    expect(reason).toContain(message);
    expect(reason).not.toContain('\u001b');
  });
});

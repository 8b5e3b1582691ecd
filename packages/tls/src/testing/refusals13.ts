import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import type { ClientOptions } from '../options/client.ts';
import { clientEnd } from './end.ts';
import { TestPki } from './pki.ts';
import { outcomeOf, refused } from './puppet.ts';
import { PuppetServer13 } from './puppet-server13.ts';

/** What a TLS 1.3 client must not take: what the server does, and the error that the client has for it. */
export type Refusal13 = readonly [what: string, act: (p: PuppetServer13) => unknown, code: string];

export const pki: TestPki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

/** A server that obeys the test, before a client of the engine. */
export function puppet(options: Partial<ClientOptions> = {}, key = pki.server()): PuppetServer13 {
  const config = clientConfig({ provider: nodeCrypto, verifyCertificate, ...options });
  return new PuppetServer13(nodeCrypto, clientEnd(config), key);
}

/** A test for each: the error here, and the alert there, once. */
export function refuses(cases: readonly Refusal13[], options: Partial<ClientOptions> = {}): void {
  test.each(cases)('%s', (_what, act, code) => {
    const p = puppet(options);
    act(p);
    expect(outcomeOf(p)).toEqual(refused(code));
    expect(p.end.secured.length === 0 || p.end.data.length === 0).toBe(true);
  });
}

/** A message with a body of any bytes. */
export function raw(type: number, ...body: number[]): Uint8Array {
  return Uint8Array.of(type, 0, body.length >> 8, body.length & 255, ...body);
}

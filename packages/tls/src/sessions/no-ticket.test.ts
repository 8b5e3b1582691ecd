import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';

const pki = new TestPki(nodeCrypto);

test.each(['TLSv1.3', 'TLSv1.2'] as const)('an empty ticket is none with %s', (maxVersion) => {
  const sealed: number[] = [];
  const tickets = { seal: () => new Uint8Array(sealed.push(0) * 0), open: () => undefined };
  const pair = new Pair(
    clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate: pki.verifier(), maxVersion })),
    serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], tickets })),
  ).pump();
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  expect(sealed.length).toBeGreaterThan(0);
  expect(pair.client.sessions).toEqual([]);
  // Up to TLS 1.2 a ticket was promised, and so an empty one comes (RFC 5077 §3.3).
  const came = pair.client.log.includes('received new_session_ticket');
  expect(came).toBe(maxVersion === 'TLSv1.2');
});

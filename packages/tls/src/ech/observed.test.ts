import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientConnection, serverConnection } from '../connection/endpoint.ts';
import { hostNameOf, serverName } from '../extensions/server-names.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import { type Observer, observers } from '../observer.ts';
import { listOf, PUBLIC_NAME } from '../testing/ech.ts';
import { TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';
import { generateEchKey } from './keys.ts';

const pki = new TestPki(nodeCrypto);
const key = generateEchKey(nodeCrypto, { publicName: PUBLIC_NAME });

function meet({ retries = false, encrypted = true } = {}) {
  const seen: string[] = [];
  const nameIn = (raw: Uint8Array): string =>
    hostNameOf(
      (decodeMessage(clientHello, { type: clientHello.type, raw }) as ClientHello).extensions.get(
        serverName,
      )!,
    )!;
  const watch = (side: string): Observer => ({
    message(direction, { type, raw }) {
      if (type === clientHello.type) seen.push(`${side} ${direction} ${nameIn(raw)}`);
    },
    innerHello: (direction, raw) => void seen.push(`${side} ${direction} inside ${nameIn(raw)}`),
  });
  const config = clientConfig({
    provider: nodeCrypto,
    verifyCertificate: pki.verifier(),
    ech: encrypted ? { configs: listOf(key) } : undefined,
    ...(retries ? { keyShareGroups: ['x25519'] } : {}),
  });
  const theirs = serverConfig({
    provider: nodeCrypto,
    credentials: [pki.server()],
    echKeys: [key],
    ...(retries ? { groups: ['secp256r1'] } : {}),
  });
  const pair = new Pair(
    new TestEnd((events) =>
      clientConnection(config, { host: SERVER_NAME, events, observer: observers(watch('client'), {}) }),
    ),
    new TestEnd((events) => serverConnection(theirs, { events, observer: watch('server') })),
  ).pump();
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  return seen;
}

const FLIGHT = [
  `client sent inside ${SERVER_NAME}`,
  `client sent ${PUBLIC_NAME}`,
  `server received ${PUBLIC_NAME}`,
  `server received inside ${SERVER_NAME}`,
];

test('observers on both sides see the hello that is hidden, and the one that hides it', () => {
  expect(meet()).toEqual(FLIGHT);
});

test('and so after a retry', () => {
  expect(meet({ retries: true })).toEqual([...FLIGHT, ...FLIGHT]);
});

test('without encryption there is one hello only', () => {
  expect(meet({ encrypted: false })).toEqual([
    `client sent ${SERVER_NAME}`,
    `server received ${SERVER_NAME}`,
  ]);
});

import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { serverConnection } from '../connection/endpoint.ts';
import { serverName } from '../extensions/server-names.ts';
import { encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import { serverHello } from '../messages/server-hello.ts';
import type { Observer } from '../observer.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';

// RFC 6066 §3: a server says that the name was of use to it, or does not.

const pki = new TestPki(nodeCrypto);
const client = clientConfig({ provider: nodeCrypto, verifyCertificate: pki.verifier() });

/** Whether the server's answer holds server_name. */
function acknowledges(options: Partial<ServerOptions>): boolean {
  const answers: boolean[] = [];
  const watching: Observer = {
    message(direction, message) {
      if (direction !== 'sent') return;
      if (message.type === serverHello.type)
        answers.push(decodeMessage(serverHello, message).extensions.has(serverName));
      if (message.type === encryptedExtensions.type)
        answers.push(decodeMessage(encryptedExtensions, message).extensions.has(serverName));
    },
  };
  const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options });
  const server = new TestEnd((events) => serverConnection(config, { events, observer: watching }));
  const pair = new Pair(clientEnd(client), server).pump();
  expect(pair.client.errors.concat(server.errors)).toEqual([]);
  expect(server.info.serverName).toBe(SERVER_NAME);
  return answers.includes(true);
}

test.each(['TLSv1.3', 'TLSv1.2'] as const)(
  'the name is acknowledged with %s, unless it is not to be',
  (maxVersion) => {
    expect(acknowledges({ maxVersion })).toBe(true);
    expect(acknowledges({ maxVersion, acknowledgeServerName: false })).toBe(false);
  },
);

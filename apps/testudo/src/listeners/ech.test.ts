import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { echKeyToPem, encodeEchConfigList, generateEchKey, TlsError } from '@testudo/tls';
import { connect, type TLSSocket } from '@testudo/tls/node';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { readAll, startGateway, stopAll, type TestGateway } from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

// Encrypted Client Hello at the gateway (RFC 9849).

const PUBLIC = 'public.test';
const HIDDEN = 'hidden.test';
const SERVED = `certificate: local\nnames: [${PUBLIC}, ${HIDDEN}]\necho: true`;

const key = () => generateEchKey(nodeCrypto, { publicName: PUBLIC });
const listOf = ({ config }: ReturnType<typeof key>): Uint8Array => encodeEchConfigList([config]);

async function visit({ port, ca }: TestGateway, configs: Uint8Array): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername: HIDDEN, ca, ech: { configs } });
  await once(socket, 'secureConnect');
  return socket;
}

/** Why the engine ended the connection. */
async function failure(gateway: TestGateway, configs: Uint8Array): Promise<TlsError> {
  try {
    await visit(gateway, configs);
    throw new Error('it did not fail');
  } catch (error) {
    const { cause } = error as Error;
    if (cause instanceof TlsError) return cause;
    throw error;
  }
}

describe('ech:', () => {
  test('names are hidden with the key of the first file, and with older ones', async () => {
    const folder = folderWith();
    const [fresh, old] = [key(), key()];
    writeFileSync(join(folder, 'new.pem'), echKeyToPem(fresh));
    writeFileSync(join(folder, 'old.pem'), echKeyToPem(old));
    const gateway = await startGateway([`${SERVED}\nech: [new.pem, old.pem]`], { folder });
    for (const own of [fresh, old]) {
      const socket = await visit(gateway, listOf(own));
      socket.end('x');
      expect(await readAll(socket)).toBe('x');
      expect(socket.connectionInfo?.ech).toBe('accepted');
    }
  });

  test('who has another key is told the first one, and no older one', async () => {
    const folder = folderWith();
    const [fresh, old] = [key(), key()];
    writeFileSync(join(folder, 'new.pem'), echKeyToPem(fresh));
    writeFileSync(join(folder, 'old.pem'), echKeyToPem(old));
    const gateway = await startGateway([`${SERVED}\nech: [new.pem, old.pem]`], { folder });
    const error = await failure(gateway, listOf(key()));
    expect(error).toMatchObject({ code: 'ech-rejected', retryConfigs: listOf(fresh) });
    const again = await visit(gateway, error.retryConfigs!);
    expect(again.connectionInfo?.ech).toBe('accepted');
    again.destroy();
  });

  test('without it nothing is told', async () => {
    const error = await failure(await startGateway([SERVED]), listOf(key()));
    expect(error).toMatchObject({ code: 'ech-rejected', retryConfigs: undefined });
  });

  test('a reload takes the keys that are there then, and keeps the old ones where that fails', async () => {
    const folder = folderWith();
    const [first, second] = [key(), key()];
    const file = join(folder, 'ech.pem');
    writeFileSync(file, echKeyToPem(first));
    const gateway = await startGateway([`${SERVED}\nech: [ech.pem]`], { folder });
    writeFileSync(file, echKeyToPem(second));
    await gateway.gateway.reload();
    expect(await failure(gateway, listOf(first))).toMatchObject({ retryConfigs: listOf(second) });
    (await visit(gateway, listOf(second))).destroy();
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40));
    await gateway.gateway.reload();
    (await visit(gateway, listOf(second))).destroy();
  });

  test.each([
    ['a file that is not there', undefined, /cannot read the ECH key: there is no such file/],
    ['a file that is none', 'nothing', /must hold one PRIVATE KEY.*testudo ech keygen/],
    [
      'a key of another configuration',
      echKeyToPem({ ...key(), privateKey: key().privateKey }),
      /does not belong to its configuration/,
    ],
  ])('%s is found before anything is served', async (_what, content, message) => {
    const folder = folderWith();
    if (content !== undefined) writeFileSync(join(folder, 'ech.pem'), content);
    await expect(startGateway([`${SERVED}\nech: [ech.pem]`], { folder })).rejects.toThrow(message);
  });

  test('a public name without a certificate is found before anything is served', async () => {
    const folder = folderWith();
    writeFileSync(join(folder, 'ech.pem'), echKeyToPem(key()));
    const lines = `certificate: local\nnames: [${HIDDEN}]\necho: true\nech: [ech.pem]`;
    await expect(startGateway([lines], { folder })).rejects.toThrow(/clients see the name public\.test/);
  });

  test('a wildcard certificate is one for the public name', async () => {
    const folder = folderWith();
    const own = generateEchKey(nodeCrypto, { publicName: 'public.site.test' });
    writeFileSync(join(folder, 'ech.pem'), echKeyToPem(own));
    const lines = `certificate: local\nnames: ["*.site.test", ${HIDDEN}]\necho: true\nech: [ech.pem]`;
    const gateway = await startGateway([lines], { folder });
    (await visit(gateway, listOf(own))).destroy();
  });

  test('needs TLS 1.3', async () => {
    const lines = `${SERVED}\nech: [ech.pem]\nmaxVersion: 1.2`;
    await expect(startGateway([lines])).rejects.toThrow(/ech needs TLSv1.3/);
  });
});

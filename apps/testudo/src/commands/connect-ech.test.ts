import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBase64 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { type EchKey, echKeyToPem, encodeEchConfigList, generateEchKey } from '@testudo/tls';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { main } from '../cli.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { testIo } from '../testing/io.ts';
import { startGateway, stopAll, type TestGateway } from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

const PUBLIC = 'public.test';
const HIDDEN = 'hidden.test';
const key = () => generateEchKey(nodeCrypto, { publicName: PUBLIC });
const base64Of = ({ config }: EchKey): string => toBase64(encodeEchConfigList([config]));

/** A gateway with ECH, and the folder with its key and its CA. */
async function world(own: EchKey): Promise<TestGateway & { folder: string }> {
  const folder = folderWith();
  writeFileSync(join(folder, 'ech.pem'), echKeyToPem(own));
  const lines = `certificate: local\nnames: [${PUBLIC}, ${HIDDEN}]\nfolder: .\nech: [ech.pem]`;
  const gateway = await startGateway([lines], { folder });
  writeFileSync(join(folder, 'ca.pem'), gateway.ca);
  return { ...gateway, folder };
}

async function connect({ port, folder }: { port: number; folder: string }, ...args: string[]) {
  const io = testIo();
  const code = await main(
    [
      'connect',
      `127.0.0.1:${port}`,
      '--ca',
      join(folder, 'ca.pem'),
      '--servername',
      HIDDEN,
      '--no-input',
      ...args,
    ],
    io,
  );
  return { code, out: io.out(), err: io.err() };
}

describe('testudo connect --ech', () => {
  test('says that the name was hidden', async () => {
    const own = key();
    const { code, err } = await connect(await world(own), '--ech', base64Of(own));
    expect(code).toBe(0);
    expect(err).toMatch(/ECH +accepted: nobody on the way saw the server name/);
    expect(err).toMatch(/server name +hidden\.test/);
  });

  test('takes the value as a DNS record has it, and the file of the key', async () => {
    const own = key();
    const at = await world(own);
    for (const source of [`ech="${base64Of(own)}"`, join(at.folder, 'ech.pem')]) {
      const { code, out } = await connect(at, '--ech', source, '--json');
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ ok: true, ech: 'accepted' });
    }
  });

  test('an old key: it says what to try instead, and that works', async () => {
    const own = key();
    const at = await world(own);
    const { code, err } = await connect(at, '--ech', base64Of(key()));
    expect(code).toBe(4);
    expect(err).toContain(`--ech ${base64Of(own)}`);
    const json = await connect(at, '--ech', base64Of(key()), '--json');
    const { error } = JSON.parse(json.out) as { error: { code: string; retryConfigs: string } };
    expect(error).toMatchObject({ code: 'ech-rejected', retryConfigs: base64Of(own) });
    expect((await connect(at, '--ech', error.retryConfigs)).code).toBe(0);
  });

  test('a server without a certificate for the public name is not believed', async () => {
    const at = await world(key());
    const other = generateEchKey(nodeCrypto, { publicName: 'other.test' });
    const { code, err } = await connect(at, '--ech', base64Of(other));
    expect(code).toBe(1);
    expect(err).toContain('other.test');
    expect(err).not.toContain('--ech A');
  });

  test('a server that does without: it says what that means', async () => {
    const folder = folderWith();
    const gateway = await startGateway([`certificate: local\nnames: [${PUBLIC}, ${HIDDEN}]\nfolder: .`], {
      folder,
    });
    writeFileSync(join(folder, 'ca.pem'), gateway.ca);
    const { code, err } = await connect({ ...gateway, folder }, '--ech', base64Of(key()));
    expect(code).toBe(4);
    expect(err).toContain('does not use Encrypted Client Hello: without --ech it can be reached');
  });

  test('grease', async () => {
    const { code, err } = await connect(await world(key()), '--ech', 'grease');
    expect(code).toBe(0);
    expect(err).toMatch(/ECH +only for show \(GREASE\)/);
  });

  test.each([
    ['what is no list', 'no-such-file', 'neither base64 nor a file'],
    [
      'a list of another version',
      Buffer.from([0, 6, 0xfe, 0x0a, 0, 2, 1, 2]).toString('base64'),
      'no configuration can be used',
    ],
  ])('%s is a wrong use', async (_what, source, message) => {
    const io = testIo();
    expect(await main(['connect', '127.0.0.1:1', '--ech', source], io)).toBe(2);
    expect(io.err()).toContain(message);
  });
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// Node's client for the web takes 2 MB of heap and 50 ms, and is loaded by whoever imports `node:http` by name. On the build.

test.each(['@testudo/x509/node', '@testudo/tls/node', '@testudo/tls/https', '@testudo/tls/http2', 'testudo'])(
  'importing %s does not load what it does not need',
  async (door) => {
    const program = `
      await import('${door}');
      console.log(JSON.stringify(process.moduleLoadList));`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--no-warnings',
      '--input-type=module',
      '-e',
      program,
    ]);
    const loaded = JSON.parse(stdout) as string[];
    expect(loaded).toContain('NativeModule net');
    expect(loaded.filter((name) => /undici|WebSocket/i.test(name))).toEqual([]);
  },
);

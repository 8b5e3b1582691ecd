import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type * as support from '../testing/support.ts';
import { flag, flagValue } from './command-line.ts';

const before = process.execArgv;
afterEach(() => {
  process.execArgv = before;
  vi.unstubAllEnvs();
});

describe('flags', () => {
  test.each([
    [['--tls-keylog=/a=b'], '', '/a=b'],
    [['--tls-keylog', '/a'], '', '/a'],
    [[], '--trace-tls --tls-keylog=/a', '/a'],
    [['--tls-keylog=/a'], '--tls-keylog=/b', '/a'],
    [['--tls-keylog-of-others=/a'], '', undefined],
    [[], '', undefined],
  ])('%j with NODE_OPTIONS %j', (execArgv, options, value) => {
    process.execArgv = execArgv;
    vi.stubEnv('NODE_OPTIONS', options);
    expect(flagValue('--tls-keylog')).toBe(value);
    expect(flag('--trace-tls')).toBe(options.includes('--trace-tls'));
  });
});

describe('a program that was started with --tls-keylog and --trace-tls', () => {
  const folder = mkdtempSync(join(tmpdir(), 'testudo-keylog-'));
  const file = join(folder, 'keys');
  const warnings: string[] = [];
  const written: string[] = [];
  let started: typeof support;

  beforeAll(async () => {
    process.execArgv = [`--tls-keylog=${file}`, '--trace-tls'];
    vi.stubEnv('NODE_OPTIONS', '');
    vi.resetModules();
    vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    started = await import('../testing/support.ts');
    const { client } = await started.connected(started.ours, started.ours);
    client.end();
    await once(client.resume(), 'close');
  });
  afterAll(() => {
    vi.restoreAllMocks();
    started.closeAll();
    rmSync(folder, { recursive: true });
  });

  test('writes the secrets as NSS does', () => {
    const labels = readFileSync(file, 'latin1')
      .trim()
      .split('\n')
      .map((line) => {
        expect(line).toMatch(/^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,96}$/);
        return line.split(' ')[0];
      });
    const expected = [
      'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'CLIENT_TRAFFIC_SECRET_0',
      'EXPORTER_SECRET',
      'SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'SERVER_TRAFFIC_SECRET_0',
    ];
    expect([...new Set(labels)].sort()).toEqual(expected);
  });

  test('shows the messages, and warns of both once', () => {
    expect(written.join('')).toContain('Sent client_hello');
    expect(warnings.filter((text) => text.includes('--tls-keylog'))).toHaveLength(1);
    expect(warnings.filter((text) => text.includes('--trace-tls'))).toHaveLength(1);
  });
});

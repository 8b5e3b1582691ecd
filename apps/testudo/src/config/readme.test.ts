import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from './load.ts';
import { planOf } from './plan.ts';

const README = join(import.meta.dirname, '../../README.md');

test('the configuration in the README is one', () => {
  const [, yaml] = /```yaml\n(data:[\s\S]*?)```/.exec(readFileSync(README, 'utf8'))!;
  const plan = planOf(parseConfig(yaml!, 'testudo.yaml'), 'testudo.yaml');
  expect(plan.acme?.challenges).toEqual(['tls-alpn-01', 'http-01']);
  expect(plan.listeners[0]!.certificates.map(({ kind }) => kind)).toEqual(['files', 'local', 'acme']);
});

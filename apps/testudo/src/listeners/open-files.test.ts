import { expect, test } from 'vitest';
import { demoPlan } from '../gateway/demo.ts';
import { openFilesLimit, openFilesWarning } from './open-files.ts';

const demo = demoPlan({ https: 0, echo: 0 });

test('fewer files than connections may need are told with what to do', () => {
  expect(openFilesWarning(demo, 2063)).toBe(
    'limits.connections allows 2000 connections, which take up to 2064 open files, but the system allows 2063: raise the limit (ulimit -n, or LimitNOFILE= in a systemd unit), or lower limits.connections',
  );
  expect(openFilesWarning(demo, 2064)).toBeUndefined();
  expect(openFilesWarning(demo, Number.POSITIVE_INFINITY)).toBeUndefined();
});

test('what has something behind it takes two', () => {
  const [first] = demo.listeners;
  const forward = { ...first!, service: { kind: 'forward', target: { host: 'a', port: 1 } } } as const;
  expect(openFilesWarning({ ...demo, listeners: [forward] }, 2063)).toContain(
    'which take up to 2064 open files',
  );
});

test('the limit is known, or there is none', () => expect(openFilesLimit()).toBeGreaterThan(0));

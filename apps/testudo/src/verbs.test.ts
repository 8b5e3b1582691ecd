import { describe, expect, test } from 'vitest';
import { main } from './cli.ts';
import { testIo } from './testing/io.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = testIo();
  const code = await main(args, io);
  return { code, out: io.out(), err: io.err() };
}

describe('a verb that does not exist is an error, with or without a wish for help', () => {
  test.each([
    ['nosuch', "unknown command 'nosuch'. (see testudo --help)"],
    ['nosuch --help', "unknown command 'nosuch'. (see testudo --help)"],
    ['--help nosuch', "unknown command 'nosuch'. (see testudo --help)"],
    ['--version nosuch', "unknown command 'nosuch'. (see testudo --help)"],
    ['-h nosuch', "unknown command 'nosuch'. (see testudo --help)"],
    ['-- nosuch --help', "unknown command 'nosuch'. (see testudo --help)"],
    ['conect x:1 --help', "unknown command 'conect'. Did you mean connect? (see testudo --help)"],
    ['ca isue --help', "unknown command 'isue'. Did you mean issue? (see testudo ca --help)"],
    ['ca --help isue', "unknown command 'isue'. Did you mean issue? (see testudo ca --help)"],
    ['ca nosuch x.test', "unknown command 'nosuch'. (see testudo ca --help)"],
    ['ech keygn -h', "unknown command 'keygn'. Did you mean keygen? (see testudo ech --help)"],
    ['UP', "unknown command 'UP'. Did you mean up? (see testudo --help)"],
    ['help', "unknown command 'help'. (see testudo --help)"],
    ['constructor --help', "unknown command 'constructor'. (see testudo --help)"],
  ])('testudo %s', async (line, message) => {
    expect(await run(...line.split(' '))).toEqual({ code: 2, out: '', err: `testudo: ${message}\n` });
  });
});

test.each([
  ['--help', /^Usage: testudo \[options\]/],
  ['ca --help', /^Usage: testudo ca /],
  ['ca issue --help', /^Usage: testudo ca issue /],
  ['up -h', /^Usage: testudo up /],
])('testudo %s is help that was asked for', async (line, expected) => {
  expect(await run(...line.split(' '))).toEqual({ code: 0, out: expect.stringMatching(expected), err: '' });
});

test.each([
  ['up --chek', "testudo: unknown option '--chek'. Did you mean --check?\n(see testudo up --help)\n"],
  ['ca issue', "testudo: missing required argument 'name'\n(see testudo ca issue --help)\n"],
  ['up extra', /^testudo: too many arguments for 'up'.*\n\(see testudo up --help\)\n$/],
])('testudo %s names the help of its own verb', async (line, expected) => {
  const { code, err } = await run(...line.split(' '));
  expect([code, err]).toEqual([2, typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
});

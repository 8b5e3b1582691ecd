import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '@testudo/codec';
import type { Certificate } from '@testudo/x509';
import { afterAll, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { ChallengeBoard, sniFor } from './challenge-board.ts';
import { pauseAfter } from './managed-certificate.ts';
import { renewalInfoName, renewalTime } from './renewal.ts';
import { SharedAnswers } from './shared-answers.ts';
import { retryAfterOf } from './transport.ts';

afterAll(removeFolders);

const DAY = 86_400_000;

function certificate(serialNumber: string, days = 90): Certificate {
  const keyIdentifier = fromHex('69885b6b87464041e1b37b847ba0ae2cde01c8d4');
  return {
    serialNumber: fromHex(serialNumber),
    notBefore: new Date(0),
    notAfter: new Date(days * DAY),
    extensions: { authorityKeyIdentifier: { keyIdentifier } },
  } as unknown as Certificate;
}

describe('the time for a renewal', () => {
  test('is shortly before two thirds of a certificate\u2019s life are over, not the same for all', () => {
    const times = ['01', '02', '03', '04', '05', '06'].map(
      (serial) => renewalTime(certificate(serial)) / DAY,
    );
    for (const time of times) {
      expect(time).toBeLessThanOrEqual(60);
      expect(time).toBeGreaterThanOrEqual(57);
    }
    expect(new Set(times).size).toBe(6);
    expect(renewalTime(certificate('01'))).toBe(renewalTime(certificate('01')));
  });

  test('is in the window that the CA suggests', () => {
    const time = renewalTime(certificate('07'), { start: 5 * DAY, end: 6 * DAY });
    expect(time).toBeGreaterThanOrEqual(5 * DAY);
    expect(time).toBeLessThan(6 * DAY);
  });

  test('is asked for by the name of RFC 9773 \u00a74.1', () => {
    expect(renewalInfoName(certificate('0087654321'))).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  });
});

describe('after a failure', () => {
  test('the pause doubles, up to six hours, with a part that is random', () => {
    expect([1, 2, 3, 9, 10, 50].map((failures) => pauseAfter(failures, undefined, 0) / 60_000)).toEqual([
      1, 2, 4, 256, 360, 360,
    ]);
    expect(pauseAfter(1, undefined, 1)).toBe(72_000);
  });

  test('what the CA wants is kept to, for a week at most', () => {
    expect(pauseAfter(1, DAY, 0)).toBe(DAY);
    expect(pauseAfter(10, 1000, 0)).toBe(6 * 3_600_000);
    expect(pauseAfter(1, 1000 * DAY, 0)).toBe(7 * DAY);
  });

  test.each([
    ['120', 120_000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 60_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', undefined],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['99999999999999999999', undefined],
    [undefined, undefined],
  ])('Retry-After: %s', (value, delay) => expect(retryAfterOf(value, 0)).toBe(delay));
});

describe('the board of challenges', () => {
  test('shows what is up, and nothing after it was taken down', () => {
    const board = new ChallengeBoard();
    const remove = board.answerHttp('token', 'token.key');
    expect(board.keyAuthorization('token')).toBe('token.key');
    expect(board.keyAuthorization('other')).toBeUndefined();
    remove();
    expect(board.keyAuthorization('token')).toBeUndefined();
    const removeTls = board.answerTls('A.test', 'token.key');
    expect(board.credentialsFor({ serverName: 'a.test' })).toHaveLength(1);
    expect(board.credentialsFor({ serverName: 'b.test' })).toEqual([]);
    expect(board.credentialsFor({ serverName: undefined })).toEqual([]);
    removeTls();
    expect(board.credentialsFor({ serverName: 'a.test' })).toEqual([]);
  });

  test('shows what another one has put into the same folder, while it is there', () => {
    const folder = join(folderWith(), 'challenges');
    const [one, other] = [0, 1].map(() => new ChallengeBoard(new SharedAnswers(folder)));
    const removals = [
      one!.answerHttp('token', 'token.key'),
      one!.answerTls('a.test', 'token.key'),
      one!.answerTls('192.0.2.10', 'token.key'),
    ];
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(other!.keyAuthorization('token')).toBe('token.key');
    expect(other!.credentialsFor({ serverName: 'a.test' })).toHaveLength(1);
    expect(other!.credentialsFor({ serverName: '10.2.0.192.in-addr.arpa' })).toHaveLength(1);
    // None of these leads to another file, or to the answer for another name.
    for (const wrong of [
      '../challenges/http-token',
      '',
      '.',
      '..',
      'x'.repeat(5000),
      'token\0',
      'tls-a.test',
    ])
      expect(other!.keyAuthorization(wrong)).toBeUndefined();
    for (const serverName of ['../a.test', 'a.test/', 'A.test', 'b.test', ''])
      expect(other!.credentialsFor({ serverName })).toEqual([]);
    for (const remove of removals) remove();
    expect(other!.keyAuthorization('token')).toBeUndefined();
    expect(other!.credentialsFor({ serverName: 'a.test' })).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a damaged answer of another one is none', () => {
    const folder = folderWith({
      'tls-a.test': 'a.test',
      'tls-b.test': 'a.test x',
      'http-t': 'x'.repeat(5000),
    });
    const board = new ChallengeBoard(new SharedAnswers(folder));
    for (const serverName of ['a.test', 'b.test']) expect(board.credentialsFor({ serverName })).toEqual([]);
    expect(board.keyAuthorization('t')).toBeUndefined();
  });

  test('a newer answer is not taken down by an older one\u2019s end', () => {
    const board = new ChallengeBoard();
    const first = board.answerTls('a.test', 'one');
    board.answerTls('a.test', 'two');
    first();
    expect(board.credentialsFor({ serverName: 'a.test' })).toHaveLength(1);
  });

  test.each([
    [['acme-tls/1'], true],
    [['acme-tls/1', 'h2'], false],
    [['h2'], false],
    [[], false],
  ])('a check offers that protocol alone: %s', (alpnProtocols, expected) =>
    expect(new ChallengeBoard().isCheck({ alpnProtocols })).toBe(expected),
  );

  // RFC 8738 §6 and RFC 3596 §2.5.
  test.each([
    ['One.test', 'one.test'],
    ['192.0.2.10', '10.2.0.192.in-addr.arpa'],
    ['2001:db8::567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ])('%s is asked for as %s', (name, sni) => expect(sniFor(name)).toBe(sni));
});

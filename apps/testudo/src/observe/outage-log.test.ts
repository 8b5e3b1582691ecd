import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { testLog } from '../testing/test-gateway.ts';
import { OutageLog } from './outage-log.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const texts = { first: 'is down', more: 'failed more', over: 'is back' };
const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
const minute = (): void => void vi.advanceTimersByTime(60_000);

function outage(over: boolean): { log: OutageLog; said: () => (string | number)[][] } {
  const { log, lines } = testLog();
  const { first, more } = texts;
  return {
    log: new OutageLog(log, { target: 'a:1' }, over ? texts : { first, more }),
    said: () =>
      lines().map(({ msg, count, target }) => {
        expect(target).toBe('a:1');
        return count === undefined ? [String(msg)] : [String(msg), Number(count)];
      }),
  };
}

describe('an outage', () => {
  test('is a line at once with its reason, then a count each minute, and one line when it is over', () => {
    const { log, lines } = testLog();
    const one = new OutageLog(log, { target: 'a:1' }, texts);
    one.worked();
    expect(lines()).toEqual([]);
    for (let i = 0; i < 500; i++) one.failed(refused);
    const reason = 'connection refused: nothing listens there';
    expect(lines()).toMatchObject([{ level: 40, target: 'a:1', reason, msg: 'is down' }]);
    minute();
    expect(lines().slice(1)).toMatchObject([{ level: 40, count: 499, reason, msg: 'failed more' }]);
    one.failed(refused);
    minute();
    expect(lines().slice(2)).toMatchObject([{ count: 1, msg: 'failed more' }]);
    for (let i = 0; i < 7; i++) one.failed(refused);
    for (let i = 0; i < 100; i++) one.worked();
    expect(lines().slice(3)).toMatchObject([{ level: 30, target: 'a:1', count: 7, msg: 'is back' }]);
    minute();
    minute();
    expect(lines()).toHaveLength(4);
  });

  test('that nobody meets for a minute is not spoken of, and begins anew', () => {
    const { log, said } = outage(true);
    log.failed(refused);
    minute();
    minute();
    log.failed(refused);
    expect(said()).toEqual([['is down'], ['is down']]);
    log.worked();
    expect(said().slice(2)).toEqual([['is back']]);
  });

  test('of every other attempt is a few lines a minute', () => {
    const { log, said } = outage(true);
    const flutter = (): void => {
      for (let i = 0; i < 1000; i++) {
        log.failed(refused);
        log.worked();
      }
    };
    flutter();
    expect(said()).toEqual([['is down'], ['is back']]);
    minute();
    expect(said().slice(2)).toEqual([['failed more', 999], ['is back']]);
    flutter();
    expect(said()).toHaveLength(4);
    minute();
    expect(said().slice(4)).toEqual([['failed more', 1000], ['is back']]);
  });

  test('that comes back in the same minute is told with that minute', () => {
    const { log, said } = outage(true);
    log.failed(refused);
    log.worked();
    log.failed(refused);
    expect(said()).toEqual([['is down'], ['is back']]);
    minute();
    expect(said().slice(2)).toEqual([['failed more', 1]]);
    log.worked();
    expect(said().slice(3)).toEqual([['is back']]);
  });

  test('says what was counted when it is asked to, and nothing twice', () => {
    const { log, said } = outage(true);
    for (let i = 0; i < 3; i++) log.failed(refused);
    log.flush();
    log.flush();
    minute();
    expect(said()).toEqual([['is down'], ['failed more', 2]]);
  });

  test('of single connections has no end to tell', () => {
    const { log, said } = outage(false);
    for (let i = 0; i < 3; i++) log.failed(refused);
    log.worked();
    minute();
    expect(said()).toEqual([['is down'], ['failed more', 2]]);
  });
});

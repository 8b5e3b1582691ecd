import { DecodeError } from '../errors.ts';
import { Tag, tagName } from './tags.ts';

/**
 * UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`: with seconds, without fractions, in UTC
 * (RFC 5280 §4.1.2.5.1, §4.1.2.5.2). Throws {@link DecodeError}, also on a day that no calendar has.
 */
export function decodeDerTime(tag: number, content: Uint8Array, offset = 0): Date {
  const yearDigits = tag === Tag.utcTime ? 2 : tag === Tag.generalizedTime ? 4 : 0;
  if (yearDigits === 0)
    throw new DecodeError('bad-value', `${tagName(tag)} where a time was expected`, offset);
  if (content.length !== yearDigits + 11 || content[content.length - 1] !== 0x5a)
    throw new DecodeError('bad-value', `a ${tagName(tag)} that is not in UTC with whole seconds`, offset);
  const digits = (at: number, count: number): number => {
    let value = 0;
    for (let i = at; i < at + count; i++) {
      const digit = content[i]! - 0x30;
      if (digit < 0 || digit > 9)
        throw new DecodeError('bad-value', `a ${tagName(tag)} with a non-digit`, offset);
      value = value * 10 + digit;
    }
    return value;
  };
  let year = digits(0, yearDigits);
  if (yearDigits === 2) year += year >= 50 ? 1900 : 2000;
  const [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map((at) => digits(yearDigits + at, 2)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const exists =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!exists) throw new DecodeError('bad-value', `a ${tagName(tag)} that is not a date and time`, offset);
  return date;
}

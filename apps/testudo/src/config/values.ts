import { z } from 'zod';
import { AddressError } from './address.ts';
import { durationText, LONGEST_TIMER, parseDuration } from './duration.ts';

// The kinds of values in a configuration. `form` is how the reference calls each; for lists, choices and switches it can tell.

export const text = z.string().min(1, 'must not be empty').meta({ form: 'text' });
export const filePath = text.meta({ form: 'a file' });
export const folderPath = text.meta({ form: 'a folder' });
export const variable = text.meta({ form: 'a name' });
export const flag = z.boolean();

/** At least one of them; `one` is what messages call it. */
export function listOf<T extends z.ZodType>(element: T, one: string): z.ZodArray<T> {
  return z
    .array(element)
    .min(1, `needs at least one ${one}`)
    .meta({ form: `a list of ${one}s` });
}

export function oneOf<const T extends string>(
  values: readonly T[],
  error = `must be one of ${values.join(', ')}`,
): z.ZodEnum<{ [K in T]: K }> {
  return z.enum(values, { error });
}

/** `on` and `off` are words in YAML 1.2. */
export const onOff = z
  .preprocess(
    (value) => (value === 'on' ? true : value === 'off' ? false : value),
    z.boolean({ error: 'must be on or off' }),
  )
  .meta({ form: '`on` or `off`' });

/** `1.2` is a number in YAML, so both spellings are taken. */
export const version = z
  .preprocess(
    (value) =>
      typeof value === 'number' || typeof value === 'string'
        ? String(value)
            .replace(/^(?=1(\.|$))/, 'TLSv')
            .replace(/^TLSv1\.0$/, 'TLSv1')
        : value,
    z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'], { error: 'must be TLSv1.2 or TLSv1.3' }),
  )
  .meta({ form: '`TLSv1.2` or `TLSv1.3`' });

export const count = z
  .number()
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(1_000_000, 'must be at most 1000000')
  .meta({ form: 'a number' });

const TIME_FORM = 'must be a time such as "10s", "5m" or "500ms"';

/** Milliseconds of a time as it is written, up to so many days. */
export const durationUpTo = (days: number) =>
  z
    .union([z.string(), z.number()], { error: TIME_FORM })
    .transform((value, context) => {
      const milliseconds = parseDuration(String(value));
      if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= days * DAY) return milliseconds;
      const message =
        milliseconds === undefined ? TIME_FORM : `must be more than 0, and at most ${days} days`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ form: `a time, at most ${durationText(days * DAY)}` });

const DAY = 86_400_000;
/** What a timer can wait. */
export const duration = durationUpTo(Math.floor(LONGEST_TIMER / DAY)).meta({ form: 'a time' });

export const address = <T>(parse: (value: string) => T) =>
  z
    .string({ error: 'must be an address in quotes, such as "127.0.0.1:8443"' })
    .transform((value, context) => {
      try {
        return parse(value);
      } catch (error) {
        if (!(error instanceof AddressError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    })
    .meta({ form: 'an address' });

/** A URL that `isGood`; `message` says how one looks. */
export const webAddress = (isGood: (url: URL) => boolean, message: string) =>
  text
    .transform((value, context) => {
      const url = URL.canParse(value) ? new URL(value) : undefined;
      if (url !== undefined && isGood(url)) return url;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ form: 'a URL' });

/** Options that may also be refused as a whole with one of `off`, or taken with all their defaults with one of `on`. */
export const orOff = <T extends z.ZodObject>(
  options: T,
  { on, off, error }: { on: readonly unknown[]; off: readonly unknown[]; error: string },
) =>
  z.preprocess(
    (value) => (off.includes(value) ? false : on.includes(value) ? {} : value),
    z.union([z.literal(false), options], { error }),
  );

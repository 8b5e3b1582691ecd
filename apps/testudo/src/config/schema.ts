import { z } from 'zod';
import { LOG_LEVELS } from '../output/log.ts';
import { ACME_CHALLENGES, ACME_KEY_TYPES } from './acme-choices.ts';
import { AddressError, parseListenAddress, parseTarget } from './address.ts';
import type { Config } from './config.ts';
import { LONGEST_TIMER, parseDuration } from './duration.ts';
import { LIMITS, type LimitName } from './limits.ts';

const text = z.string().min(1, 'must not be empty');
const filePath = text;
const flag = z.boolean();

/** `on` and `off` are words in YAML 1.2. */
const onOff = z.preprocess(
  (value) => (value === 'on' ? true : value === 'off' ? false : value),
  z.boolean({ error: 'must be on or off' }),
);

/** `1.2` is a number in YAML, so both spellings are taken. */
const version = z.preprocess(
  (value) =>
    typeof value === 'number' || typeof value === 'string'
      ? String(value)
          .replace(/^(?=1(\.|$))/, 'TLSv')
          .replace(/^TLSv1\.0$/, 'TLSv1')
      : value,
  z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'], { error: 'must be TLSv1.2 or TLSv1.3' }),
);

const TIME_FORM = 'must be a time such as "10s", "5m" or "500ms"';

const durationUpTo = (most: number) =>
  z.union([z.string(), z.number()], { error: TIME_FORM }).transform((value, context) => {
    const milliseconds = parseDuration(String(value));
    if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= most) return milliseconds;
    const message =
      milliseconds === undefined ? TIME_FORM : `must be more than 0, and at most ${most / DAY} days`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const DAY = 86_400_000;
const duration = durationUpTo(Math.floor(LONGEST_TIMER / DAY) * DAY);

const address = <T>(parse: (value: string) => T) =>
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
    });

const upstream = text.transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'http:' && url.username === '' && url.search === '' && url.hash === '') return url;
  context.addIssue({
    code: 'custom',
    message: 'must be a URL such as "http://127.0.0.1:3000", with http://',
  });
  return z.NEVER;
});

/** A certificate: `local` from the local CA, `acme` from a CA on the net, or a PEM file with its key. */
const certificate = z.strictObject({
  /** `local`, `acme`, or a PEM file: the certificate, then the intermediates. */
  certificate: text,
  key: filePath.optional(),
  passphraseFile: filePath.optional(),
  passphraseEnv: text.optional(),
  names: z.array(text).min(1, 'needs at least one name').optional(),
  default: flag.optional(),
});

const count = z
  .number()
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(1_000_000, 'must be at most 1000000');

/** Each with its meaning: `LIMITS` is its documentation, too. */
const limits = z.strictObject(
  Object.fromEntries(
    Object.entries(LIMITS).map(([name, { kind, text: meaning }]) => [
      name,
      (kind === 'count' ? count : duration).describe(meaning).optional(),
    ]),
  ) as unknown as Record<LimitName, z.ZodOptional<z.ZodType<number>>>,
);

const clientRevocation = z.strictObject({
  crls: z.array(filePath).min(1, 'needs at least one file').optional(),
  online: flag.optional(),
  mode: z.enum(['hard-fail', 'soft-fail'], { error: 'must be hard-fail or soft-fail' }).optional(),
  scope: z.enum(['path', 'leaf'], { error: 'must be path or leaf' }).optional(),
});

/** Neither lives longer than a ticket may: RFC 9846 §4.7.1. */
const tickets = z.strictObject({
  rotate: durationUpTo(7 * DAY).optional(),
  lifetime: durationUpTo(7 * DAY).optional(),
  keys: z.array(filePath).min(1, 'needs at least one file').optional(),
});

const hsts = z.strictObject({
  maxAge: durationUpTo(3650 * DAY).optional(),
  includeSubDomains: flag.optional(),
  preload: flag.optional(),
});

const listener = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]{1,40}$/, 'must have 1 to 40 letters, digits, ".", "_" or "-"')
    .optional(),
  listen: address(parseListenAddress),
  // One certificate…
  certificate: text.optional(),
  key: filePath.optional(),
  passphraseFile: filePath.optional(),
  passphraseEnv: text.optional(),
  names: z.array(text).min(1, 'needs at least one name').optional(),
  // … or several.
  certificates: z.array(certificate).min(1, 'needs at least one certificate').optional(),
  minVersion: version.optional(),
  maxVersion: version.optional(),
  cipherSuites: z.array(text).min(1, 'needs at least one suite').optional(),
  groups: z.array(text).min(1, 'needs at least one group').optional(),
  alpn: z
    .array(text.max(255, 'must have at most 255 characters'))
    .min(1, 'needs at least one protocol')
    .optional(),
  clientCertificate: z
    .enum(['none', 'optional', 'required'], { error: 'must be none, optional or required' })
    .optional(),
  clientCa: filePath.optional(),
  clientRevocation: clientRevocation.optional(),
  strictSni: flag.optional(),
  requireAlpn: flag.optional(),
  stapling: onOff.optional(),
  tickets: z
    .preprocess(
      (value) => (value === 'off' ? false : value === 'on' || value === true ? {} : value),
      z.union([z.literal(false), tickets]),
    )
    .optional(),
  ech: z.array(filePath).min(1, 'needs at least one file').optional(),
  earlyData: z
    .custom<boolean | number>(isEarlyData, {
      error: 'must be true, false, or a number of bytes from 1 to 1048576',
    })
    .optional(),
  dangerouslyAllowLegacy: flag.optional(),
  // One of these says what is behind.
  forward: address(parseTarget).optional(),
  proxy: upstream.optional(),
  folder: filePath.optional(),
  echo: flag.optional(),
  welcome: flag.optional(),
  // For `folder` and `proxy`.
  dotfiles: flag.optional(),
  trustForwarded: flag.optional(),
  hsts: z.preprocess((value) => (value === true ? {} : value), z.union([z.literal(false), hsts])).optional(),
  limits: limits.optional(),
});

const directory = text.transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.hash === '') return url;
  context.addIssue({ code: 'custom', message: 'must be the URL of an ACME directory, with https://' });
  return z.NEVER;
});

const acme = z.strictObject({
  directory: directory.optional(),
  email: z
    .string()
    .regex(/^[^\s@,?]+@[^\s@,?]+$/, 'must be a mail address')
    .optional(),
  termsAgreed: z.literal(true, {
    error: 'must be true: say so once you have read the terms of the CA and agree to them',
  }),
  challenges: z
    .array(z.enum(ACME_CHALLENGES, { error: `must be one of ${ACME_CHALLENGES.join(', ')}` }))
    .min(1, 'needs at least one challenge')
    .optional(),
  http: address(parseListenAddress).optional(),
  externalAccount: z.strictObject({ keyId: text, macKeyFile: filePath }).optional(),
  keyType: z.enum(ACME_KEY_TYPES, { error: `must be one of ${ACME_KEY_TYPES.join(', ')}` }).optional(),
  ca: filePath.optional(),
});

const config = z.strictObject({
  listeners: z
    .array(listener, { error: 'must be a list of listeners' })
    .min(1, 'needs at least one listener'),
  data: filePath.optional(),
  drain: duration.optional(),
  logLevel: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).optional(),
  acme: acme.optional(),
});

/** What a configuration file may say: see {@link Config}. Keys that are not known are refused. */
export const configSchema: z.ZodType<Config> = config;

function isEarlyData(value: unknown): boolean {
  const isCount = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1_048_576;
  return typeof value === 'boolean' || isCount;
}

/** The keys that may stand at `path`: to suggest one. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  let at: unknown = config;
  for (const step of path) {
    at = unwrapped(at);
    at =
      at instanceof z.ZodArray
        ? at.element
        : at instanceof z.ZodObject
          ? at.shape[step as string]
          : undefined;
  }
  at = unwrapped(at);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional) return unwrapped(schema.unwrap());
  if (schema instanceof z.ZodPipe) return unwrapped(schema.out);
  if (schema instanceof z.ZodUnion)
    return schema.options.map(unwrapped).find((option) => option instanceof z.ZodObject);
  return schema;
}

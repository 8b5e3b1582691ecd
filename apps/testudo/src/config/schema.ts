import { z } from 'zod';
import { LOG_LEVELS } from '../output/log-level.ts';
import { ACME_CHALLENGES, ACME_KEY_TYPES } from './acme-choices.ts';
import { parseListenAddress } from './address.ts';
import { listenerSchema } from './listener-schema.ts';
import { address, duration, filePath, folderPath, listOf, oneOf, text, webAddress } from './values.ts';

const externalAccount = z.strictObject({
  keyId: text.describe('what the CA calls the account'),
  macKeyFile: filePath.describe('the key that it gave for the account'),
});

/** A CA on the net: Let's Encrypt, or another one that speaks ACME (RFC 8555). */
const acme = z.strictObject({
  directory: webAddress(
    (url) => url.protocol === 'https:' && url.username === '' && url.hash === '',
    'must be the URL of an ACME directory, with https://',
  )
    .prefault('https://acme-v02.api.letsencrypt.org/directory')
    .describe('the CA; without it Let’s Encrypt'),
  email: z
    .string()
    .regex(/^[^\s@,?]+@[^\s@,?]+$/, 'must be a mail address')
    .meta({ form: 'a mail address' })
    .describe('for the CA’s notes about the account')
    .optional(),
  termsAgreed: z
    .literal(true, {
      error: 'must be true: say so once you have read the terms of the CA and agree to them',
    })
    .describe('you have read the terms of the CA and agree to them'),
  challenges: listOf(oneOf(ACME_CHALLENGES), 'challenge')
    .meta({
      form: 'a list of `tls-alpn-01`, `http-01`',
      standard: '`tls-alpn-01`, and `http-01` where there is `http`',
    })
    .describe('how it is shown that a name is yours, by preference')
    .optional(),
  http: address(parseListenAddress)
    .describe('a plain listener, such as `":80"`, that answers http-01 and sends everybody else to https')
    .optional(),
  externalAccount: externalAccount
    .describe('your account at the CA that the new one is bound to (RFC 8555 §7.3.4)')
    .optional(),
  keyType: oneOf(ACME_KEY_TYPES).prefault('p256').describe('of the certificates, from the next one on'),
  ca: filePath
    .meta({ standard: 'the public roots' })
    .describe('PEM: whom to trust for the directory itself')
    .optional(),
});

/** What a configuration file may say: each option once, with its kind, default and meaning. Keys that are not known are refused. */
export const configSchema = z.strictObject({
  listeners: z
    .array(listenerSchema, { error: 'must be a list of listeners' })
    .min(1, 'needs at least one listener')
    .meta({ form: 'a list of listeners' })
    .describe('what the gateway serves'),
  data: folderPath
    .meta({ standard: 'as without a configuration' })
    .describe('where the local CA lives')
    .optional(),
  drain: duration
    .prefault('10s')
    .describe(
      'time that open connections get to finish after SIGTERM or SIGINT, or when their listener is gone',
    ),
  logLevel: oneOf(LOG_LEVELS).prefault('info').describe('how much is logged'),
  acme: acme.describe('how `certificate: acme` gets its certificates').optional(),
});

/** A configuration as the schema has checked it: times are milliseconds, and defaults that depend on nothing else are filled in. */
export type Config = Readonly<z.infer<typeof configSchema>>;
export type AcmeConfig = Readonly<z.infer<typeof acme>>;

/** What counts where a configuration says nothing, of its listener at a free port, too. */
export const DEFAULT_CONFIG: Config = configSchema.parse({ listeners: [{ listen: ':0' }] });

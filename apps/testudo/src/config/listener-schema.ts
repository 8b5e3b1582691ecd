import { DEFAULT_MAX_EARLY_DATA } from '@testudo/tls';
import { z } from 'zod';
import { parseListenAddress, parseTarget } from './address.ts';
import { HTTP_PROTOCOLS, LIFETIME_WITH_REVOCATION, LOCAL_NAMES } from './defaults.ts';
import { durationText } from './duration.ts';
import {
  ALL_SERVICES,
  HTTP_SERVICES,
  LIMITS,
  type LimitName,
  limitStandard,
  type ServiceKind,
} from './limits.ts';
import {
  address,
  count,
  duration,
  durationUpTo,
  filePath,
  flag,
  folderPath,
  listOf,
  oneOf,
  onOff,
  orOff,
  text,
  variable,
  version,
  webAddress,
} from './values.ts';

/** `local` from the local CA, `acme` from a CA on the net, or a PEM file with its key. */
const source = text
  .meta({ form: '`local`, `acme` or a file' })
  .describe(
    'from the local CA, from the CA of the block `acme` (renewed ahead of its end, without a restart), or PEM: the certificate, then the intermediates',
  );

const certificateOptions = {
  key: filePath.describe('the private key of a certificate in a file').optional(),
  passphraseFile: filePath.describe('for an encrypted key: the passphrase is its first line').optional(),
  passphraseEnv: variable
    .describe('for an encrypted key: the passphrase is in this variable of the environment')
    .optional(),
  names: listOf(text, 'name')
    .meta({ standard: `those in it; for \`local\`: ${LOCAL_NAMES.join(', ')}` })
    .describe('the names in SNI that it serves; `acme` asks for them, and needs them said')
    .optional(),
};

const certificate = z.strictObject({
  certificate: source,
  ...certificateOptions,
  default: flag
    .prefault(false)
    .meta({ standard: 'the first one is' })
    .describe('for other names, and for clients without SNI'),
});

const limits = z.strictObject(
  Object.fromEntries(
    Object.entries(LIMITS).map(([name, { kind, text: meaning, services }]) => [
      name,
      (kind === 'count' ? count : duration)
        .meta({
          services: services === ALL_SERVICES ? [] : services,
          standard: limitStandard(name as LimitName),
        })
        .describe(meaning)
        .optional(),
    ]),
  ) as unknown as Record<LimitName, z.ZodOptional<z.ZodType<number>>>,
);

const clientRevocation = z.strictObject({
  crls: listOf(filePath, 'file').default([]).describe('CRLs, PEM or DER'),
  online: flag.prefault(false).describe('also ask the OCSP responders and lists that certificates name'),
  mode: oneOf(['hard-fail', 'soft-fail'], 'must be hard-fail or soft-fail')
    .prefault('hard-fail')
    .describe('with `soft-fail`, a client whose status cannot be found out is let in'),
  scope: oneOf(['path', 'leaf'], 'must be path or leaf')
    .prefault('path')
    .describe('which certificates are asked about: with those of CAs, or the client’s alone'),
});

/** Neither time is longer than a ticket may live: RFC 9846 §4.7.1. */
const tickets = z.strictObject({
  rotate: durationUpTo(7)
    .meta({ standard: '12h' })
    .describe('after this, a new key seals; the old one still opens what it has sealed')
    .optional(),
  lifetime: durationUpTo(7)
    .meta({ standard: `1d; with \`clientRevocation\` ${durationText(LIFETIME_WITH_REVOCATION)}` })
    .describe('for how long a session can be resumed')
    .optional(),
  keys: listOf(filePath, 'file')
    .meta({ standard: 'keys of its own' })
    .describe('keys that several machines share, 48 bytes each: the first seals')
    .optional(),
});

const hsts = z.strictObject({
  // A year, as browsers' preload lists ask for.
  maxAge: durationUpTo(3650).prefault('365d').describe('for how long browsers remember it'),
  includeSubDomains: flag.prefault(false).describe('for all names below, too'),
  preload: flag.prefault(false).describe('browsers may take it into their lists'),
});

/** Options that may only be said for some services, even where they say the default. */
export const ONLY_FOR: Readonly<Record<'dotfiles' | 'trustForwarded', readonly ServiceKind[]>> = {
  dotfiles: ['folder'],
  trustForwarded: ['proxy'],
};

/** One address: its certificates, its TLS, and the one service behind it. */
export const listenerSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]{1,40}$/, 'must have 1 to 40 letters, digits, ".", "_" or "-"')
    .meta({ form: 'text', standard: 'its number and address' })
    .describe('for logs')
    .optional(),
  listen: address(parseListenAddress).describe(
    'such as `":443"` (every address), `"127.0.0.1:8443"`, `"[::1]:8443"`',
  ),
  // One certificate…
  certificate: source.optional(),
  ...certificateOptions,
  // … or several.
  certificates: listOf(certificate, 'certificate')
    .describe('several, in place of one right here; the one that you prefer first')
    .optional(),
  minVersion: version
    .meta({ standard: '`TLSv1.2`' })
    .describe('`TLSv1` and `TLSv1.1` only with `dangerouslyAllowLegacy`')
    .optional(),
  maxVersion: version.meta({ standard: '`TLSv1.3`' }).describe('the newest that is agreed on').optional(),
  cipherSuites: listOf(text, 'suite')
    .meta({ standard: 'the engine’s, in `packages/tls/src/config/defaults.ts`' })
    .describe('by preference, with their IANA names')
    .optional(),
  groups: listOf(text, 'group')
    .meta({ standard: 'the engine’s, in `packages/tls/src/config/defaults.ts`' })
    .describe('key exchange groups by preference, such as `X25519MLKEM768`, `x25519`, `secp256r1`')
    .optional(),
  alpn: listOf(text.max(255, 'must have at most 255 characters'), 'protocol')
    .meta({ standard: `\`${HTTP_PROTOCOLS.join(', ')}\` in front of HTTP, else none` })
    .describe('application protocols by preference')
    .optional(),
  clientCertificate: oneOf(['none', 'optional', 'required'], 'must be none, optional or required')
    .meta({ standard: '`required` with `clientCa`, else `none`' })
    .describe('whether clients are asked for one')
    .optional(),
  clientCa: filePath.describe('the CAs that issue clients’ certificates').optional(),
  clientRevocation: clientRevocation
    .meta({ standard: 'not asked' })
    .describe('whether clients’ certificates are revoked')
    .optional(),
  strictSni: flag
    .prefault(false)
    .describe('refuse clients that want a name that no certificate is for, or none'),
  requireAlpn: flag.prefault(false).describe('refuse clients that offer no application protocol'),
  stapling: onOff.prefault('on').describe('OCSP responses for certificates that name a responder'),
  tickets: orOff(tickets, {
    on: ['on', true],
    off: ['off', false],
    error: 'must be on, off, or options such as "lifetime: 1d"',
  })
    .meta({ form: '`on`, `off` or options' })
    .prefault('on')
    .describe('sessions that clients can resume'),
  ech: listOf(filePath, 'file')
    .default([])
    .describe('Encrypted Client Hello, with keys of `testudo ech keygen`; the first is told to clients'),
  earlyData: z
    .custom<boolean | number>(isEarlyData, {
      error: 'must be true, false, or a number of bytes from 1 to 1048576',
    })
    .transform((value) => (value === true ? DEFAULT_MAX_EARLY_DATA : value === false ? 0 : value))
    .meta({ form: '`true`, `false` or bytes' })
    .prefault(false)
    .describe(
      `0-RTT, ${DEFAULT_MAX_EARLY_DATA} bytes or as many as said; the service gets it when the handshake has shown that it is no copy`,
    ),
  dangerouslyAllowLegacy: flag
    .prefault(false)
    .describe('lets `minVersion` be `TLSv1` or `TLSv1.1`, which are broken (RFC 8996)'),
  // One of these says what is behind.
  forward: address(parseTarget).describe('what is behind: any TCP service').optional(),
  proxy: webAddress(
    (url) => url.protocol === 'http:' && url.username === '' && url.search === '' && url.hash === '',
    'must be a URL such as "http://127.0.0.1:3000", with http://',
  )
    .describe('what is behind: an HTTP/1.1 server, with WebSocket')
    .optional(),
  folder: folderPath.describe('what is behind: files, read only').optional(),
  echo: flag.prefault(false).describe('what is behind: a service that sends back what comes'),
  welcome: flag.prefault(false).describe('what is behind: a page that shows each client its own connection'),
  // See ONLY_FOR: what is not said stays undefined.
  dotfiles: flag
    .meta({ services: ONLY_FOR.dotfiles, standard: '`false`' })
    .describe('serve names that begin with a dot')
    .optional(),
  trustForwarded: flag
    .meta({ services: ONLY_FOR.trustForwarded, standard: '`false`' })
    .describe('keep the client’s X-Forwarded fields; only behind a proxy of yours')
    .optional(),
  hsts: orOff(hsts, {
    on: [true],
    off: [false],
    error: 'must be true, false, or options such as "maxAge: 30d"',
  })
    .meta({ form: '`true`, `false` or options', services: HTTP_SERVICES })
    .prefault(false)
    .describe('Strict-Transport-Security (RFC 6797 §6.1)'),
  limits: limits.prefault({}).describe('what a client may take'),
});

function isEarlyData(value: unknown): boolean {
  const isCount = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1_048_576;
  return typeof value === 'boolean' || isCount;
}

/** Times are milliseconds by now; what has a default that depends on nothing else has it. */
export type ListenerConfig = Readonly<z.infer<typeof listenerSchema>>;
export type CertificateConfig = Readonly<z.infer<typeof certificate>>;
export type LimitsConfig = Readonly<z.infer<typeof limits>>;
export type HstsConfig = Readonly<z.infer<typeof hsts>>;

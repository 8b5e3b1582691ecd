import type { VersionName } from '@testudo/tls';
import type { LogLevel } from '../output/log.ts';
import type { AcmeChallenge, AcmeKeyType } from './acme-choices.ts';
import type { Address } from './address.ts';
import type { LimitName } from './limits.ts';

/** A configuration file, as `schema.ts` has checked it. Times are milliseconds by now. */
export interface Config {
  readonly listeners: readonly ListenerConfig[];
  /** Folder of the local CA. Default: as without a configuration. */
  readonly data?: string | undefined;
  /** Time that open connections get to finish when the gateway ends. Default 10 s. */
  readonly drain?: number | undefined;
  /** Default `info`. */
  readonly logLevel?: LogLevel | undefined;
  /** How `certificate: acme` gets its certificates. */
  readonly acme?: AcmeConfig | undefined;
}

export interface AcmeConfig {
  /** Default: Let's Encrypt. */
  readonly directory?: URL | undefined;
  readonly email?: string | undefined;
  readonly termsAgreed: true;
  /** By preference. Default: `tls-alpn-01`, and `http-01` where there is `http`. */
  readonly challenges?: readonly AcmeChallenge[] | undefined;
  readonly http?: Address | undefined;
  readonly externalAccount?: { readonly keyId: string; readonly macKeyFile: string } | undefined;
  /** Of the certificates, from the next one on. Default `p256`. */
  readonly keyType?: AcmeKeyType | undefined;
  readonly ca?: string | undefined;
}

export interface CertificateConfig {
  /** `local`, `acme`, or a PEM file: the certificate, then the intermediates. */
  readonly certificate: string;
  readonly key?: string | undefined;
  /** A file, or a variable of the environment, with the passphrase of an encrypted key. */
  readonly passphraseFile?: string | undefined;
  readonly passphraseEnv?: string | undefined;
  /** The names in SNI that it serves. Default: those in it; for `local`: localhost and the loopback addresses. */
  readonly names?: readonly string[] | undefined;
  /** For clients whose name fits none. Default: the first. */
  readonly default?: boolean | undefined;
}

export interface ListenerConfig {
  /** For logs. Default: its number and address. */
  readonly name?: string | undefined;
  readonly listen: Address;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly passphraseFile?: string | undefined;
  readonly passphraseEnv?: string | undefined;
  readonly names?: readonly string[] | undefined;
  readonly certificates?: readonly CertificateConfig[] | undefined;
  readonly minVersion?: VersionName | undefined;
  readonly maxVersion?: VersionName | undefined;
  readonly cipherSuites?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  /** Default: `http/1.1` in front of HTTP, none in front of a TCP service. */
  readonly alpn?: readonly string[] | undefined;
  /** Default: `required` with `clientCa`, else `none`. */
  readonly clientCertificate?: 'none' | 'optional' | 'required' | undefined;
  readonly clientCa?: string | undefined;
  /** Default: not asked. */
  readonly clientRevocation?: ClientRevocationConfig | undefined;
  /** Refuse clients that want a name that no certificate is for, or none. Default false. */
  readonly strictSni?: boolean | undefined;
  /** Refuse clients that offer no application protocol. Default false. */
  readonly requireAlpn?: boolean | undefined;
  /** Sessions that clients can resume. Default: a day, with keys of our own that are replaced twice a day. */
  readonly tickets?: false | TicketConfig | undefined;
  /**
   * Files with keys for Encrypted Client Hello, as `testudo ech keygen` makes them: clients are told those of the first one,
   * the others are older. Default: none.
   */
  readonly ech?: readonly string[] | undefined;
  /** Take early data (0-RTT), 16,384 bytes or as many as said. The service gets it when the handshake is complete. Default false. */
  readonly earlyData?: boolean | number | undefined;
  /** Take TLS 1.0 and 1.1 where `minVersion` names them. Default false. */
  readonly dangerouslyAllowLegacy?: boolean | undefined;
  /** Staple OCSP responses to certificates that name a responder. Default true. */
  readonly stapling?: boolean | undefined;
  /** A TCP service to forward the plaintext to. */
  readonly forward?: (Address & { readonly host: string }) | undefined;
  /** An HTTP server to pass requests on to. */
  readonly proxy?: URL | undefined;
  /** A folder to serve over HTTP. */
  readonly folder?: string | undefined;
  /** Sends back what comes: for tests. */
  readonly echo?: boolean | undefined;
  /** The page that shows a client its own connection. */
  readonly welcome?: boolean | undefined;
  /** Serve files whose name begins with a dot. Default false. */
  readonly dotfiles?: boolean | undefined;
  /** Keep the client's X-Forwarded headers: only behind another proxy of yours. Default false. */
  readonly trustForwarded?: boolean | undefined;
  /** Strict-Transport-Security. Default none; `true` is a year. */
  readonly hsts?: false | HstsConfig | undefined;
  readonly limits?: LimitsConfig | undefined;
}

export interface ClientRevocationConfig {
  readonly crls?: readonly string[] | undefined;
  readonly online?: boolean | undefined;
  /** Default `hard-fail`. */
  readonly mode?: 'hard-fail' | 'soft-fail' | undefined;
  /** Default `path`. */
  readonly scope?: 'path' | 'leaf' | undefined;
}

export interface TicketConfig {
  readonly rotate?: number | undefined;
  readonly lifetime?: number | undefined;
  /** Files of 48 bytes each; the first seals. */
  readonly keys?: readonly string[] | undefined;
}

export interface HstsConfig {
  readonly maxAge?: number | undefined;
  readonly includeSubDomains?: boolean | undefined;
  readonly preload?: boolean | undefined;
}

/** What each means, and its default, says `LIMITS` in `limits.ts`. */
export type LimitsConfig = { readonly [K in LimitName]?: number | undefined };

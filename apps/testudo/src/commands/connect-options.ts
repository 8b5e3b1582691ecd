import { existsSync, readFileSync } from 'node:fs';
import { systemCrypto } from '@testudo/crypto/openssl';
import {
  type ClientConfig,
  type ClientOptions,
  clientConfig,
  credential,
  decodeSession,
  type Session,
  TlsError,
  type VersionName,
} from '@testudo/tls';
import { CertificateError, LogList, parsePrivateKey, TrustStore } from '@testudo/x509';
import { systemRoots } from '@testudo/x509/node';
import { InvalidArgumentError } from 'commander';
import { AddressError, parseTarget } from '../config/address.ts';
import { serverVerifier } from '../connect/server-verifier.ts';
import { RecordingVerifier } from '../connect/verdict.ts';
import { EXIT, Failure, systemReason } from '../failure.ts';
import { loadCertificates, loadIdentity } from '../identity/certificate-files.ts';
import { readEchConfigList } from '../identity/ech-configs.ts';
import { PASSPHRASE_HINTS, passphraseSource } from '../identity/passphrase.ts';

/** What the command line of `testudo connect` says. */
export interface ConnectOptions {
  readonly ca?: string;
  readonly servername?: string;
  readonly alpn?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly passphraseEnv?: string;
  readonly insecure?: boolean;
  readonly min?: VersionName;
  readonly max?: VersionName;
  readonly groups?: readonly string[];
  readonly ciphers?: readonly string[];
  readonly ech?: string;
  readonly online?: boolean;
  readonly logList?: string;
  readonly session?: string;
  readonly sessionIn?: string;
  readonly sessionOut?: string;
  readonly earlyData?: string;
  readonly timeout: number;
  readonly keylog?: string;
  readonly json?: boolean;
  readonly trace?: boolean;
  /** False with `--no-input`. */
  readonly input: boolean;
}

/** Host and port; 443 when none is given. */
export function targetOf(text: string): { host: string; port: number } {
  try {
    return parseTarget(text.replace(/^https:\/\/([^/]*)\/?$/i, '$1'), 443);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new Failure(error.message, EXIT.usage, error);
  }
}

/** The engine's options. Throws a `Failure` with exit code 2. */
export function engineOptions(options: ConnectOptions): {
  config: ClientConfig;
  verifier: RecordingVerifier;
} {
  try {
    const trust =
      options.ca === undefined ? systemRoots : fixed(new TrustStore(loadCertificates(options.ca)));
    const verifier = new RecordingVerifier(serverVerifier({ trust, online: options.online === true }), {
      insecure: options.insecure,
      trustedBecause:
        options.ca === undefined
          ? 'trusted: on Mozilla\u2019s list, which comes with Node'
          : `trusted: given with --ca ${options.ca}`,
      logs: options.logList === undefined ? undefined : loadLogList(options.logList),
    });
    const config = clientConfig({
      provider: systemCrypto(),
      verifyCertificate: verifier.verify,
      alpnProtocols: options.alpn,
      minVersion: options.min,
      maxVersion: options.max,
      groups: options.groups,
      cipherSuites: options.ciphers,
      credentials: clientCredentials(options),
      requestTimestamps: true,
      ech: echOption(options.ech),
    });
    return { config, verifier };
  } catch (error) {
    if (error instanceof Failure) throw new Failure(error.message, EXIT.usage, error);
    if (error instanceof TlsError) throw new Failure(error.message, EXIT.usage, error);
    throw error;
  }
}

function echOption(ech: string | undefined): ClientOptions['ech'] {
  if (ech === undefined || ech === 'grease') return ech;
  return { configs: readEchConfigList(ech) };
}

/** `--session FILE`: resume the session in it, if it is there, and keep the next one in its place. */
export function withSessionFile(options: ConnectOptions): ConnectOptions {
  const { session } = options;
  if (session === undefined) return options;
  if (options.sessionIn !== undefined || options.sessionOut !== undefined)
    throw new Failure('--session stands for --session-in and --session-out: give it alone', EXIT.usage);
  return { ...options, sessionOut: session, ...(existsSync(session) ? { sessionIn: session } : {}) };
}

/** What to send with the first flight. Throws a `Failure`. */
export function loadEarlyData(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new Failure(`${file}: cannot read the early data: ${systemReason(error)}`, EXIT.usage, error);
  }
}

function loadLogList(file: string): LogList {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`${file}: cannot read the list of logs: ${systemReason(error)}`, EXIT.usage, error);
  }
  try {
    return LogList.parse(text);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new Failure(`${file}: ${error.message}; Google publishes one as log_list.json`, EXIT.usage, error);
  }
}

/** A session that an earlier run kept. Throws a `Failure`. */
export function loadSession(file: string): Session {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new Failure(`${file}: cannot read the session: ${systemReason(error)}`, EXIT.usage, error);
  }
  const session = decodeSession(new Uint8Array(content));
  if (session === undefined)
    throw new Failure(`${file}: this is not a session; make one with --session-out`, EXIT.usage);
  return session;
}

function clientCredentials(options: ConnectOptions): ReturnType<typeof credential>[] {
  const { cert, key } = options;
  const hint = PASSPHRASE_HINTS.flags;
  const passphrase = passphraseSource(options.passphraseFile, options.passphraseEnv, hint);
  if (cert === undefined && key === undefined) {
    if (passphrase === undefined) return [];
    throw new Failure('a passphrase is for a private key: give --cert and --key, too', EXIT.usage);
  }
  if (cert === undefined || key === undefined) {
    throw new Failure('a client certificate needs both --cert and --key', EXIT.usage);
  }
  const { chain, keyPem } = loadIdentity({ certificate: cert, key, passphrase }, hint);
  return [
    credential(
      systemCrypto(),
      chain.map(({ der }) => der),
      parsePrivateKey(keyPem, systemCrypto()),
    ),
  ];
}

export function versionName(text: string): VersionName {
  const name = `TLSv${text.replace(/^tls ?v?/i, '')}`;
  if (name === 'TLSv1.2' || name === 'TLSv1.3') return name;
  throw new InvalidArgumentError('A version is 1.2 or 1.3.');
}

export function nameList(text: string): string[] {
  return text
    .split(/[,:]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** ALPN names may hold a colon. */
export function protocolList(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}

export function secondsAsMilliseconds(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 3600) return seconds * 1000;
  throw new InvalidArgumentError('A timeout is a number of seconds, up to 3600.');
}

function fixed<T>(value: T): () => T {
  return () => value;
}

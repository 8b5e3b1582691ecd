import type { CryptoProvider } from '@testudo/crypto';
import type {
  CertificateCompression,
  ClientCertificateTypes,
  TakenCertificateTypes,
} from '../certificates/types.ts';
import type { EchOffer } from '../ech/chosen-config.ts';
import type { EchServerKeys } from '../ech/keys.ts';
import type { ApplicationSettingsExtension } from '../extensions/application-settings.ts';
import type { FiniteField, Group } from '../groups/index.ts';
import type { ClientOptions } from '../options/client.ts';
import type { AlertChooser } from '../options/common.ts';
import type { CustomExtension } from '../options/custom-extension.ts';
import type { GreasePlace } from '../options/features.ts';
import type { Legacy } from '../options/legacy.ts';
import type { ServerOptions } from '../options/server.ts';
import type { Services } from '../requests.ts';
import type { SignatureScheme } from '../signature-schemes.ts';
import type { CipherSuite } from '../suites/index.ts';
import type { VersionRules } from '../tls12/version-rules.ts';
import type { Version } from '../versions.ts';
import type { ClientSettings, CommonSettings, ServerSettings } from './settings.ts';

/** The common options after checking. */
export interface CommonFeatures {
  readonly custom: readonly CustomExtension[];
  readonly certificateSignatureSchemeIds: number[] | undefined;
  /** HeartbeatMode; undefined without heartbeats. */
  readonly heartbeatMode: number | undefined;
  readonly compressions: readonly CertificateCompression[];
  /** What the keys of delegated credentials may sign with; none where those are not taken. */
  readonly delegationSchemes: readonly SignatureScheme[];
  /** Application settings (ALPS). */
  readonly settings: OwnSettings | undefined;
  /** A server: see `sessionsKeepCertificateHash`. */
  readonly keepsCertificateHash: boolean;
}

export interface ClientFeatures extends CommonFeatures {
  /** MaxFragmentLength code, 1 to 4. */
  readonly maxFragmentLengthCode: number | undefined;
  readonly grease: ReadonlySet<GreasePlace>;
  readonly certificateTypes: ClientCertificateTypes;
}

export interface ServerFeatures extends CommonFeatures, TakenCertificateTypes {
  /** Extensions that a client's certificates may have: what a certificate request asks for. */
  readonly requested: { readonly ids: readonly number[] };
}

/** The options after checking. */
export interface OwnSettings {
  readonly byProtocol: ReadonlyMap<string, Uint8Array>;
  readonly extensions: readonly ApplicationSettingsExtension[];
}

/** Options after checking, with everything that does not change from one connection to the next worked out. */
export interface CommonConfig extends CommonSettings {
  readonly provider: CryptoProvider;
  readonly versions: readonly Version[];
  /** What each version up to 1.2 has of its own. */
  readonly rules: ReadonlyMap<Version, VersionRules>;
  readonly legacy: Legacy | undefined;
  readonly cipherSuites: readonly CipherSuite[];
  readonly groups: readonly Group[];
  /** Those for key shares of TLS 1.3. */
  readonly groups13: readonly Group[];
  /** For DHE, by preference. */
  readonly finiteFields: readonly FiniteField[];
  /** Whether there may be shared keys. */
  readonly hasPsks: boolean;
  readonly signatureSchemes: readonly SignatureScheme[];
  readonly signatureSchemeIds: readonly number[];
  /** Those that TLS 1.2 has. */
  readonly signatureSchemes12: readonly SignatureScheme[];
  /** Those that may sign a handshake of TLS 1.3. */
  readonly signatureSchemes13: readonly SignatureScheme[];
  /** Those of them with which servers may sign. */
  readonly serverSchemes13: readonly SignatureScheme[];
  readonly now: () => number;
  readonly padding: ((length: number) => number) | undefined;
  readonly allocate: (length: number) => Uint8Array;
  readonly splitsRecords: boolean;
  readonly fragmentLength: number;
  readonly limits: { readonly handshakeMessage: number; readonly certificateMessage: number };
  readonly keyUpdateAfter: number;
  readonly alertFor: AlertChooser | undefined;
  readonly exposesSecrets: boolean;
  readonly features: CommonFeatures;
}

/** What a client's handshakes go by. */
export interface ClientTerms extends CommonConfig, ClientSettings {
  readonly services: Services;
  readonly keyShareGroups: readonly Group[];
  readonly features: ClientFeatures;
  readonly echOffer: EchOffer | 'grease' | undefined;
}

/** What `clientConfig` gives: for many connections. */
export interface ClientConfig extends ClientTerms {
  /** What it was made of. No handshake reads it. */
  readonly options: ClientOptions;
}

/** What a server's handshakes go by. */
export interface ServerTerms extends CommonConfig, ServerSettings {
  readonly services: Services;
  readonly features: ServerFeatures;
  readonly ticketCount: number;
  readonly sessionLifetime: number;
  /** Undefined without keys. */
  readonly echServerKeys: EchServerKeys | undefined;
  /** Bytes; 0 where none is taken. */
  readonly maxEarlyData: number;
  /** Milliseconds. */
  readonly earlyDataAgeTolerance: number;
}

/** What `serverConfig` gives: for many connections. */
export interface ServerConfig extends ServerTerms {
  /** What it was made of. No handshake reads it. */
  readonly options: ServerOptions;
}

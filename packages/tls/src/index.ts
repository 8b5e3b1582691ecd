export type { AfterHandshakeOptions, RenegotiationOptions } from './after-handshake-options.ts';
export { ALERTS, type AlertName, alertName } from './alerts.ts';
export {
  type CertificateToVerify,
  type CertificateVerdict,
  type CertificateVerifier,
  dangerouslyAccept,
  verifyWith,
} from './certificate-verdict.ts';
export type { CertificateType } from './certificates/certificate-types.ts';
export { type CertificateVerifierOptions, certificateVerifier } from './certificates/certificate-verifier.ts';
export type { CertificateCompression, CertificateCompressionName } from './certificates/compression.ts';
export type { DelegatedCredential, DelegationInfo } from './certificates/delegated-credential.ts';
export {
  type DelegationRequest,
  delegatedOnlyCredential,
  encodeDelegatedCredential,
  issueDelegatedCredential,
  loadDelegatedCredential,
  type RemoteKey,
} from './certificates/issue-delegation.ts';
export {
  pinnedKeys,
  type RawPublicKeyToVerify,
  type RawPublicKeyVerifier,
  rawPublicKeyCredential,
} from './certificates/raw-public-key.ts';
export type { RevocationOptions } from './certificates/stapled-revocation.ts';
export type { TransparencyOptions } from './certificates/transparency.ts';
export type { ChannelBindingType } from './channel-bindings.ts';
export { Connection } from './connection.ts';
export type { ConnectionEvents } from './connection-events.ts';
export { ConnectionSecrets, type WriteState } from './connection-secrets.ts';
export { type Credential, credential } from './credential.ts';
export type { EchOptions } from './ech/client-config.ts';
export {
  type EchCipherSuite,
  type EchConfig,
  type EchConfigContents,
  type EchConfigExtension,
  encodeEchConfig,
  encodeEchConfigList,
  parseEchConfigList,
} from './ech/config.ts';
export { type EchKey, type EchKeyOptions, generateEchKey } from './ech/keys.ts';
export type { EchOutcome } from './ech/outcome.ts';
export { echKeyToPem, parseEchKeys } from './ech/pem.ts';
export { clientConnection, serverConnection } from './endpoint.ts';
export { type Reason, TlsError, type TlsErrorCode } from './errors.ts';
export { type ExplainedField, type ExplainedMessage, explainMessage } from './explain.ts';
export type { ApplicationSettingsOptions, ExchangedSettings } from './features/application-settings.ts';
export type {
  CustomExtension,
  CustomExtensionPlace,
  ReceivedExtension,
} from './features/custom-extensions.ts';
export type { GreasePlace } from './features/options.ts';
export {
  COOKIE_KEY_LENGTH,
  type RetryCookieSealer,
  RetryCookies,
  type RetryState,
} from './features/retry-cookies.ts';
export type { TrustAnchorAnswer } from './features/trust-anchors.ts';
export { type Ja4Options, ja3, ja3Text, ja4, ja4Text } from './fingerprint/index.ts';
export { GREASE_VALUES, isGrease } from './grease.ts';
export { GROUPS, type Group, groupById, groupByName } from './groups.ts';
export type { ConnectionInfo, FalseStartInfo } from './handshake/result.ts';
export type { HeartbeatRequest } from './heartbeat/heartbeat.ts';
export { KeepAlive, type KeepAliveParts, type StartTimer } from './heartbeat/keep-alive.ts';
export type { HeartbeatMode } from './heartbeat/negotiation.ts';
export { SizeProbe } from './heartbeat/size-probe.ts';
export { handshakeTypeName, type RawMessage } from './messages/handshake-type.ts';
export { type Direction, type Observer, observers } from './observer.ts';
export {
  type ClientConfig,
  type ClientHelloInfo,
  type ClientOptions,
  type CommonOptions,
  type CredentialChooser,
  clientConfig,
  type ServerConfig,
  type ServerOptions,
  serverConfig,
} from './options.ts';
export type { ExternalPsk, PskLookup, PskRequest } from './psk/external-psk.ts';
export { importPsk, pskIdentity } from './psk/import.ts';
export { contentTypeName } from './record/content-type.ts';
export type { CredentialRequest } from './requests.ts';
export type { EndedSession } from './sessions/abandoned-sessions.ts';
export { type CipherSpec, describeSession, type SessionDescription } from './sessions/description.ts';
export { MemoryReplayGuard, type ReplayGuard } from './sessions/replay-guard.ts';
export { decodeSession, encodeSession, type Session } from './sessions/session.ts';
export { MemorySessionStore, type SessionStore } from './sessions/session-store.ts';
export { TICKET_KEY_LENGTH, TicketKeys, type TicketSealer } from './sessions/ticket-keys.ts';
export {
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  signatureScheme,
  signatureSchemeByName,
} from './signature-schemes.ts';
export {
  CIPHER_SUITES,
  type CipherSuite,
  cipherSuite,
  cipherSuiteByName,
  suiteAvailable,
} from './suites.ts';
export { VERSIONS, type Version, type VersionName, versionName } from './versions.ts';

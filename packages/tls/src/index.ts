export { ALERTS, type AlertName, alertName } from './alerts.ts';
export {
  type CertificateVerifierOptions,
  certificateVerifier,
  verifyWith,
} from './certificates/certificate-verifier.ts';
export { type Credential, credential } from './certificates/credential.ts';
export {
  type DelegationRequest,
  delegatedOnlyCredential,
  encodeDelegatedCredential,
  issueDelegatedCredential,
  loadDelegatedCredential,
  type RemoteKey,
} from './certificates/issue-delegation.ts';
export { pinnedKeys, rawPublicKeyCredential } from './certificates/raw-public-key.ts';
export type { RevocationOptions } from './certificates/stapled-revocation.ts';
export type { TransparencyOptions } from './certificates/transparency.ts';
export type {
  CertificateCompression,
  CertificateCompressionName,
  CertificateType,
  DelegatedCredential,
  RawPublicKeyToVerify,
  RawPublicKeyVerifier,
} from './certificates/types.ts';
export {
  type CertificateToVerify,
  type CertificateVerdict,
  type CertificateVerifier,
  dangerouslyAccept,
} from './certificates/verdict.ts';
export { clientConfig } from './config/client.ts';
export type { ClientConfig, ServerConfig } from './config/config.ts';
export { DEFAULT_MAX_EARLY_DATA } from './config/defaults.ts';
export { serverConfig } from './config/server.ts';
export type { ChannelBindingType } from './connection/channel-bindings.ts';
export { Connection } from './connection/connection.ts';
export { clientConnection, serverConnection } from './connection/endpoint.ts';
export type { ConnectionEvents } from './connection/events.ts';
export { ConnectionSecrets, type WriteState } from './connection/secrets.ts';
export type { EchOptions } from './ech/chosen-config.ts';
export {
  type EchCipherSuite,
  type EchConfig,
  type EchConfigContents,
  type EchConfigExtension,
  encodeEchConfig,
  encodeEchConfigList,
  parseEchConfigList,
} from './ech/config-list.ts';
export { type EchKey, type EchKeyOptions, generateEchKey } from './ech/keys.ts';
export type { EchOutcome } from './ech/outcome.ts';
export { echKeyToPem, parseEchKeys } from './ech/pem.ts';
export { type Reason, TlsError, type TlsErrorCode } from './errors.ts';
export { type ExplainedField, type ExplainedMessage, explainMessage } from './explain.ts';
export {
  COOKIE_KEY_LENGTH,
  type RetryCookieSealer,
  RetryCookies,
  type RetryState,
} from './features/retry-cookies.ts';
export { type Ja4Options, ja3, ja3Text, ja4, ja4Text } from './fingerprint/index.ts';
export { GREASE_VALUES, isGrease } from './grease.ts';
export { GROUPS, type Group, groupById, groupByName } from './groups/index.ts';
export type {
  DelegationInfo,
  ExchangedSettings,
  ReceivedExtension,
  TrustAnchorAnswer,
} from './handshake/negotiated.ts';
export type { ConnectionInfo, FalseStartInfo } from './handshake/result.ts';
export type { HeartbeatRequest } from './heartbeat/heartbeat.ts';
export { KeepAlive, type KeepAliveParts, type StartTimer } from './heartbeat/keep-alive.ts';
export { SizeProbe } from './heartbeat/size-probe.ts';
export type { HeartbeatMode } from './heartbeat/terms.ts';
export { handshakeTypeName, type RawMessage } from './messages/handshake-type.ts';
export { type Direction, type Observer, observers } from './observer.ts';
export type { AfterHandshakeOptions, RenegotiationOptions } from './options/after-handshake.ts';
export type { ClientOptions } from './options/client.ts';
export type { CommonOptions } from './options/common.ts';
export type { CustomExtension, CustomExtensionPlace } from './options/custom-extension.ts';
export type { ApplicationSettingsOptions, GreasePlace } from './options/features.ts';
export type { CredentialChooser, ServerOptions } from './options/server.ts';
export type { ExternalPsk, PskLookup, PskRequest } from './psk/external-psk.ts';
export { importPsk, pskIdentity } from './psk/import.ts';
export { contentTypeName } from './record/content-type.ts';
export type { ClientHelloInfo, CredentialRequest } from './requests.ts';
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
} from './suites/index.ts';
export { VERSIONS, type Version, type VersionName, versionName } from './versions.ts';

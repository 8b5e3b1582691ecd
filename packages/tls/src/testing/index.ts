// The engine as tests outside of the package see it: what `@testudo/tls` does not show, and peers that obey the test.
// The root's package.json gives it the name `#tls/testing`, on the sources only; it is in no tarball.

export { clientServices } from '../config/services.ts';
export { ExtensionBlock } from '../extensions/block.ts';
export { serverCertificateType } from '../extensions/certificate-type.ts';
export { delegatedCredential } from '../extensions/delegated-credential.ts';
export { heartbeat } from '../extensions/heartbeat.ts';
export { keyShare } from '../extensions/key-share.ts';
export {
  extendedMasterSecret,
  postHandshakeAuth,
  renegotiationInfo,
  signatureAlgorithms,
  supportedGroups,
  supportedVersions,
} from '../extensions/negotiation.ts';
export { nextProtocolNegotiation } from '../extensions/next-protocol.ts';
export { serverName, serverNamesFor } from '../extensions/server-names.ts';
export { EXTENSIONS } from '../extensions/table.ts';
export type { Flow } from '../flow.ts';
export type { ClientHandshake, Handshake } from '../handshake/context.ts';
export { receive, send } from '../handshake/message-flow.ts';
export type { Offer } from '../handshake/offer.ts';
export type { HandshakeResult } from '../handshake/result.ts';
export { Transcript } from '../handshake/transcript.ts';
export * as certificateMessages from '../messages/certificate.ts';
export { certificate12, certificate13 } from '../messages/certificate.ts';
export * as certificateRequests from '../messages/certificate-request.ts';
export { certificateRequest13 } from '../messages/certificate-request.ts';
export * as certificateVerifies from '../messages/certificate-verify.ts';
export { certificateVerify } from '../messages/certificate-verify.ts';
export { type ClientHello, clientHello } from '../messages/client-hello.ts';
export { compressedCertificate } from '../messages/compressed-certificate.ts';
export { clientEncryptedExtensions, encryptedExtensions } from '../messages/encrypted-extensions.ts';
export { finished } from '../messages/finished.ts';
export { decodeMessage, encodeMessage, HANDSHAKE_TYPE, type Message } from '../messages/handshake-type.ts';
export { clientKeyExchange, serverKeyExchange } from '../messages/key-exchange.ts';
export { keyUpdate } from '../messages/key-update.ts';
export * as tickets from '../messages/new-session-ticket.ts';
export { nextProtocol } from '../messages/next-protocol.ts';
export { type ServerHello, serverHello } from '../messages/server-hello.ts';
export { abandonedByClients } from '../sessions/abandoned-sessions.ts';
export { cipherSuite13 } from '../suites/index.ts';
export { serverDhParams } from '../tls12/key-exchange/dhe.ts';
export { KEY_EXCHANGES } from '../tls12/key-exchange/index.ts';
export { protectionOf } from '../tls12/protection.ts';
export { connectionKeys, masterSecret } from '../tls12/secrets.ts';
export { rules12 } from '../tls12/version-rules.ts';
export { clientHandshake13 } from '../tls13/client.ts';
export { finishedData } from '../tls13/finished.ts';
export { KeySchedule } from '../tls13/key-schedule.ts';
export { offeredPsks, sendClientHello } from '../tls13/offered-psk.ts';
export type { Opener13, Sealer13 } from '../tls13/record-protection.ts';
export { echWorld, listOf } from './ech.ts';
export { EchPuppet } from './ech-puppet.ts';
export { clientEnd, serverEnd, TestEnd } from './end.ts';
export { fateOf, sameButForEmptyBlock } from './fate.ts';
export { Pair, type Side, splitRecords, type Wire } from './pair.ts';
export { SERVER_NAME, TestPki } from './pki.ts';
export { outcomeOf, type Puppet, refused } from './puppet.ts';
export { PuppetClient13, type WritableClientHello } from './puppet-client13.ts';
export { PuppetServer13 } from './puppet-server13.ts';
export { PuppetClient12, PuppetServer12 } from './puppet12.ts';

// The gateway from within, and what drives it, for tests outside of the app: `#app/testing`, on the sources only.
// It is in no tarball.

export { ChallengeBoard } from '../acme/challenge-board.ts';
export { AcmeStore } from '../acme/store.ts';
export { main } from '../cli.ts';
export { parseConfig } from '../config/load.ts';
export { DEFAULT_TLS, type Plan, planOf } from '../config/plan.ts';
export { Gateway, type GatewaySurroundings } from '../gateway/gateway.ts';
export { CertificateSources } from '../identity/certificate-sources.ts';
export { type LockOwner, lifeOf, ourselves, parseOwner } from '../identity/lock-owner.ts';
export { TlsEndpoint } from '../listeners/tls-endpoint.ts';
export { type StoreOutcome, type TrustedRoot, trustedRoot } from '../trust/stores.ts';
export { type SystemPlaces, systemStore } from '../trust/system-store.ts';
export { folderWith, removeFolders } from './folder.ts';
export { testIo } from './io.ts';
export { TestClock } from './test-clock.ts';
export {
  connectTls,
  listenOn,
  readAll,
  startGateway,
  stopAll,
  type TestGateway,
  tcpServer,
  testLog,
} from './test-gateway.ts';

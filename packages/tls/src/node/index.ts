import { live, type ReplaceableMembers } from './as-node/replaceable-members.ts';
import * as door from './door.ts';

export {
  brotliCertificates,
  certificateCompressions,
  zlibCertificates,
  zstdCertificates,
} from './context/certificate-compression.ts';

/** `node:tls` over this package's engine: `import tls from '@testudo/tls/node'`, or by name. */
export * from './door.ts';

/**
 * The module as an object, as `node:tls` has it: `DEFAULT_CIPHERS`, `DEFAULT_MIN_VERSION`, `DEFAULT_MAX_VERSION`,
 * `DEFAULT_ECDH_CURVE`, `checkServerIdentity` and `createSecureContext` may be replaced on it.
 */
const tls: typeof door = { ...door };
live.tls ??= tls as unknown as ReplaceableMembers;
export default tls;

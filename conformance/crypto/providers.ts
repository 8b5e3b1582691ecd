import type { CryptoProvider } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { opensslCrypto } from '@testudo/crypto/openssl';
import { portableCrypto } from '@testudo/crypto/portable';

/** All providers, for `describe.each`: its `$name` is the provider's. */
export const PROVIDERS: readonly CryptoProvider[] = [nodeCrypto, opensslCrypto(), portableCrypto];

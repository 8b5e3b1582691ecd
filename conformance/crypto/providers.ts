import type { CryptoProvider } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';

/** Both providers, for `describe.each`: its `$name` is the provider's. */
export const PROVIDERS: readonly CryptoProvider[] = [nodeCrypto, portableCrypto];

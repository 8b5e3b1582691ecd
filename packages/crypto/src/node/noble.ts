import { createRequire } from 'node:module';
import type { NobleMlKem } from '../noble-kem.ts';
import type { NobleMlDsa } from '../noble-ml-dsa.ts';

// The provider is synchronous, and `import()` is not. What noble does here takes 0.8 MB of heap that most programs never use.
const require = createRequire(import.meta.url);

export function nobleMlKem(): NobleMlKem {
  return require('@noble/post-quantum/ml-kem.js');
}

export function nobleMlDsa(): NobleMlDsa {
  return require('@noble/post-quantum/ml-dsa.js');
}

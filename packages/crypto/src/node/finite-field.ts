import type { KeyAgreement } from '../provider.ts';

export function finiteField(_prime: Uint8Array, _generator: Uint8Array): KeyAgreement | undefined {
  return undefined;
}

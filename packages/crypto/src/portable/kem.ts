import * as noble from '@noble/post-quantum/ml-kem.js';
import { nobleKem } from '../noble-kem.ts';
import type { Kem, KemName } from '../provider.ts';

export function kem(name: KemName): Kem | undefined {
  return name === 'ml-kem-768' || name === 'ml-kem-1024' ? nobleKem(name, noble) : undefined;
}

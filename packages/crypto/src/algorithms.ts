import type { KeyKind, SignatureAlgorithm } from './provider.ts';

/** Whether a key of this kind can make and check signatures of this algorithm. */
export function fits(algorithm: SignatureAlgorithm, kind: KeyKind): boolean {
  switch (algorithm.name) {
    case 'ecdsa':
      return kind.type === 'ec';
    case 'rsa-pkcs1':
      return kind.type === 'rsa';
    case 'rsa-pss':
      return kind.type === 'rsa' || kind.type === 'rsa-pss';
    default:
      return kind.type === algorithm.name;
  }
}

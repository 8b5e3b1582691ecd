import type { CryptoProvider, CurveName } from '@testudo/crypto';
import { TLS10, TLS12, TLS13, type Version } from '../versions.ts';
import { checkLength, type Group } from './group.ts';

/** What numbers a curve has. */
interface CurveOptions {
  readonly aliases?: readonly string[];
  readonly minVersion?: Version;
  readonly maxVersion?: Version;
}

/** The versions of curves whose number TLS 1.3 did not take over, and of the numbers it gave them instead. */
export const BEFORE_13: CurveOptions = { maxVersion: TLS12 };
export const FROM_13: CurveOptions = { minVersion: TLS13 };

/**
 * Diffie-Hellman on a curve (RFC 9846 §4.3.8.2, §7.4.2, RFC 8422 §5.10). `length` is that of a public value, in bytes.
 */
export function curve(
  id: number,
  name: string,
  curveName: CurveName,
  length: number,
  { aliases = [], minVersion = TLS10, maxVersion = TLS13 }: CurveOptions = {},
): Group {
  const agreement = (provider: CryptoProvider) => provider.keyAgreement(curveName)!;
  const group: Group = {
    id,
    name,
    aliases,
    kind: 'curve',
    minVersion,
    maxVersion,
    available: (provider) => provider.keyAgreement(curveName) !== undefined,
    start(provider) {
      const key = agreement(provider).generate();
      return { group, share: key.publicKey, finish: (peer) => key.agree(checkLength(group, peer, length)) };
    },
    respond(provider, clientShare) {
      const key = agreement(provider).generate();
      return { share: key.publicKey, secret: key.agree(checkLength(group, clientShare, length)) };
    },
  };
  return group;
}

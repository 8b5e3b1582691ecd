import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import { legacyCertificate } from './identity.ts';

/**
 * A chain as `getPeerCertificate(true)` shows it: each certificate has its issuer in `issuerCertificate`, and a
 * self-signed one has itself. Undefined when there is no leaf.
 */
export function detailedCertificate(chain: readonly Uint8Array[]): DetailedPeerCertificate | undefined {
  const shown = chain.map(legacyCertificate).filter((one) => one !== undefined) as DetailedPeerCertificate[];
  const leaf = shown[0];
  if (leaf === undefined) return undefined;
  let below = leaf;
  const left = new Set(shown.slice(1));
  for (;;) {
    if (sameName(below.subject, below.issuer)) {
      below.issuerCertificate = below;
      return leaf;
    }
    const issuer = [...left].find((candidate) => sameName(candidate.subject, below.issuer));
    if (issuer === undefined) return leaf;
    left.delete(issuer);
    below.issuerCertificate = issuer;
    below = issuer;
  }
}

function sameName(a: PeerCertificate['subject'], b: PeerCertificate['subject']): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

import { utf8 } from '@testudo/codec';
import type { CryptoProvider, HashName } from '@testudo/crypto';

const labels = new Map<string, Uint8Array>();

/** HKDF-Expand-Label (RFC 9846 §7.1). */
export function expandLabel(
  provider: CryptoProvider,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const name = labelBytes(label);
  const info = new Uint8Array(4 + name.length + context.length);
  info[0] = length >> 8;
  info[1] = length;
  info[2] = name.length;
  info.set(name, 3);
  info[3 + name.length] = context.length;
  info.set(context, 4 + name.length);
  return provider.hkdfExpand(hash, secret, info, length);
}

/** Labels are few, but an exporter's label is the user's: those are not kept. */
function labelBytes(label: string): Uint8Array {
  const known = labels.get(label);
  if (known !== undefined) return known;
  const bytes = utf8(`tls13 ${label}`);
  if (labels.size < 64) labels.set(label, bytes);
  return bytes;
}

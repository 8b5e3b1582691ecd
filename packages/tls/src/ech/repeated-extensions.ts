import type { ExtensionBlock } from '../extensions/block.ts';
import { statusRequest } from '../extensions/certificate-status.ts';
import { cookie } from '../extensions/cookie.ts';
import { keyShare } from '../extensions/key-share.ts';
import { signatureAlgorithms, signatureAlgorithmsCert, supportedGroups } from '../extensions/negotiation.ts';
import { pskKeyExchangeModes } from '../extensions/pre-shared-key.ts';

/**
 * Extensions that both hellos hold alike, so that they are sent once: large ones, none of which tells anything about the
 * name; and a server's cookie, which it may look for in the outer hello. Always the same ones, as the payload's length shows which they are (RFC 9849 §10.5).
 */
export const REPEATED: ReadonlySet<number> = new Set(
  [
    supportedGroups,
    signatureAlgorithms,
    signatureAlgorithmsCert,
    statusRequest,
    pskKeyExchangeModes,
    keyShare,
    cookie,
  ].map(({ id }) => id),
);

type Block = ExtensionBlock<'client_hello'>;

/** Puts them next to each other, where the first of them stands (RFC 9849 §6.1). */
export function gatherRepeated(inner: Block): void {
  const { ids } = inner;
  const first = ids.findIndex((id) => REPEATED.has(id));
  const isOther = (id: number) => !REPEATED.has(id);
  inner.arrange([
    ...ids.slice(0, first),
    ...ids.filter((id) => REPEATED.has(id)),
    ...ids.slice(first).filter(isOther),
  ]);
}

/** Gives the outer hello the inner one's values, in the inner one's order. */
export function copyRepeated(inner: Block, outer: Block): void {
  const wanted = inner.ids.filter((id) => REPEATED.has(id));
  for (const id of wanted) outer.setRaw(id, inner.getRaw(id)!);
  let next = 0;
  outer.arrange(outer.ids.map((id) => (REPEATED.has(id) ? wanted[next++]! : id)));
}

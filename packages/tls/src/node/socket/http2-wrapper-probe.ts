import type { Socket } from 'node:net';
import { streamWrap } from '../as-node/replaceable-members.ts';

/**
 * Libraries (http2-wrapper, and with it got) make a TLSSocket on a PassThrough, which connects to nothing, just to find
 * Node's class for wrapping streams at it, as we do ourselves. They get the class, and no handshake. True for those.
 */
export function posesAsNodes(socket: Socket): boolean {
  const { prototype } = streamWrap;
  if (prototype === undefined) return false;
  (socket as unknown as { _handle: object })._handle = { _parentWrap: Object.create(prototype) };
  return true;
}

import type { Duplex } from 'node:stream';
import { markAsUntransferable } from 'node:worker_threads';

/** What hears of a stream's events. */
export interface Wired {
  receive(chunk: Uint8Array, isOwned: boolean): void;
  /** Nobody else sees what comes from the transport. */
  readonly ownsChunks: boolean;
  receiveEnd(): void;
  drained(): void;
  baseClosed(): void;
  readonly owner: { onTransportError(error: Error): void; onBaseError(error: Error): void };
}

/** What the socket was given, or made for itself: `isOwn` says that nobody but the owner has it. */
export function wireBase(base: Duplex, wired: Wired, isOwn: boolean): void {
  (base as WiredStream)[WIRED] = wired;
  // An error before the handshake starts must find a listener, too.
  base.on('error', isOwn ? onTransportError : onBaseError);
  base.on('close', onBaseClose);
}

/** What carries the records in the base's place. */
export function wireTransport(transport: Duplex, wired: Wired): void {
  (transport as WiredStream)[WIRED] = wired;
  transport.on('error', onTransportError);
}

/** From now on what comes is heard of. */
export function wireIncoming(transport: Duplex): void {
  transport.on('data', onTransportData);
  transport.on('end', onTransportEnd);
}

export function unwireData(transport: Duplex): void {
  transport.off('data', onTransportData);
}

export function wireDrain(transport: Duplex): void {
  transport.once('drain', onTransportDrain);
}

// The listeners are the same for all streams, which find what is wired by a key: no closure for each connection.

const WIRED: unique symbol = Symbol('testudo link');
type WiredStream = Duplex & { [WIRED]?: Wired };

function onTransportData(this: WiredStream, chunk: Uint8Array): void {
  const wired = this[WIRED]!;
  const { ownsChunks } = wired;
  // The data of its records are views on it: who detached it with one of them would take the others, too.
  if (ownsChunks) markAsUntransferable(chunk.buffer);
  wired.receive(chunk, ownsChunks);
}

function onTransportDrain(this: WiredStream): void {
  this[WIRED]!.drained();
}

function onTransportEnd(this: WiredStream): void {
  this[WIRED]!.receiveEnd();
}

function onTransportError(this: WiredStream, error: Error): void {
  this[WIRED]!.owner.onTransportError(error);
}

function onBaseError(this: WiredStream, error: Error): void {
  this[WIRED]!.owner.onBaseError(error);
}

function onBaseClose(this: WiredStream): void {
  this[WIRED]!.baseClosed();
}

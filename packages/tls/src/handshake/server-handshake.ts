import type { ServerConfig } from '../options.ts';
import type { Handshake } from './handshake.ts';

/** A server's handshake. */
export interface ServerHandshake extends Handshake {
  readonly config: ServerConfig;
}

import type { ExtensionBlock } from '../extensions/block.ts';
import type { Place } from '../extensions/extension.ts';
import { type NegotiatedFeatures, negotiatedOf } from './negotiated.ts';

/** Messages that can hold an extension of the application's own. */
export type CustomExtensionPlace =
  | 'client_hello'
  | 'server_hello_12'
  | 'encrypted_extensions'
  | 'certificate_request'
  | 'new_session_ticket';

/** An extension that the engine does not know, and so only carries. */
export interface CustomExtension {
  /** ExtensionType, 0 to 65535; not one of the engine's own, and not GREASE. */
  readonly id: number;
  /**
   * Its body in each message that holds it, or what makes it; undefined for not this time. A server's answer
   * (`server_hello_12`, `encrypted_extensions`) is sent only to a client that sent the extension, whose body it is given.
   */
  readonly send: {
    readonly [P in CustomExtensionPlace]?:
      | Uint8Array
      | ((received: Uint8Array | undefined) => Uint8Array | undefined);
  };
  /** Called with what the peer sent. It may throw a `TlsError`, which ends the connection. */
  readonly received?: ((place: CustomExtensionPlace, data: Uint8Array) => void) | undefined;
}

/** What a peer's extension held; in `ConnectionInfo`. */
export interface ReceivedExtension {
  readonly id: number;
  readonly place: CustomExtensionPlace;
  readonly data: Uint8Array;
}

/** Adds the application's extensions to a message. `request` is the client's hello where the message answers it. */
export function sendCustomExtensions<P extends CustomExtensionPlace>(
  custom: readonly CustomExtension[],
  block: ExtensionBlock<P>,
  request?: ExtensionBlock<'client_hello'>,
): void {
  for (const { id, send } of custom) {
    const asked = request?.getRaw(id);
    if (isAnswer(block.place) && asked === undefined) continue;
    const body = send[block.place as CustomExtensionPlace];
    const data = typeof body === 'function' ? body(asked) : body;
    if (data !== undefined) block.setRaw(id, data);
  }
}

/** Hands the peer's extensions to the application, and notes them. */
export function receiveCustomExtensions(
  h: { negotiated?: NegotiatedFeatures },
  custom: readonly CustomExtension[],
  block: ExtensionBlock<CustomExtensionPlace>,
): void {
  for (const { id, received } of custom) {
    const data = block.getRaw(id);
    if (data === undefined) continue;
    negotiatedOf(h).customExtensions.push({ id, place: block.place, data });
    received?.(block.place, data);
  }
}

function isAnswer(place: Place): boolean {
  return place === 'server_hello_12' || place === 'encrypted_extensions';
}

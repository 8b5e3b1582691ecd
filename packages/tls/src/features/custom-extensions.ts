import type { ExtensionBlock } from '../extensions/block.ts';
import type { Place } from '../extensions/extension.ts';
import { type NegotiatedFeatures, negotiatedOf } from '../handshake/negotiated.ts';
import type { CustomExtension, CustomExtensionPlace } from '../options/custom-extension.ts';

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

import type { ClientTerms } from '../config/config.ts';
import { alpn } from '../extensions/alpn.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { keyShare } from '../extensions/key-share.ts';
import { signatureAlgorithms, supportedGroups, supportedVersions } from '../extensions/negotiation.ts';
import { padding } from '../extensions/padding.ts';
import { preSharedKey, pskKeyExchangeModes } from '../extensions/pre-shared-key.ts';
import { GREASE_PSK_MODES, GREASE_VALUES } from '../grease.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import type { GreasePlace } from '../options/features.ts';

/** Gives a hello the looks that the options want: GREASE and the order of its extensions. The PSK comes later. */
export function shapeHello(h: ClientHandshake, hello: ClientHello): ClientHello {
  const { grease } = h.config.features;
  const { extensionOrder } = h.config;
  if (extensionOrder !== undefined) order(h, hello.extensions, extensionOrder);
  return grease.size === 0 ? hello : new Grease(h, grease).add(hello);
}

/**
 * Pads the hello to a multiple (RFC 7685 §3); the last thing to do before it is sent, as it counts every byte. Padding stands
 * before pre_shared_key, which must be last.
 */
export function padHello({ helloPadding }: Pick<ClientTerms, 'helloPadding'>, hello: ClientHello): void {
  if (helloPadding === undefined) return;
  const { extensions } = hello;
  extensions.delete(padding);
  const over = encodeMessage(clientHello, hello).length + PADDING_HEADER + 1;
  const psks = extensions.get(preSharedKey);
  extensions.delete(preSharedKey);
  // One byte at least: some servers choke on an empty extension at the end.
  extensions.set(padding, 1 + ((helloPadding - (over % helloPadding)) % helloPadding));
  if (psks !== undefined) extensions.set(preSharedKey, psks);
}

/** Type and length of an extension. */
const PADDING_HEADER = 4;

/** The GREASE of one connection: a value of its own for each place (RFC 8701 §3.1). */
class Grease {
  readonly #random: Uint8Array;
  readonly #places: ReadonlySet<GreasePlace>;
  #at = 0;

  constructor(h: ClientHandshake, places: ReadonlySet<GreasePlace>) {
    this.#random = h.provider.randomBytes(16);
    this.#places = places;
  }

  add(hello: ClientHello): ClientHello {
    const { extensions } = hello;
    const group = this.#value();
    // A share needs its group in the list (RFC 9846 §4.3.8).
    this.#within('groups', () => first(extensions, supportedGroups, group));
    this.#within('keyShares', () => {
      if (!this.#places.has('groups')) return;
      first(extensions, keyShare, { group, keyExchange: Uint8Array.of(0) });
    });
    this.#within('versions', () => first(extensions, supportedVersions, this.#value()));
    this.#within('signatureSchemes', () => first(extensions, signatureAlgorithms, this.#value()));
    this.#within('pskModes', () => this.#addPskMode(extensions));
    this.#within('alpnProtocols', () => {
      const offered = extensions.get(alpn);
      if (offered !== undefined) extensions.set(alpn, [...offered, protocol(this.#value())]);
    });
    const suites = this.#places.has('cipherSuites') ? [this.#value()] : [];
    return {
      ...hello,
      cipherSuites: [...suites, ...hello.cipherSuites],
      extensions: this.#places.has('extensions') ? this.#around(extensions) : extensions,
    };
  }

  /** One extension without a body in front, another with one at the end. */
  #around(extensions: ExtensionBlock<'client_hello'>): ExtensionBlock<'client_hello'> {
    const [before, after] = [this.#value(), this.#value()];
    const block = new ExtensionBlock('client_hello').setRaw(before, new Uint8Array(0));
    for (const [id, value] of extensions.entries()) block.setRaw(id, value as Uint8Array);
    const other = after === before ? GREASE_VALUES[(GREASE_VALUES.indexOf(after) + 1) % 16]! : after;
    return block.setRaw(other, Uint8Array.of(0));
  }

  #addPskMode(extensions: ExtensionBlock<'client_hello'>): void {
    const modes = extensions.get(pskKeyExchangeModes);
    const mode = GREASE_PSK_MODES[this.#next() % GREASE_PSK_MODES.length]!;
    if (modes !== undefined) extensions.set(pskKeyExchangeModes, [...modes, mode]);
  }

  #within(place: GreasePlace, act: () => void): void {
    if (this.#places.has(place)) act();
  }

  #value(): number {
    return GREASE_VALUES[this.#next() % GREASE_VALUES.length]!;
  }

  #next(): number {
    return this.#random[this.#at++]!;
  }
}

/** Puts a value in front of an extension's list, if the extension is there. */
function first<T>(
  extensions: ExtensionBlock<'client_hello'>,
  extension: Parameters<ExtensionBlock<'client_hello'>['set']>[0],
  value: T,
): void {
  const list = extensions.get(extension as never) as T[] | undefined;
  if (list !== undefined) extensions.set(extension as never, [value, ...list] as never);
}

/** The ALPN names of RFC 8701 §2 are the two bytes of the value. */
function protocol(value: number): string {
  return String.fromCharCode(value >> 8, value & 0xff);
}

function order(
  h: ClientHandshake,
  extensions: ExtensionBlock<'client_hello'>,
  wanted: 'shuffle' | readonly number[],
): void {
  const ids = extensions.ids;
  extensions.arrange(wanted === 'shuffle' ? shuffled(h, ids) : wanted);
}

/** Fisher and Yates; with fewer than 2^8 extensions the bias of two bytes is too small to see. */
function shuffled(h: ClientHandshake, ids: readonly number[]): number[] {
  const list = [...ids];
  const random = h.provider.randomBytes(2 * list.length);
  for (let i = list.length - 1; i > 0; i--) {
    const other = ((random[2 * i]! << 8) | random[2 * i + 1]!) % (i + 1);
    [list[i], list[other]] = [list[other]!, list[i]!];
  }
  return list;
}

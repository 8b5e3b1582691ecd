import { type Codec, list, mapped, opaque, struct } from '@testudo/codec';
import { type ExtensionBlock, extensions } from '../extensions/block.ts';
import { type Message, message } from './handshake-type.ts';

export interface CertificateEntry {
  /** X.509, DER. */
  readonly certData: Uint8Array;
  readonly extensions: ExtensionBlock<'certificate'>;
}

/** RFC 9846 §4.5.1. */
export interface Certificate13 {
  /** Empty in a server's; echoes the request's in a client's. */
  readonly certificateRequestContext: Uint8Array;
  /** The leaf first. */
  readonly certificateList: readonly CertificateEntry[];
}

const certificate13Codec: Codec<Certificate13> = struct({
  certificateRequestContext: opaque(1),
  certificateList: list(3, struct({ certData: opaque(3, 1), extensions: extensions('certificate') })),
}) as Codec<Certificate13>;

export const certificate13: Message<Certificate13> = message('certificate', certificate13Codec);

/** RFC 5246 §7.4.2. */
export interface Certificate12 {
  readonly certificateList: readonly Uint8Array[];
}

const certificate12Codec: Codec<Certificate12> = struct({
  certificateList: list(3, opaque(3, 1)),
}) as Codec<Certificate12>;

export const certificate12: Message<Certificate12> = message('certificate', certificate12Codec);

/** RFC 7250 §3: the key in place of the list; a client that has none to show sends nothing. */
export const rawPublicKey12: Message<Certificate12> = message(
  'certificate',
  mapped(
    opaque(3),
    (publicKey) => ({ certificateList: publicKey.length === 0 ? [] : [publicKey] }),
    ({ certificateList: [publicKey] }) => publicKey ?? new Uint8Array(0),
  ),
);

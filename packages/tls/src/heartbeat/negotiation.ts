import type { CommonConfig } from '../config/config.ts';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { heartbeat, PEER_ALLOWED_TO_SEND, PEER_NOT_ALLOWED_TO_SEND } from '../extensions/heartbeat.ts';
import type { Handshake } from '../handshake/context.ts';
import type { HeartbeatMode } from './terms.ts';

/** Throws `bad-option`. */
export function heartbeatModeCode(mode: HeartbeatMode | undefined): number | undefined {
  if (mode === undefined) return undefined;
  if (mode === 'answer') return PEER_ALLOWED_TO_SEND;
  if (mode === 'only-ask') return PEER_NOT_ALLOWED_TO_SEND;
  throw new TlsError('bad-option', `heartbeat must be 'answer' or 'only-ask', not ${String(mode)}`);
}

export function offerHeartbeat(
  { features }: CommonConfig & { readonly features: HeartbeatFeature },
  block: ExtensionBlock<'client_hello'>,
): void {
  if (features.heartbeatMode !== undefined) block.set(heartbeat, features.heartbeatMode);
}

/** A client: what the server said to our offer. */
export function learnHeartbeat(
  h: HandshakeWithFeature,
  answer: ExtensionBlock<'encrypted_extensions'>,
): void {
  const ours = h.config.features.heartbeatMode;
  if (ours !== undefined) agree(h, ours, answer.get(heartbeat));
}

/** A server. */
export function answerHeartbeat(
  h: HandshakeWithFeature,
  asked: ExtensionBlock<'client_hello'>,
  answer: ExtensionBlock<'encrypted_extensions'>,
): void {
  const ours = h.config.features.heartbeatMode;
  if (ours === undefined) return;
  const theirs = asked.get(heartbeat);
  agree(h, ours, theirs);
  if (theirs !== undefined) answer.set(heartbeat, ours);
}

interface HeartbeatFeature {
  /** HeartbeatMode as it stands on the wire; undefined without heartbeats. */
  readonly heartbeatMode: number | undefined;
}

type HandshakeWithFeature = Handshake & { readonly config: { readonly features: HeartbeatFeature } };

function agree(h: HandshakeWithFeature, ours: number, theirs: number | undefined): void {
  if (theirs === undefined) {
    h.channel.useHeartbeat(undefined);
    return;
  }
  if (theirs !== PEER_ALLOWED_TO_SEND && theirs !== PEER_NOT_ALLOWED_TO_SEND)
    throw new TlsError('illegal-parameter', `HeartbeatMode ${theirs} (RFC 6520 §2)`);
  h.channel.useHeartbeat({
    maySend: theirs === PEER_ALLOWED_TO_SEND,
    answers: ours === PEER_ALLOWED_TO_SEND,
    provider: h.provider,
    now: h.config.now,
  });
}

import { TlsError } from '../errors.ts';
import { alpn } from '../extensions/alpn.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { nextProtocolNegotiation } from '../extensions/next-protocol.ts';
import type { Flow } from '../flow.ts';
import type { ClientHandshake, ServerHandshake } from '../handshake/context.ts';
import { receive, send } from '../handshake/message-flow.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import { nextProtocol } from '../messages/next-protocol.ts';
import { SSL30, TLS13 } from '../versions.ts';

// Next Protocol Negotiation (draft-agl-tls-nextprotoneg-04): in the first handshake of a connection, also where it resumes, and
// where ALPN did not decide. Which protocols, the options say by way of legacy/npn.ts.

/** Client: offers it. */
export function offerNpn(
  { config, renegotiates }: ClientHandshake,
  block: ExtensionBlock<'client_hello'>,
): void {
  const { versions, npn } = config;
  if (npn === undefined || renegotiates !== undefined) return;
  if (versions[0]! > SSL30 && versions.some((version) => version < TLS13))
    block.set(nextProtocolNegotiation, null);
}

/** Client: what sends NextProtocol; undefined where the server did not ask for it. Throws `illegal-parameter`. */
export function npnSender(
  h: ClientHandshake,
  answer: ExtensionBlock<'server_hello_12'>,
): (() => void) | undefined {
  const { npn } = h.config;
  if (npn === undefined) return undefined;
  keepProtocol(h);
  const offered = answer.get(nextProtocolNegotiation);
  if (offered === undefined) return undefined;
  if (answer.has(alpn))
    throw new TlsError('illegal-parameter', 'the server negotiates a protocol with both ALPN and NPN');
  const protocol = npn.select(offered);
  negotiatedOf(h).npnProtocol = protocol;
  return () => send(h, nextProtocol, protocol);
}

/** Server: answers an offer unless ALPN did; says what then takes NextProtocol, before the client's Finished. */
export function answerNpn(
  h: ServerHandshake,
  asked: ExtensionBlock<'client_hello'>,
  answer: ExtensionBlock<'server_hello_12'>,
): (() => Flow<void>) | undefined {
  const { npn } = h.config;
  if (npn === undefined) return undefined;
  keepProtocol(h);
  if (asked.get(nextProtocolNegotiation) === undefined) return undefined;
  if (h.renegotiates !== undefined || answer.has(alpn)) return undefined;
  answer.set(nextProtocolNegotiation, [...npn.protocols]);
  return function* () {
    negotiatedOf(h).npnProtocol = yield* receive(h, nextProtocol);
  };
}

/** It holds for the connection. */
function keepProtocol(h: ClientHandshake | ServerHandshake): void {
  const protocol = h.renegotiates?.npnProtocol;
  if (protocol !== undefined) negotiatedOf(h).npnProtocol = protocol;
}

import { bytesEqual, concat } from '@testudo/codec';
import type { CommonSettings } from '../config/settings.ts';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { renegotiationInfo } from '../extensions/negotiation.ts';
import type { PreviousHandshake } from '../handshake/context.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { EMPTY_RENEGOTIATION_INFO_SCSV } from '../suites/index.ts';

const NOTHING = new Uint8Array(0);

interface Renegotiating {
  readonly renegotiates?: PreviousHandshake;
}

type Checking = Renegotiating & { readonly config: Pick<CommonSettings, 'requireSecureRenegotiation'> };

/** What a client says in renegotiation_info: nothing, or its last Finished (RFC 5746 §3.4, §3.5). */
export function clientRenegotiationInfo({ renegotiates }: Renegotiating): Uint8Array {
  return renegotiates?.clientVerifyData ?? NOTHING;
}

/** What a server says: nothing, or the last Finished of both (RFC 5746 §3.6, §3.7). */
export function serverRenegotiationInfo({ renegotiates }: Renegotiating): Uint8Array {
  if (renegotiates === undefined) return NOTHING;
  return concat(renegotiates.clientVerifyData, renegotiates.serverVerifyData);
}

/** A server: tells whether the client knows secure renegotiation. Throws `insecure-renegotiation`. */
export function checkClientRenegotiationInfo(
  h: Checking,
  { extensions, cipherSuites }: ClientHello,
): boolean {
  const info = extensions.get(renegotiationInfo);
  const signal = cipherSuites.includes(EMPTY_RENEGOTIATION_INFO_SCSV);
  if (h.renegotiates === undefined) {
    if (info === undefined || info.length === 0) return known(h, info !== undefined || signal);
    throw insecure('of a first handshake must be empty (RFC 5746 §3.6)');
  }
  if (signal) throw insecure('must not be replaced by the signalling suite (RFC 5746 §3.7)');
  if (info === undefined) throw insecure('is missing in a renegotiation (RFC 5746 §3.7)');
  if (bytesEqual(info, clientRenegotiationInfo(h))) return true;
  throw insecure('does not hold the Finished of the previous handshake (RFC 5746 §3.7)');
}

/** A client: tells whether the server knows secure renegotiation. Throws `insecure-renegotiation`. */
export function checkServerRenegotiationInfo(
  h: Checking,
  extensions: ExtensionBlock<'server_hello_12'>,
): boolean {
  const info = extensions.get(renegotiationInfo);
  if (h.renegotiates === undefined) {
    if (info === undefined || info.length === 0) return known(h, info !== undefined);
    throw insecure('of a first handshake must be empty (RFC 5746 §3.4)');
  }
  if (info === undefined) throw insecure('is missing in a renegotiation (RFC 5746 §3.5)');
  if (bytesEqual(info, serverRenegotiationInfo(h))) return true;
  throw insecure('does not hold the Finished messages of the previous handshake (RFC 5746 §3.5)');
}

/** A first handshake: the peer may do without where that is allowed (RFC 5746 §4.1, §4.3). */
function known({ config }: Checking, isSecure: boolean): boolean {
  if (isSecure || !config.requireSecureRenegotiation) return isSecure;
  throw insecure('is missing, which is required here');
}

function insecure(what: string): TlsError {
  return new TlsError('insecure-renegotiation', `renegotiation_info ${what}`);
}

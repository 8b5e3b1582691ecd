import { fromLatin1 } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import type { NpnClient, NpnServer } from '../options/legacy.ts';

const LONGEST = 255;

/**
 * Next Protocol Negotiation for clients (draft-agl-tls-nextprotoneg-04), up to TLS 1.2: for old servers that know SPDY and no
 * ALPN. `protocols` are ours by preference; the first of the server's list that is among them is taken, and the first of
 * ours when there is none. Or a function that chooses from the server's list; an empty name stands for none. Throws
 * `bad-option` for a name that is empty or longer than 255 bytes.
 *
 * ```
 * import { npnClient } from '@testudo/tls/legacy';
 *
 * clientConfig({ npn: npnClient(['spdy/3', 'http/1.1']), alpnProtocols: ['h2', 'http/1.1'], ... });
 * ```
 */
export function npnClient(
  protocols: readonly string[] | ((offered: readonly string[]) => string),
): NpnClient {
  return { select: typeof protocols === 'function' ? protocols : chooser(protocols) };
}

/**
 * Next Protocol Negotiation for servers, up to TLS 1.2: for old clients that know no ALPN. Tells them `protocols`, by
 * preference, which may be none. The client decides, and may take one that is not in the list, or none: see
 * `npnProtocol` of the connection's info. Throws `bad-option` for a name that is empty or longer than 255 bytes.
 */
export function npnServer(protocols: readonly string[]): NpnServer {
  protocols.forEach(checkName);
  return { protocols: [...protocols] };
}

function chooser(protocols: readonly string[]): NpnClient['select'] {
  const [first] = protocols;
  if (first === undefined) throw new TlsError('bad-option', 'npnClient needs at least one protocol');
  protocols.forEach(checkName);
  return (offered) => offered.find((protocol) => protocols.includes(protocol)) ?? first;
}

function checkName(protocol: string): void {
  const { length } = fromLatin1(protocol);
  if (length < 1 || length > LONGEST)
    throw new TlsError('bad-option', `a protocol's name for NPN has 1 to ${LONGEST} bytes`);
}

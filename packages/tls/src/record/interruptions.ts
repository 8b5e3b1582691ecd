import { ALERT_LEVELS } from '../alerts.ts';
import { ALERT } from './content-type.ts';

/**
 * Whether a record may stand between those of a handshake message. In TLS 1.3 none may (RFC 9846 §5.1), nor here in the
 * first handshake of a connection, when there is nothing else to be said. Later ones up to TLS 1.2 share the connection with
 * data, and whatever goes with it (RFC 5246 §6.2.1). A fatal alert may come at any time.
 */
export function mayInterrupt(
  type: number,
  content: Uint8Array,
  waiting: { readonly sharesWithData: boolean },
): boolean {
  return waiting.sharesWithData || (type === ALERT && content[0] === ALERT_LEVELS.fatal);
}

import { TlsError } from '../../errors.ts';
import { toNodeError } from '../errors/errors.ts';
import { endInHttp } from '../transport/framing.ts';
import type { EngineSocket } from './engine-socket.ts';

/**
 * The transport ended without close_notify: the socket tells it as 'truncated'. Who knows better whether something is
 * missing is left to find out.
 *
 * @param isError whether it is one where HTTP has no opinion.
 * @returns what is to end the socket; undefined where the end is let pass.
 */
export function truncate(
  socket: EngineSocket,
  isError: boolean,
  cause: TlsError = new TlsError('truncated', 'the peer ended the connection without close_notify'),
): Error | undefined {
  const error = toNodeError(cause);
  socket.truncated = true;
  socket.emit('truncated', error);
  if (socket.destroyed) return undefined;
  const end = endInHttp(socket, error) ?? (isError ? 'incomplete' : 'told');
  return end === 'told' ? undefined : error;
}

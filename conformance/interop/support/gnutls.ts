import type { Identity } from './identities.ts';
import { Program, startOnFreePort } from './program.ts';

/** A `gnutls-serv` on a port of its own, that echoes; with a certificate, or with what `args` give it. */
export function gnutlsServ(
  identity: Pick<Identity, 'cert' | 'key'> | undefined,
  ...args: readonly string[]
): Promise<{ program: Program; port: number }> {
  const shown = identity ? ['--x509certfile', identity.cert, '--x509keyfile', identity.key] : [];
  return startOnFreePort(
    (port) => new Program('gnutls-serv', ['--port', String(port), '--echo', ...shown, ...args]),
    /Echo Server listening on IPv4.*done/,
  );
}

import { toHex } from '@testudo/codec';
import { TlsError } from '../../errors.ts';
import type { ClientOptions } from '../../options/client.ts';
import type { ServerOptions } from '../../options/server.ts';
import type { ExternalPsk, PskLookup } from '../../psk/external-psk.ts';
import { TLS13 } from '../../versions.ts';
import { checkObject, checkString, wrongType } from '../errors/arguments.ts';
import { userError } from '../errors/user-error.ts';

/**
 * A client's key for the server's hint (null in TLS 1.3, and where there is none); null when it has none. Up to TLS 1.2
 * the option `ciphers` must name suites with PSK, as in Node.
 */
export type PskClientCallback = (
  hint: string | null,
) => { readonly psk: NodeJS.ArrayBufferView; readonly identity: string } | null | undefined;

/** The keys of the option `psks`, and then the one that the callback has. */
export function clientPsks(
  callback: PskClientCallback | undefined,
  psks: readonly ExternalPsk[] | undefined,
): ClientOptions['psks'] {
  if (callback === undefined) return psks;
  return ({ hint }) => {
    try {
      const answer = callback(hint === undefined ? null : Buffer.from(hint).toString());
      if (answer === null || answer === undefined) return psks ?? [];
      checkObject('options.pskCallback', answer);
      checkString('options.pskCallback.identity', answer.identity);
      return [...(psks ?? []), { identity: Buffer.from(answer.identity), key: keyOf(answer.psk) }];
    } catch (error) {
      throw userError('pskCallback', error as Error);
    }
  };
}

/** Finds the keys of the option `psks`, for a server. */
export function serverPsks(psks: readonly ExternalPsk[] | undefined): ServerOptions['findPsk'] {
  if (psks === undefined) return undefined;
  const byIdentity = new Map(psks.map((psk) => [toHex(psk.identity), psk]));
  return ({ identity }) => byIdentity.get(toHex(identity));
}

/** For the configuration that each connection's own is made of: it says that there are keys. */
export const NO_PSK: NonNullable<ServerOptions['findPsk']> = () => undefined;

/** What a server's callback answers: the key for the identity that a client named; nothing refuses it. */
export type PskAnswer = NodeJS.ArrayBufferView | { readonly psk: NodeJS.ArrayBufferView } | null | undefined;

/** For one connection, since the callback, which `ask` calls, is told of the socket. */
export function findPskFor(
  known: ServerOptions['findPsk'],
  ask: (identity: string) => PskAnswer,
): ServerOptions['findPsk'] {
  return (lookup: PskLookup): ExternalPsk | undefined => {
    const found = known?.(lookup) as ExternalPsk | undefined;
    if (found !== undefined) return found;
    const { identity } = lookup;
    try {
      const answer = ask(Buffer.from(identity).toString());
      if (answer === null || answer === undefined) return missing(lookup);
      return { identity, key: keyOf(typeof answer === 'object' && 'psk' in answer ? answer.psk : answer) };
    } catch (error) {
      throw error instanceof TlsError ? error : userError('pskCallback', error as Error);
    }
  };
}

/** As OpenSSL, up to TLS 1.2 a client hears that its name is unknown (RFC 4279 §2 leaves both ways open). */
function missing({ version }: PskLookup): undefined {
  if (version === TLS13) return undefined;
  throw new TlsError('unknown-psk-identity', 'pskCallback knows no key for the identity of this client');
}

function keyOf(psk: unknown): Uint8Array {
  if (ArrayBuffer.isView(psk)) return new Uint8Array(psk.buffer, psk.byteOffset, psk.byteLength).slice();
  throw wrongType('options.pskCallback.psk', 'an instance of Buffer, TypedArray, or DataView', psk);
}

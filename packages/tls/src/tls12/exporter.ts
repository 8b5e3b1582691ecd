import { concat } from '@testudo/codec';
import type { CommonSettings } from '../config/settings.ts';
import { TlsError } from '../errors.ts';
import type { Handshake } from '../handshake/context.ts';
import type { Terms } from './terms.ts';

/**
 * Keying material for another protocol; no context and an empty one differ (RFC 5705 §4). `length` in bytes. Throws
 * `export-refused` where the master secret could be that of another connection, too (RFC 7627 §5.4).
 */
export function exportKeyingMaterial12(
  { provider, config }: Pick<Handshake, 'provider'> & { readonly config: ExportSettings },
  { rules, suite, extended, randoms: { client, server } }: Terms,
  master: Uint8Array,
  label: string,
  context: Uint8Array | undefined,
  length: number,
): Uint8Array {
  if (!extended && !config.dangerouslyExportWithoutExtendedMasterSecret) throw refusal();
  const seed =
    context === undefined
      ? concat(client, server)
      : concat(client, server, Uint8Array.of(context.length >> 8, context.length), context);
  return rules.prf(provider, suite, master, label, seed, length);
}

type ExportSettings = Pick<CommonSettings, 'dangerouslyExportWithoutExtendedMasterSecret'>;

function refusal(): TlsError {
  return new TlsError(
    'export-refused',
    'keying material is exported only with the extended master secret, which the peer does not support (RFC 7627 §5.4)',
  );
}

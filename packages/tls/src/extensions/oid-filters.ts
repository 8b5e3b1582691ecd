import { list, opaque, struct } from '@testudo/codec';
import type { Extension } from './extension.ts';

export interface OidFilter {
  readonly oid: Uint8Array;
  readonly values: Uint8Array;
}

/** oid_filters (RFC 9846 §4.3.5). */
export const oidFilters: Extension<{ certificate_request: OidFilter[] }> = {
  id: 48,
  name: 'oid_filters',
  source: 'RFC 9846 §4.3.5',
  codecs: { certificate_request: list(2, struct({ oid: opaque(1, 1), values: opaque(2) })) },
};

import { bytesEqual, der, type Oid } from '@testudo/codec';
import type { Certificate } from './certificate.ts';
import type { Extension } from './extensions.ts';

const DELEGATION_USAGE_OID: Oid = '1.3.6.1.4.1.44363.44';

/** The extension of a certificate whose owner may sign delegated credentials with its key (RFC 9345 §4.2). */
export const DELEGATION_USAGE: Extension = {
  oid: DELEGATION_USAGE_OID,
  critical: false,
  value: der.nullValue(),
};

/** Whether the owner may sign delegated credentials: by the extension, and by a keyUsage that must be there. */
export function allowsDelegation({ extensions }: Certificate): boolean {
  const extension = extensions.get(DELEGATION_USAGE_OID);
  if (extension === undefined || !bytesEqual(extension.value, DELEGATION_USAGE.value)) return false;
  return extensions.keyUsage?.has('digitalSignature') === true;
}

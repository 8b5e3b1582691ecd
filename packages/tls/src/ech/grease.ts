import {
  type CryptoProvider,
  HASH_LENGTH,
  HpkeAead,
  HpkeKdf,
  HpkeKem,
  type HpkeSuite,
} from '@testudo/crypto';
import { ExtensionBlock } from '../extensions/block.ts';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import * as negotiation from '../extensions/negotiation.ts';
import { preSharedKey } from '../extensions/pre-shared-key.ts';
import { sessionTicket } from '../extensions/session-ticket.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import type { Offer } from '../handshake/offer.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { cipherSuite13 } from '../suites/index.ts';
import { TLS13 } from '../versions.ts';
import { encodeInner } from './encoded-inner.ts';
import { echSuite } from './hpke.ts';
import { gatherRepeated, REPEATED } from './repeated-extensions.ts';

/**
 * Adds an encrypted_client_hello that means nothing, and looks like one that does (RFC 9849 §6.2.1). A second hello holds
 * it again.
 */
export function offerGreaseEch(h: ClientHandshake, offer: Offer): void {
  if (!h.config.versions.includes(TLS13)) return;
  const { provider } = h;
  const suites = greaseSuites(provider);
  const [pick, configId] = provider.randomBytes(2) as unknown as [number, number];
  const suite = suites[pick % suites.length];
  const agreement = provider.keyAgreement('x25519');
  if (suite === undefined || agreement === undefined) return;
  const { kdf, aead } = suite.id;
  offer.hello.extensions.set(encryptedClientHello, {
    type: 'outer',
    kdf,
    aead,
    configId,
    enc: agreement.generate().publicKey,
    payload: provider.randomBytes(innerLength(offer) + suite.tagLength),
  });
  negotiatedOf(h).ech = 'grease';
}

function greaseSuites(provider: CryptoProvider): HpkeSuite[] {
  return [HpkeAead.aes128Gcm, HpkeAead.aes256Gcm, HpkeAead.chacha20Poly1305].flatMap(
    (aead) => echSuite(provider, HpkeKem.dhkemX25519Sha256, { kdf: HpkeKdf.hkdfSha256, aead }) ?? [],
  );
}

/** Bytes of the encoded inner hello that would say the same. */
function innerLength({ hello, psks }: Offer): number {
  const extensions = new ExtensionBlock('client_hello');
  for (const [id, value] of hello.extensions.entries()) {
    if (!OLDER.has(id)) extensions.setRaw(id, value as Uint8Array);
  }
  extensions.set(negotiation.supportedVersions, [TLS13]).set(encryptedClientHello, { type: 'inner' });
  if (psks.length > 0) {
    extensions.set(preSharedKey, {
      identities: psks.map(({ identity }) => ({ identity, obfuscatedTicketAge: 0 })),
      binders: psks.map(({ hash }) => new Uint8Array(HASH_LENGTH[hash])),
    });
  }
  gatherRepeated(extensions);
  const cipherSuites = hello.cipherSuites.filter((id) => cipherSuite13(id) !== undefined);
  const inner: ClientHello = { ...hello, cipherSuites, extensions };
  return encodeInner(encodeMessage(clientHello, inner), REPEATED, 0).length;
}

/** What only older versions use. */
const OLDER = new Set(
  [
    negotiation.extendedMasterSecret,
    negotiation.encryptThenMac,
    negotiation.renegotiationInfo,
    negotiation.ecPointFormats,
    sessionTicket,
  ].map(({ id }) => id),
);

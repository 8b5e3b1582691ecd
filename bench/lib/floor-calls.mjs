import { createPrivateKey } from 'node:crypto';
import { systemCrypto } from '@testudo/crypto/openssl';
import { HYBRID, TLS12 } from './settings.mjs';

const TAG = 16;
const NONCE = new Uint8Array(12);
const ECDSA = { name: 'ecdsa', hash: 'sha256' };

/**
 * The calls to our provider of cryptography that TLS needs, on values that mean nothing. `handshake` makes those of one
 * flight (see floor-flights.mjs); `state` is what a connection keeps between them: its own keys, and its AEAD.
 */
export function floorCalls(setting, material) {
  const crypto = systemCrypto();
  const isTls12 = setting.version === TLS12.version;
  const group = crypto.keyAgreement('x25519');
  const kem = setting.group === HYBRID.group ? crypto.kem('ml-kem-768') : undefined;
  const peer = group.generate().publicKey;
  const peerKem = kem?.generate();
  const ciphertext = kem?.encapsulate(peerKem.encapsulationKey).ciphertext;
  // Nothing of what reads certificates is loaded: what a program holds has its part in what the collector does.
  const pkcs8 = createPrivateKey(material.server.key).export({ format: 'der', type: 'pkcs8' });
  const key = crypto.importPrivateKey(new Uint8Array(pkcs8));
  const signed = new Uint8Array(130);
  const signature = crypto.sign(ECDSA, key, signed);
  const secret = new Uint8Array(32);
  const info = new Uint8Array(54);
  const transcript = new Uint8Array(4096);
  // The record's header, or what TLS 1.2 authenticates with it (RFC 5246 §6.2.3.3).
  const additional = new Uint8Array(isTls12 ? 13 : 5);
  const ticketKey = newKey();
  const ticket = new Uint8Array(128 + TAG);
  const tickets = new Map();

  function newKey() {
    return crypto.aead('aes-128-gcm', new Uint8Array(16));
  }

  function sealTicket(length) {
    crypto.randomBytes(NONCE.length);
    if (!isTls12) crypto.randomBytes(4);
    ticketKey.seal(NONCE, info, ticket.subarray(0, length), ticket, 0);
  }

  function openTicket(length) {
    let sealed = tickets.get(length);
    if (sealed === undefined) {
      sealed = new Uint8Array(length + TAG);
      ticketKey.seal(NONCE, info, sealed.subarray(0, length), sealed, 0);
      tickets.set(length, sealed);
    }
    ticketKey.open(NONCE, info, sealed, ticket);
  }

  function handshake(calls, state) {
    for (const length of calls.randoms ?? []) crypto.randomBytes(length);
    if (calls.openTicket !== undefined) openTicket(calls.openTicket);
    if (calls.kemGenerate) state.kem = kem.generate();
    if (calls.encapsulate) kem.encapsulate(peerKem.encapsulationKey);
    if (calls.decapsulate) state.kem.decapsulate(ciphertext);
    if (calls.generate) state.own = group.generate();
    if (calls.agree) state.own.agree(peer);
    if (calls.sign) crypto.sign(ECDSA, key, signed);
    // The chain was verified before and is known; this signature is new each time.
    if (calls.verify && !crypto.verify(ECDSA, key.publicKey, signed, signature))
      throw new Error('a signature that does not verify');
    for (const length of calls.digests ?? []) crypto.digest('sha256', transcript.subarray(0, length));
    for (let i = 0; i < (calls.hmacs ?? 0); i++) crypto.hmac('sha256', secret, info);
    for (let i = 0; i < (calls.keys ?? 0); i++) state.aead = newKey();
    for (const length of calls.tickets ?? []) sealTicket(length);
  }

  return {
    begin: () => ({ aead: newKey() }),
    handshake,
    seal: (aead, plaintext, out, at) => aead.seal(NONCE, additional, plaintext, out, at),
    /** Throws on what the other side did not seal. */
    open(aead, sealed, room) {
      const plaintext = aead.open(NONCE, additional, sealed, room);
      if (plaintext === undefined) throw new Error('a record that is not authentic');
      return plaintext;
    },
  };
}

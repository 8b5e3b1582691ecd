import { nodeCrypto } from '@testudo/crypto/node';

const TAG = 16;
/** What a lane of bench/floor.mjs has, by its name. */
const SIGNATURE = 'signature';
const AEAD = 'AEAD';

/** The calls to `node:crypto` that a lane makes, as our provider makes them; those that it lacks do nothing. */
export function floorCalls(lane, longest) {
  const isSymmetric = lane.includes(AEAD);
  const group = nodeCrypto.keyAgreement('x25519');
  const aead = nodeCrypto.aead('aes-128-gcm', new Uint8Array(16));
  const [nonce, header, secret] = [new Uint8Array(12), new Uint8Array(5), new Uint8Array(32)];
  const room = new Uint8Array(longest + TAG);
  const peer = group.generate().publicKey;
  /** Of each length one record, sealed once: only what is authentic is opened whole. */
  const sealed = new Map();
  const sealedRecord = (length) => {
    const record = new Uint8Array(length + TAG);
    aead.seal(nonce, header, record.subarray(0, length), record, 0);
    sealed.set(length, record);
    return record;
  };
  return {
    isAsymmetric: lane.includes(SIGNATURE),
    generate: () => group.generate(),
    agree: (own) => own.agree(peer),
    hmacs(count) {
      if (isSymmetric) for (let i = 0; i < count; i++) nodeCrypto.hmac('sha256', secret, header);
    },
    seal(length) {
      if (isSymmetric) aead.seal(nonce, header, room.subarray(0, length), room, 0);
    },
    open(length) {
      if (isSymmetric) aead.open(nonce, header, sealed.get(length) ?? sealedRecord(length));
    },
  };
}

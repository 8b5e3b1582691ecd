// `node --expose-gc threads.mjs operations | workers | terminated`: prints by how many bytes memory grew in the second of two equal
// phases, after a first one that warms up: what is allocated of C's heap where glibc tells it, else what is resident.

import { createRequire } from 'node:module';
import { isMainThread, Worker } from 'node:worker_threads';
import { nodeCrypto } from '@testudo/crypto/node';
import { opensslCrypto } from '@testudo/crypto/openssl';

const DATA = new Uint8Array(1000).fill(7);

function works(provider) {
  const aead = provider.aead('aes-128-gcm', new Uint8Array(16));
  const sealed = new Uint8Array(1016);
  aead.seal(new Uint8Array(12), DATA, DATA, sealed, 0);
  if (aead.open(new Uint8Array(12), DATA, sealed) === undefined) throw new Error('it does not open');
  const key = provider.generateKey({ type: 'ec', curve: 'secp256r1' });
  const algorithm = { name: 'ecdsa', hash: 'sha256' };
  if (!provider.verify(algorithm, key.publicKey, DATA, provider.sign(algorithm, key, DATA)))
    throw new Error('it does not verify');
}

/** Of each kind so many that a leak of a few hundred bytes each is seen. */
async function operations() {
  const provider = opensslCrypto();
  const algorithm = { name: 'ecdsa', hash: 'sha256' };
  const pkcs8 = nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' }).exportPkcs8();
  const kem = provider.kem('ml-kem-768');
  const sealed = new Uint8Array(1016);
  for (let i = 0; i < 1000; i++) {
    const key = provider.importPrivateKey(pkcs8);
    provider.verify(
      algorithm,
      provider.importPublicKey(key.publicKey.spki),
      DATA,
      provider.sign(algorithm, key, DATA),
    );
    provider.verify(algorithm, key.publicKey, DATA, DATA);
    for (const curve of ['x25519', 'secp256r1']) {
      const agreement = provider.keyAgreement(curve);
      const own = agreement.generate();
      own.agree(agreement.generate().publicKey);
    }
    for (const name of ['aes-128-gcm', 'aes-256-ccm', 'chacha20-poly1305']) {
      const aead = provider.aead(name, DATA.subarray(0, name === 'aes-128-gcm' ? 16 : 32));
      aead.seal(DATA.subarray(0, 12), DATA, DATA, sealed, 0);
      aead.open(DATA.subarray(0, 12), DATA, sealed, sealed);
      aead.open(DATA.subarray(0, 12), DATA, sealed, sealed);
    }
    const mac = provider.mac('sha256', DATA.subarray(0, 32));
    mac.update(DATA);
    mac.digest();
    provider
      .cipher('aes-128-cbc', 'encrypt', DATA.subarray(0, 16), DATA.subarray(0, 16))
      .update(DATA.subarray(0, 992));
    if (kem.isNative && i % 5 === 0) {
      const own = kem.generate();
      own.decapsulate(kem.encapsulate(own.encapsulationKey).ciphertext);
    }
    // Finalizers run between tasks.
    if (i % 100 === 0) await new Promise(setImmediate);
  }
}

async function workers(ending) {
  const one = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { argv: [ending] });
      worker.on('error', reject);
      worker.on('message', () => void (ending === 'terminated' && worker.terminate()));
      worker.on('exit', resolve);
    });
  for (let i = 0; i < 8; i++) await one();
  await Promise.all([one(), one(), one(), one()]);
}

async function settled() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const native = allocated?.();
  return native === undefined ? process.memoryUsage.rss() : native.uordblks + native.hblkhd;
}

/** mallinfo2(3), of glibc from 2.33 on. */
function mallinfo() {
  const names = 'arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost'.split(' ');
  try {
    const koffi = createRequire(import.meta.resolve('@testudo/crypto/openssl'))('koffi');
    const type = koffi.struct('mallinfo2', Object.fromEntries(names.map((name) => [name, 'size_t'])));
    return koffi.load(null).func('mallinfo2', type, []);
  } catch {
    return undefined;
  }
}

const what = process.argv[2];
const allocated = isMainThread ? mallinfo() : undefined;
if (isMainThread) {
  const phase = () => (what === 'operations' ? operations() : workers(what));
  await phase();
  const before = await settled();
  await phase();
  console.log(JSON.stringify({ grown: (await settled()) - before, isExact: allocated !== undefined }));
} else {
  const { parentPort } = await import('node:worker_threads');
  const provider = opensslCrypto();
  works(provider);
  parentPort.postMessage('it works');
  // In the middle of its work it is terminated, or it ends by itself.
  for (let i = 0; i < (what === 'terminated' ? 1_000_000 : 20); i++) works(provider);
}

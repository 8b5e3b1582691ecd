import { concat } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { groupById } from '@testudo/tls';
import {
  cipherSuite13,
  decodeMessage,
  type ExtensionBlock,
  KeySchedule,
  keyShare,
  type Opener13,
  type Sealer13,
  serverHello,
  Transcript,
} from '#tls/testing';
import { bytes, content, type Trace, withKeys } from './traces.ts';

/** The keys of a trace, worked out from its private keys and messages with the engine's key schedule. */
export function schedules(
  provider: CryptoProvider,
  from: Trace,
  psk?: Uint8Array,
): {
  clientHandshake(): Opener13;
  serverHandshake(): Sealer13;
  clientApplication(): Opener13;
  serverApplication(): Sealer13;
  secrets: Readonly<Record<'clientHandshake' | 'serverHandshake', Uint8Array>>;
  transcript: Transcript;
} {
  const suite = cipherSuite13(0x1301)!;
  const transcript = new Transcript(provider);
  transcript.add(content(from, 'clientHello'));
  if ('helloRetryRequest' in from) {
    transcript.replaceClientHello(suite.hash);
    transcript.add(content(from, 'helloRetryRequest'));
    transcript.add(content(from, 'secondClientHello'));
  }
  const raw = content(from, 'serverHello');
  transcript.add(raw);
  transcript.useHash(suite.hash);
  const hello = decodeMessage(serverHello, { type: 2, raw });
  const entry = (hello.extensions as ExtensionBlock<'server_hello'>).get(keyShare)!;
  const own = groupById(entry.group)!.start(withKeys(provider, from.clientPrivateKeys.slice(-1)));
  const schedule = new KeySchedule(provider, suite, psk);
  schedule.enterHandshake(own.finish(entry.keyExchange));
  const clientSecret = schedule.derive('c hs traffic', transcript.digest());
  const serverSecret = schedule.derive('s hs traffic', transcript.digest());
  transcript.add(serverMessages(from));
  schedule.enterMain();
  const clientApplication = schedule.derive('c ap traffic', transcript.digest());
  const serverApplication = schedule.derive('s ap traffic', transcript.digest());
  return {
    clientHandshake: () => schedule.opener(clientSecret),
    serverHandshake: () => schedule.sealer(serverSecret),
    clientApplication: () => schedule.opener(clientApplication),
    serverApplication: () => schedule.sealer(serverApplication),
    secrets: { clientHandshake: clientSecret, serverHandshake: serverSecret },
    transcript,
  };
}

/** The server's flight in the clear, from EncryptedExtensions to Finished. */
export function serverMessages(from: Trace): Uint8Array {
  const names = [
    'encryptedExtensions',
    'certificateRequest',
    'certificate',
    'certificateVerify',
    'serverFinished',
  ];
  return concat(...names.filter((name) => name in from).map((name) => bytes(from, name)));
}

/** What a protected record holds. Throws when it is not authentic. */
export function openRecord(opener: Opener13, record: Uint8Array): Uint8Array {
  const plaintext = opener.open({ type: record[0]!, bytes: record });
  if (plaintext === undefined) throw new Error('the record is not authentic');
  return plaintext.content;
}

/** One protected record. */
export function sealRecord(sealer: Sealer13, type: number, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(sealer.sealedLength(plaintext.length));
  sealer.seal(type, plaintext, 0, out, 0);
  return out;
}

import { concat } from '@testudo/codec';
import { hpkeSuite } from '@testudo/crypto';
import { parseEchConfigList } from '../ech/config-list.ts';
import { CONFIRMATION_LENGTH, echConfirmation, IN_SERVER_HELLO } from '../ech/confirmation.ts';
import { decodeInner } from '../ech/encoded-inner.ts';
import { echInfo } from '../ech/hpke.ts';
import type { EchKey } from '../ech/keys.ts';
import { outerAad } from '../ech/payload.ts';
import { encryptedClientHello, type OuterEch } from '../extensions/encrypted-client-hello.ts';
import { Transcript } from '../handshake/transcript.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage, encodeMessage } from '../messages/handshake-type.ts';
import { serverHello } from '../messages/server-hello.ts';
import { listOf } from './ech.ts';
import type { PuppetServer13 } from './puppet-server13.ts';

/** Has a puppet read the inner hello, and go on with it. */
export function acceptEch(puppet: PuppetServer13, key: EchKey): void {
  const outer = puppet.messages[0]!.raw;
  const ech = puppet.hello.extensions.get(encryptedClientHello) as OuterEch;
  const [config] = parseEchConfigList(listOf(key));
  const suite = hpkeSuite(puppet.provider, { kem: config!.kem, kdf: ech.kdf, aead: ech.aead })!;
  const receiver = suite.setupReceiver(suite.importPrivate(key.privateKey), ech.enc, echInfo(config!.bytes));
  const raw = decodeInner(receiver.open(outerAad(outer), ech.payload)!, outer);
  puppet.hello = decodeMessage(clientHello, { type: clientHello.type, raw });
  puppet.transcript = new Transcript(puppet.provider);
  puppet.transcript.add(raw);
}

/** Sends a ServerHello that says so. */
export function sendConfirmation(puppet: PuppetServer13): PuppetServer13 {
  return puppet.sendServerHello((value) => {
    const random = new Uint8Array(value.random);
    value.random = random;
    const raw = encodeMessage(serverHello, value);
    const messages = concat(puppet.transcript.messages(), raw);
    const confirmed = {
      message: 'ServerHello',
      raw,
      at: IN_SERVER_HELLO,
      random: puppet.hello.random,
    } as const;
    random.set(
      echConfirmation(puppet.provider, puppet.suite.hash, messages, confirmed),
      random.length - CONFIRMATION_LENGTH,
    );
  });
}

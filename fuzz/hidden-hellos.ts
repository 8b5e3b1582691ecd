import { DecodeError } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { clientConfig, echKeyToPem, parseEchConfigList, parseEchKeys, TlsError } from '@testudo/tls';
import {
  EchPuppet,
  echWorld,
  keyShare,
  listOf,
  PuppetClient13,
  signatureAlgorithms,
  supportedGroups,
  type WritableClientHello,
} from '#tls/testing';
import { breachOf, guarded } from './checks.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

const { echKey, echPki, echServer } = echWorld(nodeCrypto);
const keys = [echKey(), echKey({ kem: 'secp256r1', maximumNameLength: 64 })];
/** For every name: nobody issues a certificate for whatever a client asks for. */
const credentials = [echPki.server()];
const NOTHING = new Uint8Array(0);

/** What is encrypted in a ClientHello (RFC 9849 §5.1), changed before it is sealed: in the first hello or in the second. */
function changedHiddenHello(random: Random): ReturnType<Target> {
  const key = random.pick(keys);
  const isSecond = random.below(3) === 0;
  const options = { credentials, ...(isSecond ? { groups: ['secp384r1'] } : {}) };
  const input: Uint8Array[] = [];
  const breach = guarded(() => {
    const client = new PuppetClient13(nodeCrypto, echServer(keys, options), echPki.client());
    const ech = new EchPuppet(client, key);
    if (isSecond) ech.send(ech.encoded());
    const encoded = ech.encoded(random.below(2) === 0 ? references : undefined, [0, 0, 0]);
    const changed = mutate(encoded, random).subarray(0, 12_000);
    input.push(changed);
    ech.send(changed, isSecond ? { enc: NOTHING } : {});
    const found = breachOf(client.end, NOTHING);
    if (found !== undefined) return found;
    return client.end.secured.length > 0 ? 'secure without a Finished' : undefined;
  });
  return { breach, input };
}

function references({ extensions }: WritableClientHello): void {
  const ids = [supportedGroups, signatureAlgorithms, keyShare].map((extension) => {
    extensions.delete(extension);
    return extension.id;
  });
  extensions.setRaw(0xfd00, Uint8Array.from([2 * ids.length, ...ids.flatMap((id) => [id >> 8, id & 0xff])]));
}

/** ECHConfigLists, as they come from the DNS or a server, and files of keys. */
function changedConfigs(random: Random): ReturnType<Target> {
  const isFile = random.below(2) === 0;
  const whole = isFile ? Buffer.from(echKeyToPem(random.pick(keys))) : listOf(...keys);
  const changed = mutate(new Uint8Array(whole), random);
  const breach = guarded(() => {
    try {
      if (isFile) parseEchKeys(Buffer.from(changed).toString('latin1'));
      else {
        parseEchConfigList(changed);
        clientConfig({
          provider: nodeCrypto,
          verifyCertificate: echPki.verifier(),
          ech: { configs: changed },
        });
      }
    } catch (error) {
      if (error instanceof DecodeError || (error instanceof TlsError && error.code === 'bad-option'))
        return undefined;
      throw error;
    }
    return undefined;
  });
  return { breach, input: [changed] };
}

export const HIDDEN_HELLOS: Readonly<Record<string, Target>> = {
  hiddenHellos: changedHiddenHello,
  echConfigs: changedConfigs,
};

import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { ExtensionBlock } from '../extensions/block.ts';
import { encryptedClientHello, type OuterEch } from '../extensions/encrypted-client-hello.ts';
import { keyShare } from '../extensions/key-share.ts';
import { signatureAlgorithms, supportedGroups, supportedVersions } from '../extensions/negotiation.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { decodeMessage, encodeMessage, HANDSHAKE_TYPE } from '../messages/handshake-type.ts';
import { echWorld, listOf, PUBLIC_NAME } from '../testing/ech.ts';
import { EchPuppet } from '../testing/ech-puppet.ts';
import { SERVER_NAME } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13, type WritableClientHello } from '../testing/puppet-client13.ts';

const { echKey, echPki, echServer } = echWorld(nodeCrypto);

// What a server must not take in an encrypted ClientHello (RFC 9849 §5.1, §7.1), and what it must pass over.

const key = echKey();

function puppet(): EchPuppet {
  const client = new PuppetClient13(nodeCrypto, echServer([key]), echPki.client());
  return new EchPuppet(client, key);
}

type Hello = (hello: WritableClientHello) => void;
const extensions = (change: (block: ExtensionBlock<'client_hello'>) => void): Hello => {
  return (hello) => change(hello.extensions);
};
/** References to extensions of the outer hello, in place of those that the inner one has. */
const outerExtensions = (...ids: number[]): Hello =>
  extensions((block) => {
    for (const id of ids) if (id !== 0xfe0d) block.delete({ id } as typeof keyShare);
    block.setRaw(0xfd00, Uint8Array.from([2 * ids.length, ...ids.flatMap((id) => [id >> 8, id & 0xff])]));
  });

describe('an inner hello as it should be is taken', () => {
  test.each([
    ['whole', () => {}, [0, 0, 0]],
    ['without padding', () => {}, []],
    ['with references', outerExtensions(supportedGroups.id, signatureAlgorithms.id, keyShare.id), [0]],
    ['with one reference', outerExtensions(signatureAlgorithms.id), [0]],
  ] as const)('%s', (_what, change, padding) => {
    const ech = puppet();
    const client = ech.puppet;
    const whole = ech.inner();
    arrangeAs(whole.extensions, ech.inner(change).extensions.ids);
    client.transcript.add(encodeMessage(clientHello, whole));
    ech.send(ech.encoded(change, padding));
    client.send(client.finished());
    expect(client.end.info).toMatchObject({ ech: 'accepted', serverName: SERVER_NAME });
    expect(client.unreadable).toBe(0);
  });

  /** Where the references stand, the extensions stand that they stand for. */
  function arrangeAs(block: ExtensionBlock<'client_hello'>, ids: readonly number[]): void {
    const at = ids.indexOf(0xfd00);
    if (at < 0) return;
    const left = block.ids.filter((id) => !ids.includes(id));
    block.arrange([...ids.slice(0, at), ...left, ...ids.slice(at + 1)]);
  }
});

// RFC 9846 §4.2.2: whichever of the two has it.
test.each([0x0300, 0x0301, 0x0302])(
  'a legacy_version of %i is refused, inside and outside',
  (legacyVersion) => {
    const change: Hello = (hello) => Object.assign(hello, { legacyVersion });
    const [inside, outside] = [puppet(), puppet()];
    inside.send(inside.encoded(change));
    outside.send(outside.encoded(), {}, change);
    for (const { puppet: client } of [inside, outside])
      expect(outcomeOf(client)).toEqual(refused('no-common-version'));
  },
);

describe('an inner hello is refused', () => {
  const AT_FAULT: readonly [what: string, change: Hello, code: string, padding?: readonly number[]][] = [
    ['that is not marked as one', extensions((b) => b.delete(encryptedClientHello)), 'illegal-parameter'],
    [
      'that is itself encrypted',
      extensions((b) => b.set(encryptedClientHello, outerEch())),
      'illegal-parameter',
    ],
    ['with TLS 1.2', extensions((b) => b.set(supportedVersions, [0x0304, 0x0303])), 'illegal-parameter'],
    ['with TLS 1.2 only', extensions((b) => b.set(supportedVersions, [0x0303])), 'illegal-parameter'],
    [
      'with unknown versions only',
      extensions((b) => b.set(supportedVersions, [0x7f1c])),
      'illegal-parameter',
    ],
    ['without versions', extensions((b) => b.delete(supportedVersions)), 'illegal-parameter'],
    ['with padding that is not zero', () => {}, 'illegal-parameter', [0, 0, 1]],
    ['whose first byte of padding is not zero', () => {}, 'illegal-parameter', [1, 0, 0]],
    [
      'with a session ID of its own',
      (hello) => {
        hello.legacySessionId = new Uint8Array(32);
      },
      'illegal-parameter',
    ],
    ['with a reference to what is not there', outerExtensions(16), 'illegal-parameter'],
    ['with a reference twice', outerExtensions(supportedGroups.id, supportedGroups.id), 'illegal-parameter'],
    [
      'with references in another order',
      outerExtensions(keyShare.id, supportedGroups.id),
      'illegal-parameter',
    ],
    [
      'with a reference to encrypted_client_hello',
      outerExtensions(keyShare.id, encryptedClientHello.id),
      'illegal-parameter',
    ],
    ['with a reference to ech_outer_extensions', outerExtensions(0xfd00), 'illegal-parameter'],
    [
      'with a reference to what it holds itself',
      extensions((b) => b.setRaw(0xfd00, Uint8Array.of(2, 0, keyShare.id))),
      'duplicate-extension',
    ],
    ['with no reference', extensions((b) => b.setRaw(0xfd00, Uint8Array.of(0))), 'malformed-message'],
    [
      'with half a reference',
      extensions((b) => b.setRaw(0xfd00, Uint8Array.of(3, 0, 10, 0))),
      'malformed-message',
    ],
    [
      'with bytes after the references',
      extensions((b) => b.setRaw(0xfd00, Uint8Array.of(2, 0, 10, 0))),
      'malformed-message',
    ],
  ];

  test.each(AT_FAULT)('%s', (...[, change, code, padding]) => {
    const ech = puppet();
    ech.send(ech.encoded(change, padding));
    expect(outcomeOf(ech.puppet)).toEqual(refused(code));
  });

  test.each([0, 1, 34, 60])('that ends after %i bytes', (length) => {
    const ech = puppet();
    ech.send(ech.encoded().subarray(0, length));
    expect(outcomeOf(ech.puppet)).toEqual(refused('malformed-message'));
  });

  test('that holds references in two places', () => {
    const ech = puppet();
    const first = ech.encoded(outerExtensions(supportedGroups.id), []);
    const again = Uint8Array.from([...first, 0xfd, 0, 0, 3, 2, 0, signatureAlgorithms.id]);
    const at = first.length - lengthOfExtensions(ech) - 2;
    const length = ((again[at]! << 8) | again[at + 1]!) + 7;
    again.set([length >> 8, length], at);
    ech.send(again);
    expect(outcomeOf(ech.puppet)).toEqual(refused('illegal-parameter'));
  });

  /** Of the inner hello with a reference to supported_groups, in bytes. */
  function lengthOfExtensions(ech: EchPuppet): number {
    const empty = ech.inner((hello) => {
      hello.legacySessionId = new Uint8Array(0);
      for (const id of hello.extensions.ids) hello.extensions.delete({ id } as typeof keyShare);
    });
    return (
      ech.encoded(outerExtensions(supportedGroups.id), []).length -
      (encodeMessage(clientHello, empty).length - 4)
    );
  }
});

describe('an outer hello is refused', () => {
  test.each([
    ['of an unknown type', Uint8Array.of(2), 'illegal-parameter'],
    ['of no type', new Uint8Array(0), 'malformed-message'],
    ['of type inner, with more', Uint8Array.of(1, 0), 'malformed-message'],
    ['without a payload', Uint8Array.of(0, 0, 1, 0, 1, 9, 0, 0, 0, 0), 'malformed-message'],
    ['that ends early', Uint8Array.of(0, 0, 1, 0, 1, 9, 0, 4, 1), 'malformed-message'],
  ])('%s', (_what, data, code) => {
    const client = puppet().puppet;
    client.send(withRaw(client.hello(), 0xfe0d, data));
    expect(outcomeOf(client)).toEqual(refused(code));
  });

  test('with ech_outer_extensions', () => {
    const client = puppet().puppet;
    client.send(withRaw(client.hello(), 0xfd00, Uint8Array.of(2, 0, 10)));
    expect(outcomeOf(client)).toEqual(refused('misplaced-extension'));
  });

  test('that is an inner one: only a backend server takes it', () => {
    const client = puppet().puppet;
    client.sendHello(extensions((b) => b.set(encryptedClientHello, { type: 'inner' })));
    expect(outcomeOf(client)).toEqual(refused('illegal-parameter'));
  });

  /** A hello whose last extension is these bytes, whatever its codec thinks of them. */
  function withRaw(hello: WritableClientHello, id: number, data: Uint8Array): Uint8Array {
    const raw = encodeMessage(clientHello, hello);
    const more = Uint8Array.of(id >> 8, id, 0, data.length, ...data);
    const at = 4 + 2 + 32 + 33 + 2 + 6 + 2;
    const whole = Uint8Array.from([...raw, ...more]);
    for (const place of [at, 2]) {
      const length = ((whole[place]! << 8) | whole[place + 1]!) + more.length;
      whole.set([length >> 8, length & 0xff], place);
    }
    return whole;
  }
});

describe('a client that hides which key it uses', () => {
  const [one, two] = [echKey({ configId: 1 }), echKey({ configId: 2 })];
  /** The number on the wire is not the one in the configuration that it encrypts for. */
  const hidden = (echTrialDecryption: boolean) => {
    const server = echServer([one, two], { echTrialDecryption });
    const ech = new EchPuppet(new PuppetClient13(nodeCrypto, server, echPki.client()), two);
    return { ech, client: ech.puppet };
  };

  test('is read by a server that tries all', () => {
    const { ech, client } = hidden(true);
    client.transcript.add(encodeMessage(clientHello, ech.inner()));
    ech.send(ech.encoded(), { configId: 99 });
    client.send(client.finished());
    expect(client.end.info).toMatchObject({ ech: 'accepted', serverName: SERVER_NAME });
  });

  test('is not read by another', () => {
    const { ech, client } = hidden(false);
    ech.sendUnread(ech.encoded(), { configId: 99 });
    client.send(client.finished());
    expect(client.end.info).toMatchObject({ ech: 'grease', serverName: PUBLIC_NAME });
  });

  test('and uses none of the keys is not read by any', () => {
    const server = echServer([one, two], { echTrialDecryption: true });
    const ech = new EchPuppet(new PuppetClient13(nodeCrypto, server, echPki.client()), echKey());
    ech.sendUnread(ech.encoded(), { configId: 1 });
    ech.puppet.send(ech.puppet.finished());
    expect(ech.puppet.end.info).toMatchObject({ ech: 'rejected', serverName: PUBLIC_NAME });
  });
});

describe('a hello that cannot be read is passed over, and answered with the keys to use', () => {
  test.each([
    ['for another key', { configId: (key.config[4]! + 1) % 256 }],
    ['with an unknown KDF', { kdf: 0x7fff }],
    ['with an AEAD that the key has not', { aead: 0x7fff }],
    ['with export-only encryption', { aead: 0xffff }],
    ['without an encapsulated key', { enc: new Uint8Array(0) }],
    ['with a shorter encapsulated key', { enc: new Uint8Array(31).fill(9) }],
    ['with a longer encapsulated key', { enc: new Uint8Array(33).fill(9) }],
    ['with an encapsulated key of a small group', { enc: new Uint8Array(32) }],
    ['with a random encapsulated key', { enc: nodeCrypto.randomBytes(32) }],
    ['with a payload that is shorter than a tag', { payload: Uint8Array.of(1) }],
    ['with a payload that is only a tag', { payload: new Uint8Array(16).fill(1) }],
    ['with a random payload', { payload: nodeCrypto.randomBytes(200) }],
  ] as const)('%s', (_what, change: Partial<OuterEch>) => {
    const ech = puppet();
    const client = ech.sendUnread(ech.encoded(), change);
    expect(retryConfigsOf(client)).toEqual(listOf(key));
  });

  test.each([
    ['zeros', new Uint8Array(65)],
    ['off the curve', new Uint8Array(65).fill(4)],
    ['compressed', new Uint8Array(33).fill(2)],
    ['as short as one of X25519', new Uint8Array(32).fill(9)],
  ])('with an encapsulated key for P-256 that is none: %s', (_what, enc) => {
    const own = echKey({ kem: 'secp256r1' });
    const ech = new EchPuppet(new PuppetClient13(nodeCrypto, echServer([own]), echPki.client()), own);
    expect(retryConfigsOf(ech.sendUnread(ech.encoded(), { enc }))).toEqual(listOf(own));
  });

  function retryConfigsOf(client: PuppetClient13): Uint8Array | undefined {
    expect(client.end.errors).toEqual([]);
    expect(client.unreadable).toBe(0);
    const raw = client.messages.find(({ type }) => type === HANDSHAKE_TYPE.encrypted_extensions)!;
    return decodeMessage(encryptedExtensions, raw).extensions.get(encryptedClientHello);
  }
});

function outerEch(): OuterEch {
  return {
    type: 'outer',
    kdf: 1,
    aead: 1,
    configId: 1,
    enc: new Uint8Array(32),
    payload: new Uint8Array(99),
  };
}

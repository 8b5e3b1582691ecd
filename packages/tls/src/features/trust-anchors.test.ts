import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { Credential } from '../certificates/credential.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { trustAnchors } from '../extensions/trust-anchors.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';

// draft-ietf-tls-trust-anchor-ids.

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const [A, B, C] = [Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3, 3, 3)] as const;

const plain = pki.server('p256');
const forA: Credential = { ...pki.server('p384'), trustAnchorId: A };
const forB: Credential = { ...pki.server('ed25519'), trustAnchorId: B };
const onlyA: Credential = { ...forA, onlyWhereTrusted: true };

function meet(client: Partial<ClientOptions>, server: Partial<ServerOptions>): Pair {
  return new Pair(
    clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...client })),
    serverEnd(serverConfig({ provider: nodeCrypto, credentials: [plain], ...server })),
  ).pump();
}

/** The server's credential, by its leaf, and what the client heard. */
function outcome(pair: Pair) {
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  const all = [plain, forA, forB];
  const [leaf] = pair.client.info.peerCertificates;
  const shown = all.findIndex(({ certificates }) => Buffer.compare(certificates[0]!, leaf!) === 0);
  return [['plain', 'A', 'B'][shown], pair.client.info.trustAnchors];
}

describe('with trust anchors', () => {
  test.each<[string, readonly Uint8Array[], readonly Credential[], string, boolean]>([
    ['that the client names: the credential for it goes first', [C, B], [plain, forA, forB], 'B', true],
    ['that the client names twice over: the server’s order counts', [B, A], [plain, forA, forB], 'A', true],
    ['that the client does not name: as always', [C], [plain, forA, forB], 'plain', false],
    ['that nobody asks to be named: as always', [], [forA, plain, forB], 'A', false],
    ['of a credential that is for nobody else', [A], [plain, onlyA, forB], 'A', true],
    ['of a credential that is not for this client', [C], [onlyA, plain, forB], 'plain', false],
  ])('%s', (_, named, credentials, shown, matched) => {
    const pair = meet({ trustAnchors: named }, { credentials });
    expect(outcome(pair)).toEqual([shown, { available: [A, B], matched }]);
  });

  test('a server without any says nothing', () => {
    expect(outcome(meet({ trustAnchors: [A] }, {}))).toEqual([
      'plain',
      { available: undefined, matched: false },
    ]);
  });

  test('a client that names none hears nothing, and gets no credential that is for others', () => {
    expect(outcome(meet({}, { credentials: [onlyA, plain, forB] }))).toEqual(['plain', undefined]);
  });

  test('only those count whose signature the client can verify', () => {
    const signatureSchemes = ['ecdsa_secp256r1_sha256', 'ed25519'];
    const pair = meet({ trustAnchors: [A], signatureSchemes }, { credentials: [plain, forA, forB] });
    expect(outcome(pair)).toEqual(['plain', { available: [B], matched: false }]);
  });

  test('a client gets nothing where there is only what is for others', () => {
    const { client, server } = meet({ trustAnchors: [C] }, { credentials: [onlyA] });
    expect(server.errors.map(({ code }) => code)).toEqual(['no-common-signature-scheme']);
    expect(client.log).toContain('alert received fatal handshake_failure');
  });

  test('they are not for TLS 1.2', () => {
    const pair = meet({ trustAnchors: [A] }, { maxVersion: 'TLSv1.2', credentials: [onlyA, plain] });
    expect(outcome(pair)).toEqual(['plain', undefined]);
  });

  test.each([[new Uint8Array(0)], [new Uint8Array(256)]])('%o is no identifier', (identifier) => {
    expect(() => meet({ trustAnchors: [identifier] }, {})).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });
});

describe('a client refuses', () => {
  const flight = (options: Partial<ClientOptions>) => {
    const end = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }));
    return new PuppetServer13(nodeCrypto, end, plain).sendServerHello();
  };
  const mark = (at: number) => (block: ExtensionBlock<'certificate'>, index: number) => {
    if (index === at) block.set(trustAnchors, null);
  };

  test('a list that it did not ask for', () => {
    const puppet = flight({});
    puppet.send(puppet.encryptedExtensions((block) => block.set(trustAnchors, [A])));
    expect(outcomeOf(puppet)).toEqual(refused('unsolicited-extension'));
  });

  test('a mark that it did not ask for, or behind the leaf', () => {
    for (const [options, at] of [
      [{}, 0],
      [{ trustAnchors: [A] }, 1],
    ] as const) {
      const puppet = flight(options);
      const chain = [plain.certificates[0]!, pki.authority.certificate.der];
      puppet.send(puppet.encryptedExtensions(), puppet.certificate({ chain, extensions: mark(at) }));
      puppet.send(puppet.certificateVerify());
      expect(outcomeOf(puppet)).toEqual(refused('unsolicited-extension'));
    }
  });
});

import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { Certificate, createCertificateAuthority, ExtensionOid, TrustStore } from '@testudo/x509';
import { describe, expect, test, vi } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { statusRequest } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import { certificateRequest13 } from '../messages/certificate-request.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { verifyWith } from './certificate-verifier.ts';
import { preferIssuedBy } from './choice-by-authorities.ts';
import { type Credential, credential } from './credential.ts';
import { rawPublicKeyCredential } from './raw-public-key.ts';

const provider = nodeCrypto;
const [one, two, three] = ['One', 'Two', 'Three'].map((commonName) =>
  createCertificateAuthority({ provider, commonName }),
) as [CA, CA, CA];
type CA = ReturnType<typeof createCertificateAuthority>;
const below = two.issueAuthority({ commonName: 'Below two' });
const trust = new TrustStore([one, two, three].map(({ certificate }) => certificate));
const verifyCertificate = verifyWith(provider, () => trust);

function by(authority: CA, purpose: 'server' | 'client'): Credential {
  const issued = authority.issue({ purpose, names: [SERVER_NAME] });
  return credential(
    provider,
    issued.certificateChain.map(({ der }) => der),
    issued.privateKey!,
  );
}

const names = (...authorities: CA[]) => authorities.map(({ certificate }) => certificate.subject.der);
const servers = [by(one, 'server'), by(below, 'server'), by(three, 'server')] as const;
const clients = [by(one, 'client'), by(below, 'client'), by(three, 'client')] as const;

const meet = (client: Partial<ClientOptions>, server: Partial<ServerOptions>) =>
  new Pair(
    clientEnd(clientConfig({ provider, verifyCertificate, ...client })),
    serverEnd(serverConfig({ provider, verifyCertificate, credentials: servers, ...server })),
  )
    .pump()
    .settle();

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s: a client', (maxVersion) => {
  const shown = async (certificateAuthorities: Uint8Array[], more: Partial<ServerOptions> = {}) => {
    const pair = await meet(
      { maxVersion, credentials: clients },
      { clientCertificate: 'require', certificateAuthorities, ...more },
    );
    expect(pair.server.errors).toEqual([]);
    return clients.findIndex(({ certificates }) => certificates === pair.client.info.localCertificates);
  };

  test('shows a certificate that leads to a CA of the server', async () => {
    expect(await shown(names(three))).toBe(2);
    expect(await shown(names(three, one))).toBe(0);
  });

  test('sees it also behind an intermediate', async () => {
    expect(await shown(names(two))).toBe(1);
    expect(await shown(names(below))).toBe(1);
  });

  test('shows its first one where no name fits, or none was said', async () => {
    const stranger = createCertificateAuthority({ provider, commonName: 'Stranger' });
    expect(await shown(names(stranger))).toBe(0);
    expect(await shown([Uint8Array.of(0x30, 0)])).toBe(0);
    expect(await shown([])).toBe(0);
  });

  test('shows only what the filters let through, whoever issued it', async () => {
    const usage = (bit: number) => ({
      oid: der.oid(ExtensionOid.keyUsage),
      values: der.namedBits([bit]),
    });
    if (maxVersion === 'TLSv1.2') return;
    expect(await shown(names(three), { oidFilters: [usage(0)] })).toBe(2);
    // keyCertSign: none has it, and so none is shown.
    const pair = await meet(
      { maxVersion, credentials: clients },
      { clientCertificate: 'request', certificateAuthorities: names(three), oidFilters: [usage(5)] },
    );
    expect(pair.client.info.localCertificates).toEqual([]);
  });
});

test('a TLS 1.3 server shows a certificate that leads to a CA of the client', async () => {
  const shown = async (certificateAuthorities: Uint8Array[]) => {
    const { server } = await meet({ certificateAuthorities }, {});
    return servers.findIndex(({ certificates }) => certificates === server.info.localCertificates);
  };
  expect(await shown(names(three))).toBe(2);
  expect(await shown(names(two))).toBe(1);
  expect(await shown([])).toBe(0);
});

test('a raw public key, and what cannot be read, is no reason to fail', () => {
  const raw = rawPublicKeyCredential(provider, provider.generateKey({ type: 'ed25519' }));
  const broken = { ...clients[0], certificates: [Uint8Array.of(1, 2)] };
  expect(preferIssuedBy([broken, raw, clients[2]], names(three))).toEqual([raw, clients[2], broken]);
});

test('certificates are read once, however often a peer names CAs', () => {
  const own = [
    by(one, 'server'),
    by(below, 'server'),
    { ...by(two, 'server'), certificates: [Uint8Array.of(1)] },
  ];
  const parse = vi.spyOn(Certificate, 'parse');
  try {
    expect(preferIssuedBy(own, names(two))[0]).toBe(own[1]);
    expect(parse).toHaveBeenCalled();
    parse.mockClear();
    expect(preferIssuedBy(own, names(two))[0]).toBe(own[1]);
    expect(parse).not.toHaveBeenCalled();
  } finally {
    parse.mockRestore();
  }
});

describe('a TLS 1.3 server that asks for it', () => {
  const asks = { clientCertificate: 'require', requestOcsp: true, requestTimestamps: true } as const;
  const extra = {
    ocspResponse: Uint8Array.of(1, 2),
    signedCertificateTimestamps: Uint8Array.of(0, 3, 0, 1, 4),
  };

  test('gets a client’s OCSP response and timestamps', async () => {
    const pair = await meet({ credentials: [{ ...clients[0], ...extra }] }, asks);
    expect(pair.server.errors).toEqual([]);
    expect(pair.server.info).toMatchObject(extra);
    const silent = await meet(
      { credentials: [{ ...clients[0], ...extra }] },
      { clientCertificate: 'require' },
    );
    expect(silent.server.info).toMatchObject({
      ocspResponse: undefined,
      signedCertificateTimestamps: undefined,
    });
  });

  test('says so in its request', () => {
    const server = serverEnd(serverConfig({ provider, verifyCertificate, credentials: servers, ...asks }));
    const p = new PuppetClient13(provider, server, clients[0]);
    p.sendHello();
    const request = p.messages.find(({ type }) => type === certificateRequest13.type)!;
    const { extensions } = decodeMessage(certificateRequest13, request);
    expect(extensions.get(statusRequest)).toEqual(Uint8Array.of(1, 0, 0, 0, 0));
    expect(extensions.has(signedCertificateTimestamp)).toBe(true);
  });

  test.each([statusRequest, signedCertificateTimestamp])(
    'refuses $name that it did not ask for',
    (extension) => {
      const server = serverEnd(
        serverConfig({ provider, verifyCertificate, credentials: servers, clientCertificate: 'require' }),
      );
      const p = new PuppetClient13(provider, server, clients[0]);
      p.sendHello();
      // Certificate with one entry, whose extension is well-formed (RFC 9846 §4.5.1).
      const [leaf] = clients[0].certificates as [Uint8Array];
      const body = extension === statusRequest ? [1, 0, 0, 1, 9] : [0, 3, 0, 1, 9];
      const block = [0, extension.id, 0, body.length, ...body];
      const entry = [...uint24(leaf.length), ...leaf, 0, block.length, ...block];
      const message = [0, ...uint24(entry.length), ...entry];
      p.send(Uint8Array.of(11, ...uint24(message.length), ...message));
      expect(outcomeOf(p)).toEqual(refused('unsolicited-extension'));
    },
  );
});

function uint24(value: number): number[] {
  return [value >> 16, (value >> 8) & 255, value & 255];
}

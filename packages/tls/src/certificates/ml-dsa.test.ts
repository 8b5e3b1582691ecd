import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { createCertificateAuthority, TrustStore } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { signatureAlgorithms } from '../extensions/negotiation.ts';
import { legacy } from '../legacy/index.ts';
import { certificateRequest12, certificateRequest13 } from '../messages/certificate-request.ts';
import { decodeMessage, HANDSHAKE_TYPE } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import { SIGNATURE_SCHEMES } from '../signature-schemes.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';
import { verifyWith } from './certificate-verifier.ts';
import { credential } from './credential.ts';
import { issueDelegatedCredential } from './issue-delegation.ts';

// Certificates and handshakes signed with ML-DSA (RFC 9881, draft-ietf-tls-mldsa), from the root to CertificateVerify.

const LEVELS = [44, 65, 87] as const;

function identities(level: (typeof LEVELS)[number], provider = nodeCrypto) {
  const key = { type: `ml-dsa-${level}` } as const;
  const root = createCertificateAuthority({ provider, commonName: `ML-DSA-${level}`, key });
  const issue = (purpose: 'server' | 'client') => {
    const issued = root.issue({ purpose, names: [SERVER_NAME], key, delegationUsage: true });
    const chain = issued.certificateChain.map(({ der }) => der);
    return credential(provider, chain, issued.privateKey!);
  };
  const trust = new TrustStore([root.certificate]);
  return { server: issue('server'), client: issue('client'), trust };
}

describe.each([nodeCrypto, portableCrypto])('provider $name', (provider) => {
  test.each(LEVELS)('both sides show certificates for ML-DSA-%i', async (level) => {
    const { server, client, trust } = identities(level, provider);
    const scheme = `mldsa${level}`;
    const common = {
      provider,
      signatureSchemes: [scheme],
      verifyCertificate: verifyWith(provider, () => trust),
    };
    const pair = await new Pair(
      clientEnd(clientConfig({ ...common, credentials: [client] })),
      serverEnd(serverConfig({ ...common, credentials: [server], clientCertificate: 'require' })),
    )
      .pump()
      .settle();
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    for (const { info } of [pair.client, pair.server]) {
      expect(info.serverSignatureScheme?.name).toBe(scheme);
      expect(info.clientSignatureScheme?.name).toBe(scheme);
      expect(info.verifiedPath).toHaveLength(2);
    }
    expect(pair.client.info.serverSignatureScheme?.id).toBe({ 44: 0x0904, 65: 0x0905, 87: 0x0906 }[level]);
  });
});

describe('a server with a certificate for ML-DSA alone', () => {
  const { server, trust } = identities(44);
  const meet = async (options: Partial<ClientOptions>) => {
    const verifyCertificate = verifyWith(nodeCrypto, () => trust);
    const pair = await new Pair(
      clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options })),
      serverEnd(
        serverConfig({
          ...{ provider: nodeCrypto, credentials: [server] },
          signatureSchemes: ['mldsa44', 'ecdsa_secp256r1_sha256'],
        }),
      ),
    )
      .pump()
      .settle();
    return pair.server.errors.map(({ code }) => code);
  };

  test('serves nobody who does not offer the scheme', async () => {
    expect(await meet({})).toEqual(['no-common-signature-scheme']);
    expect(await meet({ signatureSchemes: ['mldsa65'] })).toEqual(['no-common-signature-scheme']);
  });

  test('serves nobody in TLS 1.2', async () => {
    const schemes = ['mldsa44', 'ecdsa_secp256r1_sha256'];
    expect(await meet({ signatureSchemes: schemes })).toEqual([]);
    expect(await meet({ signatureSchemes: schemes, maxVersion: 'TLSv1.2' })).not.toEqual([]);
  });

  test('delegates to a key on a curve, for a shorter second signature', async () => {
    const key = nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' });
    const delegated = await issueDelegatedCredential(nodeCrypto, { delegator: server, key });
    expect(delegated.signedWith.name).toBe('mldsa44');
    expect(delegated.scheme.name).toBe('ecdsa_secp256r1_sha256');
  });
});

// Numbers of TLS 1.3 alone stand in no message of an older handshake: ML-DSA (draft-ietf-tls-mldsa §3), Brainpool by its curve (RFC
// 8734 §3), and PKCS #1 for clients (draft-ietf-tls-tls13-pkcs1 §2).
describe('schemes of TLS 1.3 alone', () => {
  const signatureSchemes = SIGNATURE_SCHEMES.filter(({ isLegacy }) => !isLegacy).map(({ name }) => name);
  const ONLY_13 = [0x0904, 0x0905, 0x0906, 0x081a, 0x081b, 0x081c, 0x0420, 0x0520, 0x0620];
  const pki = new TestPki(nodeCrypto);
  const verifyCertificate = pki.verifier();
  const asks = { signatureSchemes, clientCertificate: 'request', verifyCertificate } as const;

  test('are in no CertificateRequest of TLS 1.2', () => {
    const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...asks });
    const p = new PuppetClient12(nodeCrypto, serverEnd(config), pki.client()).sendHello();
    const request = p.messages.find(({ type }) => type === HANDSHAKE_TYPE.certificate_request)!;
    const { supportedSignatureAlgorithms } = decodeMessage(certificateRequest12, request);
    expect(supportedSignatureAlgorithms).toContain(0x0403);
    expect(supportedSignatureAlgorithms!.filter((id) => ONLY_13.includes(id))).toEqual([]);
  });

  // RFC 9846 §4.3.3: MD5 and DSA are not used any more, not even in certificates.
  test('and MD5 and DSA in none of TLS 1.3', () => {
    const config = serverConfig({
      provider: nodeCrypto,
      credentials: [pki.server()],
      ...asks,
      legacy,
      signatureSchemes: SIGNATURE_SCHEMES.map(({ name }) => name),
    });
    const p = new PuppetClient13(nodeCrypto, serverEnd(config), pki.client()).sendHello();
    const request = p.messages.find(({ type }) => type === HANDSHAKE_TYPE.certificate_request)!;
    const asked = decodeMessage(certificateRequest13, request).extensions.get(signatureAlgorithms)!;
    expect(asked).toEqual(expect.arrayContaining([...ONLY_13, 0x0403, 0x0401, 0x0203, 0x0201]));
    expect(asked.filter((id) => [0x0101, 0x0202, 0x0402].includes(id))).toEqual([]);
  });

  test.each([
    ['request', []],
    ['require', ['no-common-signature-scheme']],
  ] as const)('where there are no others, TLS 1.2 cannot %s a certificate', (clientCertificate, codes) => {
    const own = { ...pki.server(), signatureSchemes: ['ecdsa_secp256r1_sha256'] };
    const options = { ...asks, signatureSchemes: ['mldsa44'], clientCertificate, credentials: [own] };
    const config = serverConfig({ provider: nodeCrypto, ...options });
    const p = new PuppetClient12(nodeCrypto, serverEnd(config), pki.client()).sendHello();
    expect(p.end.errors.map(({ code }) => code)).toEqual(codes);
    expect(p.messages.map(({ type }) => type)).not.toContain(HANDSHAKE_TYPE.certificate_request);
    expect(p.messages.length > 0).toBe(codes.length === 0);
  });

  test('are in one of TLS 1.3', () => {
    const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...asks });
    const p = new PuppetClient13(nodeCrypto, serverEnd(config), pki.client()).sendHello();
    const request = p.messages.find(({ type }) => type === HANDSHAKE_TYPE.certificate_request)!;
    const offered = decodeMessage(certificateRequest13, request).extensions.get(signatureAlgorithms)!;
    expect(ONLY_13.filter((id) => offered.includes(id))).toEqual(ONLY_13);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('a client up to %s', (maxVersion) => {
    const options = { provider: nodeCrypto, verifyCertificate, signatureSchemes, maxVersion };
    const hello = new PuppetServer13(nodeCrypto, clientEnd(clientConfig(options)), pki.server()).hello;
    const offered = hello.extensions.get(signatureAlgorithms)!;
    const expected = maxVersion === 'TLSv1.2' ? [] : [0x0904, 0x0905, 0x0906, 0x081a, 0x081b, 0x081c];
    expect(ONLY_13.filter((id) => offered.includes(id))).toEqual(expected);
  });

  test('are no options of a client up to TLS 1.2 by themselves', () => {
    const options = { provider: nodeCrypto, verifyCertificate, maxVersion: 'TLSv1.2' } as const;
    expect(() => clientConfig({ ...options, signatureSchemes: ['mldsa65'] })).toThrow('signatureSchemes');
  });
});

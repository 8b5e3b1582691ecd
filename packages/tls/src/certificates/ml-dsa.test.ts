import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { createCertificateAuthority, TrustStore } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { verifyWith } from '../certificate-verdict.ts';
import { credential } from '../credential.ts';
import { type ClientOptions, clientConfig, serverConfig } from '../options.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME } from '../testing/pki.ts';
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

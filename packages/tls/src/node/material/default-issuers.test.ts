import { once } from 'node:events';
import { rootCertificates } from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  Certificate,
  certificateToPem,
  createCertificateAuthority,
  parseCertificates,
  privateKeyToPem,
} from '@testudo/x509';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ca,
  closeAll,
  connected,
  errorOf,
  listen,
  nodes,
  ours,
  serverIdentity,
  track,
} from '../testing/support.ts';
import { defaultIssuers, setDefaultCACertificates } from './default-authorities.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});

/** As it would be, if a root had issued it. */
function childOf(keyIdentifier: Uint8Array | undefined): Certificate {
  return { extensions: { authorityKeyIdentifier: { keyIdentifier } } } as unknown as Certificate;
}

// In this order: what was replaced stays so.
describe('issuers among the default roots', () => {
  test('a server that nobody gave any CA parses but few of them for its own chain', async () => {
    const parse = vi.spyOn(Certificate, 'parse');
    const { client } = await connected(ours, nodes, serverIdentity, { ca });
    expect(client.authorized).toBe(true);
    expect(parse.mock.calls.length).toBeLessThan(rootCertificates.length / 2);
  });

  test('each root is found by its key identifier, with few others, and those that have none', () => {
    const lookup = defaultIssuers();
    const roots = rootCertificates.flatMap((pem) => parseCertificates(pem));
    const nameless = roots.filter(({ extensions }) => extensions.subjectKeyIdentifier === undefined);
    for (const root of roots) {
      const { subjectKeyIdentifier } = root.extensions;
      if (subjectKeyIdentifier === undefined) continue;
      const found = lookup(childOf(subjectKeyIdentifier));
      expect(found.some((one) => one.equals(root))).toBe(true);
      expect(found.length).toBeLessThan(nameless.length + 10);
      for (const one of nameless) expect(found.some((other) => other.equals(one))).toBe(true);
    }
  });

  test('without an identifier all may be it, and with a strange one only those that have none', () => {
    const lookup = defaultIssuers();
    expect(lookup(childOf(undefined)).length).toBeGreaterThan(rootCertificates.length - 5);
    for (const one of lookup(childOf(new Uint8Array(20).fill(7))))
      expect(one.extensions.subjectKeyIdentifier).toBeUndefined();
  });

  test('those that are put in their place complete a chain from then on', async () => {
    const root = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Default Root' });
    const upper = root.issueAuthority({ commonName: 'Default Upper' });
    const issued = upper.issue({ purpose: 'server', names: ['localhost'] });
    const own = {
      cert: certificateToPem(issued.certificate),
      key: privateKeyToPem(issued.privateKey!),
    };
    const server = ours.createServer(own);
    server.on('tlsClientError', () => {});
    const port = await listen(server);
    const reach = async (): Promise<unknown> => {
      const trusted = certificateToPem(root.certificate);
      const client = track(nodes.connect({ port, ca: trusted, servername: 'localhost' }));
      return Promise.race([once(client, 'secureConnect').then(() => 'reached'), errorOf(client)]);
    };
    expect(await reach()).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    setDefaultCACertificates([root, upper].map(({ certificate }) => certificateToPem(certificate)));
    expect(await reach()).toBe('reached');
    setDefaultCACertificates([certificateToPem(root.certificate)]);
    expect(await reach()).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });
});

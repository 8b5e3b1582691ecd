import { nodeCrypto } from '@testudo/crypto/node';
import { clientConfig, serverConfig } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity } from './support/identities.ts';
import { connectLink, listenLinks } from './support/link.ts';
import { sClient, sServer } from './support/openssl.ts';

// Client certificates in TLS 1.0 and 1.1, where RSA signs MD5 and SHA-1 at once, and everything else SHA-1 (RFC 4346 §4.7).

cleanUpAfterTests();

let identities: Identities;
let server: Identity;
beforeAll(() => {
  identities = new Identities();
  server = identities.server('RSA');
});

const CASES = (['TLSv1.1', 'TLSv1'] as const).flatMap((version) =>
  (['RSA', 'P-256'] as const).map((type) => [version, type] as const),
);
const FLAGS = { 'TLSv1.1': '-tls1_1', TLSv1: '-tls1' } as const;
const WEAK = ['-cipher', 'DEFAULT@SECLEVEL=0'];

const old = (version: keyof typeof FLAGS) =>
  ({
    ...{ provider: nodeCrypto, legacy, minVersion: version, maxVersion: version },
    cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA'],
    verifyCertificate: identities.verifier(),
  }) as const;

withPrograms('openssl')('OpenSSL', () => {
  test.each(CASES)('%s server, our client with a key of type %s', async (version, type) => {
    const asks = ['-Verify', '2', '-verify_return_error', '-CAfile', identities.ca];
    const { program, port } = await sServer(server, FLAGS[version], ...WEAK, ...asks);
    const credentials = [identities.client(type, 'old friend').credential];
    const link = connectLink(port, clientConfig({ ...old(version), credentials }));
    expect(await link.secure).toMatchObject({ version, localCertificates: credentials[0]!.certificates });
    link.send('hello\n');
    await program.expect(/^hello$/m);
    expect(program.output).toMatch(/subject=CN = old friend/);
  });

  test.each(CASES)('%s client with a key of type %s, our server', async (version, type) => {
    const ours = await listenLinks(
      serverConfig({ ...old(version), credentials: [server.credential], clientCertificate: 'require' }),
    );
    const own = identities.client(type);
    const args = ['-cert', own.cert, '-key', own.key, '-cert_chain', own.cert];
    const program = sClient(identities, ours.port, FLAGS[version], ...WEAK, ...args);
    const link = await ours.next();
    const info = await link.secure;
    expect(info.version).toBe(version);
    expect(Buffer.compare(info.peerCertificates[0]!, own.leaf.der)).toBe(0);
    expect(info.clientSignatureScheme?.name).toBe(type === 'RSA' ? 'rsa_pkcs1_md5_sha1' : 'ecdsa_sha1');
    program.write('hello\n');
    await link.expect('hello\n');
  });
});

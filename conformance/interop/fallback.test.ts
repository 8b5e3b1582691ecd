import { nodeCrypto } from '@testudo/crypto/node';
import { clientConfig } from '@testudo/tls';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { cleanUpAfterTests } from './support/clean-up.ts';
import { Identities } from './support/identities.ts';
import { connectLink } from './support/link.ts';
import { sServer } from './support/openssl.ts';

// TLS_FALLBACK_SCSV (RFC 7507) from our client; OpenSSL's own stands among the refusals.

cleanUpAfterTests();

let identities: Identities;
beforeAll(() => {
  identities = new Identities();
});

withPrograms('openssl')('OpenSSL server', () => {
  const fallBack = (port: number) =>
    connectLink(
      port,
      clientConfig({
        provider: nodeCrypto,
        verifyCertificate: identities.verifier(),
        maxVersion: 'TLSv1.2',
        fallback: true,
      }),
    );

  test('that knows TLS 1.3 refuses a client that falls back to 1.2', async () => {
    const { port, program } = await sServer(identities.server());
    expect(await fallBack(port).over).toMatchObject({ receivedAlert: 'inappropriate_fallback' });
    await program.expect(/inappropriate fallback/);
  });

  test('that knows no more than TLS 1.2 serves it', async () => {
    const { port } = await sServer(identities.server(), '-tls1_2');
    expect(await fallBack(port).secure).toMatchObject({ version: 'TLSv1.2' });
  });
});

import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { SecureContextOptions } from './index.ts';
import {
  ca,
  closeAll,
  connected,
  failing,
  issue,
  nodes,
  ours,
  PARTIES,
  type Tls,
} from './testing/support.ts';

afterEach(closeAll);

/** DHE wants an RSA certificate. */
const rsa = issue({ key: { type: 'rsa', bits: 2048 } });
const dhe = { ...rsa, ciphers: 'DHE', maxVersion: 'TLSv1.2' } as const;

/** Made by `openssl dhparam`: primes of their own, as old servers have them. */
const DH_512 = `-----BEGIN DH PARAMETERS-----
MEYCQQCeiSX9qsDdn/x2H/RPMD6lNEfMHr/2UtMF8CMuPMUTScwlibioIakhXSmh
E3JiDtzaG1+lgVQTJUKGAgtsDGMnAgEC
-----END DH PARAMETERS-----
`;
const DH_1024 = `-----BEGIN X9.42 DH PARAMETERS-----
MIIBJwKBgQDbFAsA9HKLvnlhPJsuG8m+GvwWd2jj725bsBPca0ZgaA9tnkFPsRvz
6cJafRvV6plmBbov+VvqJvRD14t6hgPI1ZgmcpPrAM/BMQWGegTscWPmDoXpv3/1
F7HvwGkXsosbKmLTQn28+UAqkJqMsCbjKB8o/Yhl0KAHBvZpbyNWNQKBgQCIZY4M
HfMmGiclka0SH/qylcpr2PWueAPDk+W1X+EsWXCZKqcGgZqwkFu/g01lAi95hJaa
dJhDZ3t9fn8N4uNWaiOfFToc4HFp53iCbTKe5Rtdx46RgrIZeZh4ezKiZw+CGsnz
021ipqxdsoWEVKM8oPzPLUc36e2js4f5kgi+yQIdALFR0am6v18FUIFOTNSt/Qia
S6gc2f7sbV0HOKc=
-----END X9.42 DH PARAMETERS-----
`;

describe('getEphemeralKeyInfo', () => {
  const groups: SecureContextOptions[] = [
    { ecdhCurve: 'X25519' },
    { ecdhCurve: 'X448' },
    { ecdhCurve: 'P-256' },
    { ecdhCurve: 'P-384', maxVersion: 'TLSv1.2' },
    { ecdhCurve: 'P-521' },
    { ecdhCurve: 'brainpoolP256r1', maxVersion: 'TLSv1.2' },
    { ecdhCurve: 'ffdhe3072' },
    { ...dhe, dhparam: 'auto' },
    { ciphers: 'kRSA', maxVersion: 'TLSv1.2' },
  ];

  test.each(groups)('is as in Node: %j', async (options) => {
    const info = async (tls: Tls): Promise<object | null> => {
      const { client } = await connected(
        tls,
        tls,
        { ...rsa, ...options },
        { ...options, key: undefined, cert: undefined },
      );
      return client.getEphemeralKeyInfo();
    };
    expect(await info(ours)).toEqual(await info(nodes));
  });

  test('a hybrid is no curve, and has no size', async () => {
    const options = { ecdhCurve: 'X25519MLKEM768' };
    const { client } = await connected(ours, ours, options, options);
    expect(client.getEphemeralKeyInfo()).toEqual({ type: 'TLSGroup', name: 'X25519MLKEM768' });
  });
});

describe.each(PARTIES)('DHE: %s', (_name, serverTls, clientTls) => {
  test('with auto', async () => {
    const { client } = await connected(serverTls, clientTls, { ...dhe, dhparam: 'auto' }, { ciphers: 'DHE' });
    expect(client.getEphemeralKeyInfo()).toEqual({ type: 'DH', size: 2048 });
  });

  test('with parameters of one\u2019s own, which are short', async () => {
    const weak = { ciphers: 'DHE@SECLEVEL=0' };
    const server = { ...dhe, ...weak, dhparam: DH_1024 };
    if (serverTls === ours) {
      // It has a better prime.
      const { client } = await connected(serverTls, clientTls, server, weak);
      expect(client.getEphemeralKeyInfo()).toEqual({ type: 'DH', size: 2048 });
      return;
    }
    // OpenSSL 3.5 does not send it at any level.
    const theirs = await connected(nodes, nodes, server, weak).catch(() => undefined);
    if (theirs === undefined) return;
    const { client } = await connected(serverTls, clientTls, server, weak);
    expect(client.getEphemeralKeyInfo()).toEqual(theirs.client.getEphemeralKeyInfo());
    const careful = await failing(serverTls, clientTls, server, { ciphers: 'DHE' });
    expect(careful.client?.cause).toMatchObject({ code: 'weak-parameters' });
  });

  test('a client may want more bits', async () => {
    const outcome = await failing(
      serverTls,
      clientTls,
      { ...dhe, dhparam: 'auto' },
      { ciphers: 'DHE', minDHSize: 3072 },
    );
    expect(outcome.client).toMatchObject({ code: 'ERR_TLS_DH_PARAM_SIZE' });
  });
});

describe('dhparam', () => {
  test('what is too small is refused, what cannot be read passed over, as in Node', () => {
    const outcome = (tls: Tls, dhparam: string): object => {
      try {
        tls.createSecureContext({ dhparam });
        return { thrown: false };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        return { thrown: true, code, message };
      }
    };
    for (const dhparam of [DH_512, 'nonsense', DH_512.replace('MEY', 'AAA')]) {
      expect(outcome(ours, dhparam)).toEqual(outcome(nodes, dhparam));
    }
  });

  test('below 2048 bits there is a warning', async () => {
    const warned = once(process, 'warning');
    ours.createSecureContext({ dhparam: Buffer.from(DH_1024) });
    expect((await warned)[0]).toMatchObject({
      name: 'SecurityWarning',
      message: 'DH parameter is less than 2048 bits',
    });
  });

  test('minDHSize must be a number above zero', () => {
    expect(() => ours.connect({ port: 1, ca, minDHSize: 'x' as never })).toThrow(/minDHSize/);
    expect(() => ours.connect({ port: 1, ca, minDHSize: 0 })).toThrow(/minDHSize/);
  });
});

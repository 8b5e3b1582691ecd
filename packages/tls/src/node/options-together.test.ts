import { expect, test } from 'vitest';
import { clientIdentity, issue, nodes, ours, serverIdentity, type Tls } from './testing/support.ts';

// Of several options that are wrong, Node tells of the one that it looks at first: two by two.

const OTHERS = issue();

const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  ca: [1, 'x', [undefined]],
  cert: [1, 'x', serverIdentity.key, clientIdentity.cert],
  key: [1, 'x', serverIdentity.cert, OTHERS.key, [{ pem: serverIdentity.key, passphrase: 1 }]],
  passphrase: [1, {}],
  pfx: [1, '', 'x', {}, [1]],
  crl: [1, '', 'x', [null], serverIdentity.cert],
  dhparam: [1, {}],
  ciphers: [1, 'x', ':', {}],
  ecdhCurve: [1, 'x', null],
  sigalgs: [1, '', 'x'],
  sessionIdContext: [1, 'x'.repeat(33)],
  sessionTimeout: ['x', -1, 1.5],
  ticketKeys: [1, Buffer.alloc(3)],
  minVersion: [1, 'x', 'TLSv1.2'],
  maxVersion: [1, 'x', 'TLSv1.3'],
  secureProtocol: ['x', 'SSLv3_method', 'TLSv1_2_method', ''],
  secureOptions: ['x', 1.5],
  clientCertEngine: [1],
  privateKeyIdentifier: [1],
};

function thrown(tls: Tls, options: object): unknown {
  try {
    tls.createSecureContext(options);
    return 'taken';
  } catch (error) {
    const { code, message, name } = error as Error & { code?: string };
    return { code, message: code === undefined ? '' : message, name };
  }
}

const PAIRS = Object.keys(WRONG).flatMap((first, index) =>
  Object.keys(WRONG)
    .slice(index + 1)
    .map((second) => [first, second] as const),
);

test('what only Node has is told of after what is wrong', () => {
  const engine = { clientCertEngine: 'nowhere' };
  expect(thrown(ours, engine)).toMatchObject({ code: 'ERR_TESTUDO_UNSUPPORTED_OPTION' });
  const both = { ...engine, crl: 1, ca: 1 };
  expect(thrown(ours, both)).toEqual(thrown(nodes, both));
});

test.each(PAIRS)('%s and %s', (first, second) => {
  for (const one of WRONG[first]!) {
    for (const other of WRONG[second]!) {
      const options = { ...serverIdentity, [first]: one, [second]: other };
      expect([first, one, second, other, thrown(ours, options)]).toEqual([
        first,
        one,
        second,
        other,
        thrown(nodes, options),
      ]);
    }
  }
});

import { once } from 'node:events';
import { certificateToPem } from '@testudo/x509';
import { afterEach, expect, test } from 'vitest';
import type { TLSSocket } from './index.ts';
import {
  authority,
  closeAll,
  closeOf,
  connected,
  issue,
  nodes,
  ours,
  serverIdentity,
  type Tls,
  VERSIONS,
} from './testing/support.ts';

afterEach(closeAll);

const ASKED = [
  ...(['getProtocol', 'getCipher', 'getEphemeralKeyInfo', 'getPeerCertificate', 'getCertificate'] as const),
  ...(['getFinished', 'getPeerFinished', 'getSession', 'getTLSTicket', 'isSessionReused'] as const),
  ...(['getSharedSigalgs', 'getPeerX509Certificate', 'getX509Certificate'] as const),
];

function answers(socket: TLSSocket): unknown[] {
  return ASKED.map((name) => [name, (socket[name] as () => unknown).call(socket)]);
}

test.each(VERSIONS)(
  'who asks what was agreed on after the end gets nothing, as in Node: %s',
  async (maxVersion) => {
    const story = async (tls: Tls): Promise<unknown> => {
      const { client, accepted } = await connected(tls, tls, { maxVersion });
      const closed = [closeOf(client), closeOf(accepted)];
      client.resume().end();
      accepted.resume().end();
      await Promise.all(closed);
      return [answers(client), answers(accepted)];
    };
    expect(await story(ours)).toEqual(await story(nodes));
  },
);

test('destroy is the end already', async () => {
  const story = async (tls: Tls): Promise<unknown> => {
    const { client } = await connected(tls, tls);
    return answers(client.destroy());
  };
  expect(await story(ours)).toEqual(await story(nodes));
});

test.each(VERSIONS)('a server has a session to show, and no ticket, as in Node: %s', async (maxVersion) => {
  for (const tls of [ours, nodes]) {
    const { accepted } = await connected(tls, tls, { maxVersion });
    expect(accepted.getSession()).toBeInstanceOf(Buffer);
    expect(accepted.getSession()!.length).toBeGreaterThan(0);
    accepted.destroy();
    await once(accepted, 'close');
  }
});

test('a certificate knows its issuers as far as they were sent, as in Node', async () => {
  const above = authority.issueAuthority({ commonName: 'Test intermediate' });
  const long = issue({}, above);
  const root = certificateToPem(authority.certificate);
  for (const identity of [serverIdentity, long, { ...long, cert: long.cert + root }]) {
    const story = async (tls: Tls): Promise<unknown> => {
      const { client, accepted } = await connected(tls, tls, identity);
      const subjects: unknown[] = [];
      for (const start of [client.getPeerX509Certificate(), accepted.getX509Certificate()]) {
        for (let one = start; one !== undefined && subjects.length < 9; one = one.issuerCertificate)
          subjects.push(one.subject);
        subjects.push('|');
      }
      return subjects;
    };
    expect(await story(ours)).toEqual(await story(nodes));
  }
});

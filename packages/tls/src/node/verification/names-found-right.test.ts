import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { closeAll, connected, failing, issue, nodes, ours } from '../testing/support.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});

/** How often a certificate was put into OpenSSL's words. */
function rewritten() {
  return vi.spyOn(X509Certificate.prototype, 'toLegacyObject');
}

describe('the name of a server that is met again', () => {
  test('is not looked at again', async () => {
    const identity = issue({ names: ['localhost'] });
    await connected(ours, ours, identity, { servername: 'localhost' });
    const made = rewritten();
    for (let i = 0; i < 2; i++) {
      const { client } = await connected(ours, ours, identity, { servername: 'localhost' });
      expect(client.authorized).toBe(true);
    }
    expect(made).not.toHaveBeenCalled();
  });

  test.each([
    ['localhost', 'other.example'],
    ['a.wild.example', 'b.a.wild.example'],
    ['LOCALHOST', 'localhost.example'],
  ])('is for %s, and that says nothing of %s', async (right, wrong) => {
    const identity = issue({ names: ['localhost', '*.wild.example'] });
    for (let i = 0; i < 2; i++) {
      const { client } = await connected(ours, ours, identity, { servername: right });
      expect(client.authorized).toBe(true);
      const own = await failing(ours, ours, identity, { servername: wrong });
      const theirs = await failing(nodes, nodes, identity, { servername: wrong });
      expect(own.client).toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
        message: theirs.client!.message,
      });
    }
  });

  test('says nothing of another certificate', async () => {
    const identity = issue({ names: ['localhost'] });
    await connected(ours, ours, identity);
    await connected(ours, ours, identity);
    const { client } = await failing(ours, ours, issue({ names: ['other.example'] }), {});
    expect(client).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('is looked at again after more names than are kept', async () => {
    const identity = issue({ names: ['*.wild.example'] });
    for (let i = 0; i < 17; i++) {
      const { client } = await connected(ours, ours, identity, { servername: `h${i}.wild.example` });
      expect(client.authorized).toBe(true);
    }
    const made = rewritten();
    await connected(ours, ours, identity, { servername: 'h16.wild.example' });
    expect(made).not.toHaveBeenCalled();
    await connected(ours, ours, identity, { servername: 'h0.wild.example' });
    expect(made).toHaveBeenCalled();
  });
});

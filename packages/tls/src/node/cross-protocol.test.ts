import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import * as tls from './index.ts';
import { ca, serverIdentity, track } from './testing/support.ts';

async function meet(server: tls.TlsOptions, client: tls.ConnectionOptions): Promise<string> {
  const listener = track(tls.createServer({ ...serverIdentity, ...server }, (socket) => socket.end()));
  listener.on('tlsClientError', () => {});
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const socket = track(tls.connect({ port, host: '127.0.0.1', ca, servername: 'localhost', ...client }));
  return new Promise((resolve) => {
    socket.once('secureConnect', () => resolve('secure'));
    socket.once('error', (error: Error & { code?: string }) => resolve(String(error.code)));
  });
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  const only = { minVersion: version, maxVersion: version };
  const h2 = { ALPNProtocols: ['h2'] };

  test('requireAlpn refuses clients and servers without a protocol, and lets the others meet', async () => {
    expect(await meet({ ...only, ...h2, requireAlpn: true }, { ...h2 })).toBe('secure');
    expect(await meet({ ...only, ...h2, requireAlpn: true }, {})).toMatch(/NO_APPLICATION_PROTOCOL/);
    expect(await meet({ ...only }, { ...h2, requireAlpn: true })).not.toBe('secure');
    expect(await meet({ ...only }, { ...h2 })).toBe('secure');
  });

  test('serverNames refuses other names', async () => {
    expect(await meet({ ...only, serverNames: ['localhost'] }, {})).toBe('secure');
    expect(await meet({ ...only, serverNames: ['mail.example'] }, {})).toMatch(/UNRECOGNIZED_NAME/);
    expect(await meet({ ...only }, {})).toBe('secure');
  });
});

import { once } from 'node:events';
import { connect } from '@testudo/tls/node';
import { afterAll, afterEach, expect, test } from 'vitest';
import { removeFolders } from '../testing/folder.ts';
import { startGateway, stopAll } from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

const NAMES = ['localhost', ...Array.from({ length: 20 }, (_, i) => `service-${i}.example.test`)];

test.each([
  [['brotli'], 'brotli'],
  [['zlib'], 'zlib'],
  [undefined, undefined],
])(
  'clients that offer %j get the certificate compressed with %s',
  async (certificateCompression, received) => {
    // Names that repeat each other: a certificate that would not get shorter goes out as it is.
    const { port, ca } = await startGateway([`certificate: local\nnames: [${NAMES.join(', ')}]\necho: true`]);
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca, certificateCompression });
    await once(socket, 'secureConnect');
    expect(socket.connectionInfo?.certificateCompression?.received).toBe(received);
    socket.resume().end();
    await once(socket, 'close');
  },
);

import { createServer, type Server, type Socket } from 'node:net';
import { runShim, type ShimResult } from './shim.ts';

/**
 * Runs the shim for launchers that come to a Unix socket. A launcher sends the length of its arguments (32 bits, little
 * endian) and the arguments, each ended by NUL; it gets frames of one letter, a length and bytes: `o` for standard
 * output, `e` for standard error, `x` for the exit code, which is last.
 */
export function serveShim(path: string, onResult: (result: ShimResult) => void = () => {}): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let received = Buffer.alloc(0);
    const gone = new AbortController();
    socket.on('close', () => gone.abort());
    socket.on('error', () => socket.destroy());
    socket.on('end', () => gone.abort());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readUInt32LE()) return;
      const text = received.toString('utf8', 4, 4 + received.readUInt32LE());
      void runShim(text.split('\0').slice(0, -1), gone.signal).then((result) => {
        onResult(result);
        sendFrame(socket, 'o', Buffer.from(result.stdout));
        sendFrame(socket, 'e', Buffer.from(result.stderr));
        sendFrame(socket, 'x', Buffer.of(result.code));
        socket.end();
      });
    });
  });
  return server.listen(path);
}

function sendFrame(socket: Socket, kind: string, bytes: Uint8Array): void {
  if (bytes.length === 0 || !socket.writable) return;
  const head = Buffer.alloc(5);
  head.write(kind, 'latin1');
  head.writeUInt32LE(bytes.length, 1);
  socket.write(Buffer.concat([head, bytes]));
}

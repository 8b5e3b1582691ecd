// The server behind for what is large: sends 100 MB to whoever asks, and takes what comes.
import { createServer } from 'node:http';
import { BULK_SIZE } from './lib/loads.mjs';

const CHUNK = Buffer.alloc(250_000, 'testudo');

const server = createServer(async (request, response) => {
  if (request.method !== 'GET') {
    let taken = 0;
    for await (const chunk of request) taken += chunk.length;
    response.writeHead(taken === BULK_SIZE ? 200 : 400, { 'content-length': 0 }).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': BULK_SIZE });
  let left = BULK_SIZE;
  const more = () => {
    while (left > 0) {
      left -= CHUNK.length;
      if (!response.write(CHUNK)) return;
    }
    response.end();
  };
  response.on('drain', more);
  more();
});
server.keepAliveTimeout = 600_000;
server.listen(Number(process.argv[2]), '127.0.0.1');

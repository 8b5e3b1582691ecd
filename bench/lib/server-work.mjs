/** What a server does with its connections; one behaviour at a time. */
export class ServerWork {
  #stack;
  #server;
  #sockets = new Set();
  #counts = { connections: 0, resumed: 0 };
  #failure;
  #total = 0;

  constructor(stack) {
    this.#stack = stack;
  }

  /** Starts with a behaviour and returns the port. */
  async listen({ behaviour }) {
    const behave = BEHAVIOURS[behaviour];
    const server = this.#stack.createServer((socket) => {
      this.#counts.connections++;
      if (socket.isSessionReused()) this.#counts.resumed++;
      // As node:http does. Without it Nagle's algorithm and delayed acknowledgements make 40 ms waits of chance.
      if (behaviour !== 'farewell') socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('error', (error) => {
        this.#failure ??= error;
      });
      // Some stacks leave the second half of a close to their user.
      socket.on('end', () => socket.end());
      socket.on('close', () => this.#sockets.delete(socket));
      behave(socket, () => this.#total);
    });
    server.on('tlsClientError', (error) => {
      this.#failure ??= error;
    });
    await new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    this.#server = server;
    return server.address().port;
  }

  /** How many bytes the next round sends or takes. */
  expect({ total }) {
    this.#total = total;
  }

  /** Handshakes since the last call. Throws when a connection failed. */
  counts() {
    if (this.#failure !== undefined) throw this.#failure;
    const counts = this.#counts;
    this.#counts = { connections: 0, resumed: 0 };
    return { ...counts, open: this.#sockets.size };
  }

  close() {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

const BEHAVIOURS = {
  /** Sends back what comes. */
  echo(socket) {
    socket.on('data', (chunk) => socket.write(chunk));
  },
  /** Answers and closes, as programs do that know of no Nagle. */
  farewell(socket) {
    socket.on('data', (chunk) => socket.end(chunk));
  },
  /** Counts what comes, and answers all of them with one. */
  sink(socket, total) {
    let came = 0;
    socket.on('data', (chunk) => {
      came += chunk.length;
      if (came < total()) return;
      came = 0;
      socket.write('.');
    });
  },
  /** Sends `total` bytes for each byte that comes. */
  source(socket, total) {
    socket.on('data', () => sendAll(socket, total()));
  },
};

/** What senders write at once, like a file stream. */
const CHUNK = Buffer.alloc(65_536, 'testudo ');

/** Writes `total` bytes and heeds backpressure. */
export function sendAll(socket, total) {
  let left = total;
  const more = () => {
    while (left > 0) {
      const chunk = left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left);
      left -= chunk.length;
      if (!socket.write(chunk)) {
        if (left > 0) socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

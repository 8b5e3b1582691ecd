import { sendAll } from './server-work.mjs';
import { checkFacts } from './stacks.mjs';

/** What a client does to a server. */
export class ClientWork {
  #stack;
  #held = [];

  constructor(stack) {
    this.#stack = stack;
  }

  /** Sessions to resume with, from full handshakes; and how many tickets came with the last. */
  async sessions({ port, count }) {
    const all = [];
    let tickets = 0;
    for (let i = 0; i < count; i++) {
      const sessions = await this.#session(port);
      tickets = sessions.length;
      all.push(sessions[0]);
    }
    this.#sessions = all;
    return { tickets };
  }
  #sessions;

  async #session(port) {
    const socket = this.#stack.connect(port);
    const sessions = [];
    socket.on('session', (session) => sessions.push(session));
    await secured(socket);
    checkFacts(this.#stack, socket, false);
    await exchange(socket, Buffer.from('.'));
    await ended(socket);
    if (sessions.length === 0) throw new Error('the server sent no ticket');
    return sessions;
  }

  /**
   * `count` connections, `concurrency` at a time: handshake, one byte there and back, close. With `plain` the server closes, and
   * nobody asks for no delay.
   */
  async handshakes({ port, count, concurrency, resumed, plain }) {
    let started = 0;
    const early = this.#stack.setting.earlyData ? Buffer.from('.') : undefined;
    const lane = async (_, number) => {
      while (started < count) {
        started++;
        const session = resumed ? this.#sessions[number] : undefined;
        const newer = await this.#handshake(port, session, early, plain);
        // Early data is taken once for each ticket.
        if (early) this.#sessions[number] = newer;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
  }

  #handshake(port, session, early, plain) {
    return new Promise((resolve, reject) => {
      const socket = this.#stack.connect(port, session, early);
      let answered = false;
      let newer;
      socket.on('error', reject);
      if (early) {
        socket.on('session', (value) => {
          newer = value;
        });
      }
      socket.on('secureConnect', () => {
        try {
          checkFacts(this.#stack, socket, session !== undefined);
          if (!plain) socket.setNoDelay(true);
          if (!early) socket.write('.');
        } catch (error) {
          socket.destroy();
          reject(error);
        }
      });
      socket.on('data', () => {
        answered = true;
        if (!plain) socket.end();
      });
      socket.on('close', () => {
        if (answered) resolve(newer);
        else reject(new Error('the server closed the connection early'));
      });
    });
  }

  /** A connection for the workloads below, outside of what is measured. */
  async open({ port }) {
    const socket = await this.#open(port);
    this.#held.push(socket);
  }

  async #open(port) {
    const socket = this.#stack.connect(port);
    await secured(socket);
    checkFacts(this.#stack, socket, false);
    socket.setNoDelay(true);
    return socket;
  }

  /** `count` messages of `size` bytes, each sent when the one before has come back. */
  pingPong({ count, size }) {
    const socket = this.#held[0];
    const message = Buffer.alloc(size, 'p');
    return new Promise((resolve, reject) => {
      let left = count;
      let missing = size;
      socket.once('error', reject);
      socket.on('data', function onData(chunk) {
        missing -= chunk.length;
        if (missing > 0) return;
        missing = size;
        if (--left > 0) socket.write(message);
        else {
          socket.off('data', onData);
          socket.off('error', reject);
          resolve();
        }
      });
      socket.write(message);
    });
  }

  /** Sends `total` bytes and waits for the sink's answer. */
  async send({ total }) {
    const socket = this.#held[0];
    const answer = new Promise((resolve, reject) => {
      socket.once('data', resolve);
      socket.once('error', reject);
    });
    sendAll(socket, total);
    await answer;
    socket.removeAllListeners('error');
  }

  /** Asks the source and takes `total` bytes. */
  async receive({ total }) {
    const socket = this.#held[0];
    await new Promise((resolve, reject) => {
      socket.once('error', reject);
      let left = total;
      socket.on('data', (chunk) => {
        left -= chunk.length;
        if (left <= 0) resolve();
      });
      socket.write('.');
    });
    socket.removeAllListeners('data');
    socket.removeAllListeners('error');
  }

  /** Opens `count` connections, exchanges one byte on each, and leaves them open. */
  async hold({ port, count, concurrency }) {
    let started = 0;
    const lane = async () => {
      while (started < count) {
        started++;
        const socket = await this.#open(port);
        await exchange(socket, Buffer.from('.'));
        socket.on('error', () => {});
        this.#held.push(socket);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
  }

  async release() {
    const held = this.#held.splice(0);
    await Promise.all(held.map(ended));
  }
}

function secured(socket) {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
}

async function exchange(socket, message) {
  await new Promise((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('error', reject);
    socket.write(message);
  });
  socket.removeAllListeners('error');
}

function ended(socket) {
  return new Promise((resolve) => {
    socket.removeAllListeners('error');
    socket.on('error', resolve);
    socket.once('close', resolve);
    socket.resume();
    socket.end();
  });
}

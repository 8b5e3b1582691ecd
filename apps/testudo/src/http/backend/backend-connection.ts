import { connect, type Socket } from 'node:net';
import { type AnswerHead, AnswerParser, type AnswerReceiver, MalformedAnswer } from './answer-parser.ts';

/** Who has a connection for one request and its answer. */
export interface ConnectionUser extends Omit<AnswerReceiver, 'onSwitch'> {
  onConnect(): void;
  /** What came in one read has been handed over. */
  onReadOver(): void;
  /** More can be written. */
  onDrain(): void;
  /** The connection is lost; it is nobody's any more. */
  onLost(error: Error): void;
  /** It has switched to another protocol (RFC 9110 §15.2.2): `socket` is the user's. */
  onSwitch(head: AnswerHead, rest: Buffer, socket: Socket): void;
}

/** One TCP connection to the server behind. Its listeners are made once, whoever has it. */
export class BackendConnection implements AnswerReceiver {
  readonly socket: Socket;
  /** Requests before the current one. */
  uses = 0;
  /** When the server has said that it closes it, in milliseconds of `performance.now`. */
  usableUntil: number = Number.POSITIVE_INFINITY;
  readonly #parser = new AnswerParser(this);
  readonly #onGone: (connection: BackendConnection) => void;
  #user: ConnectionUser | undefined;

  /** @param onGone called when it closes, or is another protocol's. */
  constructor(host: string, port: number, onGone: (connection: BackendConnection) => void) {
    this.#onGone = onGone;
    this.socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE });
    // A character of a field is a byte.
    this.socket.setDefaultEncoding('latin1');
    this.socket.on('connect', this.#connected);
    this.socket.on('data', this.#received);
    this.socket.on('drain', this.#drained);
    this.socket.on('end', this.#ended);
    this.socket.on('error', this.#lost);
    this.socket.on('close', this.#closed);
  }

  /** Whether it is there, and nobody's. */
  get isFree(): boolean {
    return this.#user === undefined && !this.socket.destroyed && this.socket.writable;
  }

  /** From here on it is `user`'s, until {@link leave}. */
  take(user: ConnectionUser, isToHead: boolean): void {
    this.#user = user;
    this.#parser.begin(isToHead);
  }

  /**
   * The user needs it no more. Answers whether another may have it; otherwise it is closed. One on which something came
   * that nobody has asked for is at odds with its server about where answers end: the rest of that could be taken for the answer to
   * another client's request.
   */
  leave(): boolean {
    this.#user = undefined;
    const isReusable = this.#parser.isReusable && this.isFree && this.socket.writableLength === 0;
    if (!isReusable) {
      this.destroy();
      return false;
    }
    this.uses++;
    // The last of the answer may have been too much for its reader.
    if (this.socket.isPaused()) this.socket.resume();
    return true;
  }

  destroy(): void {
    this.#user = undefined;
    this.#parser.stop();
    this.socket.destroy();
  }

  onInformation(head: AnswerHead): void {
    this.#user?.onInformation(head);
  }

  onHead(head: AnswerHead): void {
    this.#user?.onHead(head);
  }

  onBody(chunk: Buffer): void {
    this.#user?.onBody(chunk);
  }

  onEnd(trailers: readonly string[]): void {
    this.#user?.onEnd(trailers);
  }

  onSwitch(head: AnswerHead, rest: Buffer): void {
    const user = this.#user;
    this.#user = undefined;
    const { socket } = this;
    socket.off('connect', this.#connected);
    socket.off('data', this.#received);
    socket.off('drain', this.#drained);
    socket.off('end', this.#ended);
    socket.off('error', this.#lost);
    socket.off('close', this.#closed);
    // Until somebody reads it.
    socket.pause();
    this.#onGone(this);
    socket.on('error', () => socket.destroy());
    if (user === undefined) socket.destroy();
    else user.onSwitch(head, rest, socket);
  }

  readonly #connected = (): void => this.#user?.onConnect();

  readonly #received = (bytes: Buffer): void => {
    const user = this.#user;
    // Nobody has asked.
    if (user === undefined) this.destroy();
    else if (this.#push(bytes)) user.onReadOver();
  };

  readonly #ended = (): void => {
    const user = this.#user;
    if (this.#parser.end()) user?.onReadOver();
    else this.#lost(hungUp());
  };

  readonly #drained = (): void => this.#user?.onDrain();

  readonly #lost = (error: Error): void => {
    const user = this.#user;
    this.destroy();
    user?.onLost(error);
  };

  readonly #closed = (): void => {
    this.#lost(hungUp());
    this.#onGone(this);
  };

  /** Whether it could be read. */
  #push(bytes: Buffer): boolean {
    try {
      this.#parser.push(bytes);
      return true;
    } catch (error) {
      if (!(error instanceof MalformedAnswer)) throw error;
      this.#lost(error);
      return false;
    }
  }
}

/** TCP asks a silent server whether it is still there; milliseconds. */
const KEEP_ALIVE = 15_000;

/** As `node:http` calls it. */
function hungUp(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

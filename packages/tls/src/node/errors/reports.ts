import type { ConnectionEvents } from '../../connection/events.ts';
import type { TlsError } from '../../errors.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import type { Session } from '../../sessions/session.ts';

/** What is told to whoever holds a connection. Called with nothing of the engine on the stack, so it may do what it likes. */
export interface ReportReader {
  onSecure(info: ConnectionInfo): void;
  onChanged(info: ConnectionInfo): void;
  onRenegotiationDeclined(): void;
  /** Returns false when the reader has enough for now. */
  onData(bytes: Uint8Array): boolean;
  /** At once, while the engine runs: a session that came with the handshake is there when the handshake's end is told. */
  holdSession(session: Session): void;
  onSession(session: Session): void;
  onEnd(): void;
  /** The transport ended, and that is let pass without close_notify. */
  onTruncation(): void;
  onFailure(error: TlsError): void;
}

/**
 * The engine's event object: notes what the engine reports while it runs, and tells it afterwards, in the same order. So
 * a ticket that came before an answer is known to whoever handles the answer.
 */
export abstract class Reports implements ConnectionEvents {
  abstract readonly owner: ReportReader;
  #secured: ConnectionInfo | undefined;
  /** Data by itself, since most of it is data. */
  #noted: (Uint8Array | Report)[] | undefined;
  #ended: 'with notice' | 'without' | undefined;
  #failure: TlsError | undefined;

  /** The handshake is complete: what is to be told as data before anything that came. */
  protected abstract enter(info: ConnectionInfo): readonly Uint8Array[] | undefined;
  /** The owner knows that the handshake is complete, even when its handler threw. */
  protected abstract entered(): void;
  /** The reader has enough. */
  protected abstract fill(): void;
  /** Nobody is to be told anything any more. */
  protected abstract get isClosed(): boolean;

  secure(info: ConnectionInfo): void {
    this.#secured = info;
  }

  data(bytes: Uint8Array): void {
    this.#note(bytes);
  }

  changed(info: ConnectionInfo): void {
    this.#note({ kind: 'changed', info });
  }

  renegotiationDeclined(): void {
    this.#note({ kind: 'declined' });
  }

  session(session: Session): void {
    this.owner.holdSession(session);
    this.#note({ kind: 'session', session });
  }

  end(): void {
    this.#ended = 'with notice';
  }

  /** As {@link end}, but the engine does not report it. */
  protected truncate(): void {
    this.#ended = 'without';
  }

  failed(error: TlsError): void {
    this.#failure = error;
  }

  /** Noted, and not told yet. */
  protected get failure(): TlsError | undefined {
    return this.#failure;
  }

  /** A user's handler is about to hear that the handshake is complete. */
  protected get willBeSecure(): boolean {
    return this.#secured !== undefined;
  }

  protected forget(): void {
    this.#noted = undefined;
  }

  /** Tells everything. When a handler throws, the rest is told the next time. */
  protected tell(): void {
    const info = this.#secured;
    if (info !== undefined) {
      this.#secured = undefined;
      const early = this.enter(info);
      if (early !== undefined && early.length > 0) this.#noted = [...early, ...(this.#noted ?? [])];
      try {
        this.owner.onSecure(info);
      } finally {
        this.entered();
      }
    }
    this.#tellNoted();
    const ended = this.#ended;
    if (ended !== undefined) {
      this.#ended = undefined;
      if (ended === 'with notice') this.owner.onEnd();
      else this.owner.onTruncation();
    }
    const failure = this.#failure;
    if (failure !== undefined) {
      this.#failure = undefined;
      this.owner.onFailure(failure);
    }
  }

  #note(report: Uint8Array | Report): void {
    if (this.#noted === undefined) this.#noted = [report];
    else this.#noted.push(report);
  }

  #tellNoted(): void {
    while (this.#noted !== undefined) {
      const noted = this.#noted;
      this.#noted = undefined;
      let told = 0;
      try {
        while (told < noted.length && !this.isClosed) this.#tellOne(noted[told++]!);
      } finally {
        if (told < noted.length && !this.isClosed) {
          this.#noted = noted.slice(told).concat(this.#noted ?? []);
        }
      }
    }
  }

  #tellOne(report: Uint8Array | Report): void {
    const { owner } = this;
    if (report instanceof Uint8Array) {
      if (!owner.onData(report)) this.fill();
    } else if (report.kind === 'session') owner.onSession(report.session);
    else if (report.kind === 'changed') owner.onChanged(report.info);
    else owner.onRenegotiationDeclined();
  }
}

type Report =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'changed'; readonly info: ConnectionInfo }
  | { readonly kind: 'declined' };

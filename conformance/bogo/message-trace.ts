import { ALERTS, type AlertName, type Observer } from '@testudo/tls';

/** What `-expect-msg-callback` compares, and the traffic secrets of TLS 1.3. */
export class MessageTrace {
  text = '';
  readonly secrets = new Map<string, Uint8Array>();
  readonly observer: Observer = {
    message: (direction, { type }) => this.#note(direction, `hs ${type}`),
    changeCipherSpec: (direction) => this.#note(direction, 'ccs'),
    alert: (direction, level, name) =>
      this.#note(direction, `alert ${level === 'fatal' ? 2 : 1} ${ALERTS[name as AlertName]}`),
    secret: (label, _random, secret) => void this.secrets.set(label, secret.slice()),
  };

  #note(direction: 'sent' | 'received', what: string): void {
    this.text += `${direction === 'sent' ? 'write' : 'read'} ${what}\n`;
  }
}

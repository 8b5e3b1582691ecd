import { ALERT_LEVELS, ALERTS, type AlertName, alertName, ssl30Alert } from '../alerts.ts';
import { MAX_WARNING_ALERTS } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import type { Observer } from '../observer.ts';
import type { AlertChooser } from '../options/common.ts';
import { ALERT } from '../record/content-type.ts';
import type { RecordLayer } from '../record/record-layer.ts';
import { SSL30, type Version } from '../versions.ts';

/** What an alert of the peer's means for the connection. */
export type AlertMeaning =
  | { readonly kind: 'close_notify' }
  | { readonly kind: 'warning'; readonly name: string }
  | { readonly kind: 'fatal'; readonly name: string };

/** The alert protocol (RFC 9846 §6, RFC 5246 §7.2). */
export class AlertProtocol {
  readonly #records: RecordLayer;
  readonly #observer: Observer | undefined;
  readonly #alertFor: AlertChooser | undefined;
  #warningsInARow = 0;
  #isSsl30 = false;
  /** A server's, before it says so; undefined before it has one. */
  chosenVersion: Version | undefined;

  constructor(records: RecordLayer, observer: Observer | undefined, alertFor: AlertChooser | undefined) {
    this.#records = records;
    this.#observer = observer;
    this.#alertFor = alertFor;
  }

  /** The version that was agreed on: SSL 3.0 knows fewer alerts. */
  useVersion(version: number): void {
    this.#isSsl30 = version === SSL30;
  }

  send(level: 'warning' | 'fatal', wanted: AlertName): void {
    const name = this.#isSsl30 ? ssl30Alert(wanted) : wanted;
    this.#observer?.alert?.('sent', level, name);
    this.#records.write(ALERT, Uint8Array.of(ALERT_LEVELS[level], ALERTS[name]));
  }

  /** Tells the peer why the connection is over. */
  sendFailure(error: TlsError, wasHandshaking: boolean): void {
    error.version = this.chosenVersion;
    const alert = this.#alertFor?.(error) ?? error.alert;
    error.alert = alert;
    if (alert === 'none') return;
    if (alert !== 'user_canceled' || this.#isSsl30) {
      this.send('fatal', alert);
      return;
    }
    // Peers pass over user_canceled: what ends a handshake is the close_notify behind it (RFC 9846 §6.1). Data would
    // seem complete by one, so that an open connection is given up without a word: the peer sees it truncated.
    if (!wasHandshaking) return;
    this.send('warning', alert);
    this.send('warning', 'close_notify');
  }

  /**
   * Reads an alert. In TLS 1.3 its level says nothing: all but close_notify and user_canceled are fatal (RFC 9846 §6, §6.1).
   * Throws on what is no alert, and on too many warnings in a row.
   */
  receive(content: Uint8Array, isTls13: boolean): AlertMeaning {
    // It has an alert of its own (RFC 9846 §5.4, RFC 5246 §6.2.1).
    if (content.length === 0) throw new TlsError('unexpected-message', 'an empty alert record');
    if (content.length !== 2) throw new TlsError('malformed-record', 'an alert has two bytes');
    const [level, code] = content as unknown as [number, number];
    if (level !== ALERT_LEVELS.warning && level !== ALERT_LEVELS.fatal)
      throw new TlsError('illegal-parameter', `an alert of level ${level}`);
    const name = alertName(code);
    this.#observer?.alert?.('received', level === ALERT_LEVELS.warning ? 'warning' : 'fatal', name);
    if (code === ALERTS.close_notify) return { kind: 'close_notify' };
    const isWarning = code === ALERTS.user_canceled || (level === ALERT_LEVELS.warning && !isTls13);
    if (!isWarning) return { kind: 'fatal', name };
    if (++this.#warningsInARow > MAX_WARNING_ALERTS) {
      throw new TlsError('too-many-warning-alerts', `more than ${MAX_WARNING_ALERTS} warnings in a row`);
    }
    return { kind: 'warning', name };
  }

  /** So many bytes of application data came: the peer does not only warn. Empty records say nothing. */
  dataCame(length: number): void {
    if (length > 0) this.#warningsInARow = 0;
  }
}

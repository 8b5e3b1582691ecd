import { TlsError } from '@testudo/tls';

/** Something is not as the flags expect it. */
export class Failure extends Error {}

/**
 * One line for the runner, which looks for the error it expects in it: `ErrorMap` in config.json says what BoringSSL's
 * errors are called here. For an alert of the peer it is the name that BoringSSL gives to it.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof TlsError) {
    const alert = error.receivedAlert === undefined ? '' : ` :ALERT_${error.receivedAlert.toUpperCase()}:`;
    return `${error.code}${alert} (sends ${error.alert}): ${error.message}`;
  }
  if (error instanceof Failure) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

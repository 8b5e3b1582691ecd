import { type Address, addressText } from '../config/address.ts';
import { Failure, systemReason } from '../failure.ts';

/** Why an address cannot be taken, and what to do. */
export function bindFailure(error: NodeJS.ErrnoException, address: Address, name: string): Failure {
  const where = addressText(address);
  switch (error.code) {
    case 'EADDRINUSE':
      return new Failure(
        `${name}: ${where} is in use by another program: stop that one, or choose another port`,
        1,
        error,
      );
    case 'EACCES':
      return new Failure(
        `${name}: not allowed to listen on ${where}: ports below 1024 need a privilege; choose a higher one, or grant CAP_NET_BIND_SERVICE`,
        1,
        error,
      );
    default:
      return new Failure(`${name}: cannot listen on ${where}: ${systemReason(error)}`, 1, error);
  }
}

import { farewell } from './farewell.ts';
import type { Service } from './service.ts';

/** Sends back what comes, and says goodbye after the client has: so that any client can be tried. */
export function echoService(): Service {
  return {
    accept(socket) {
      socket.on('error', () => socket.destroy());
      // `pipe` waits where the client does not read, and ends when the client ends.
      socket.pipe(socket);
      return {
        isBusy: () => false,
        end: (grace) => {
          socket.unpipe(socket);
          farewell(socket, grace);
        },
      };
    },
    drain: () => undefined,
    close: () => undefined,
  };
}

import { ClientRequest, type ClientRequestArgs } from 'node:http';

/** What a request to the server behind is made of. */
export interface BackendRequestOptions extends Pick<ClientRequestArgs, 'agent' | 'host' | 'port'> {
  readonly method: string;
  readonly path: string;
  /** Name, value, name, value, …: written as they are. */
  readonly headers: readonly string[];
}

/** A request whose header is what `headers` says, byte by byte: Node adds nothing to it. */
export class BackendRequest extends ClientRequest {
  constructor({ headers, ...options }: BackendRequestOptions) {
    super({ ...options, headers: headers as string[], setHost: false } as never);
    // Those beyond a limit would be missing without a word; their size is limited.
    this.maxHeadersCount = 0;
    // A character of a field is a byte, also where Node writes a header without a body.
    this.once('socket', (socket) => socket.setDefaultEncoding('latin1'));
  }
}

// How a body is framed stands in the header; a POST without one is no body in chunks.
Object.defineProperty(BackendRequest.prototype, 'useChunkedEncodingByDefault', {
  get: () => false,
  set: () => undefined,
});

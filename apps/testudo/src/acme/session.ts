import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from 'acme-client';
import { messageOf } from '../failure.ts';
import { shown } from '../output/text.ts';
import { AcmeError } from './acme-error.ts';
import { AcmeTransport } from './transport.ts';

export interface AcmeAccount {
  /** PEM. */
  readonly key: string;
  /** Undefined before it is registered. */
  readonly url: string | undefined;
}

export interface AcmeSessionOptions {
  readonly directory: URL;
  readonly account: AcmeAccount;
  readonly externalAccount?: { readonly keyId: string; readonly macKey: string } | undefined;
  /** PEM: whom to trust for the CA's TLS. Default: the public roots. */
  readonly ca?: string | undefined;
  /** Between two steps: one that has begun is finished, since the CA may have done what it asks for. */
  readonly signal: AbortSignal;
}

/**
 * `acme-client`, which signs requests and keeps nonces (RFC 8555 §6.2, §6.5), with its errors and its transport made ours.
 * That library has one HTTP client for the whole process, sleeps on its own, and forgets what a CA's error said; an adapter (its own hook) puts {@link AcmeTransport} below it.
 * It is loaded when the first certificate is wanted, so that nobody else pays for it.
 */
export class AcmeSession {
  readonly transport: AcmeTransport;
  readonly #client: Client;
  readonly #signal: AbortSignal;

  private constructor(client: Client, transport: AcmeTransport, signal: AbortSignal) {
    this.#client = client;
    this.transport = transport;
    this.#signal = signal;
  }

  static async open(options: AcmeSessionOptions): Promise<AcmeSession> {
    const library = await loadLibrary();
    const { account, externalAccount } = options;
    const client = new library.Client({
      directoryUrl: options.directory.href,
      accountKey: account.key,
      ...(account.url === undefined ? {} : { accountUrl: account.url }),
      ...(externalAccount === undefined
        ? {}
        : { externalAccountBinding: { kid: externalAccount.keyId, hmacKey: externalAccount.macKey } }),
    });
    return new AcmeSession(client, new AcmeTransport(options.ca), options.signal);
  }

  /** One step with the CA. Throws {@link AcmeError}, and the signal's reason. */
  async run<T>(step: (client: Client) => Promise<T>): Promise<T> {
    const { transport } = this;
    this.#signal.throwIfAborted();
    transport.forget();
    try {
      return await transports.run(transport, () => step(this.#client));
    } catch (error) {
      if (error instanceof AcmeError) throw error;
      const { problem, retryAfter } = transport;
      const detail = shown(problem?.detail ?? messageOf(error), 500);
      throw new AcmeError('refused', `the CA refuses: ${detail}`, {
        type: problem?.type,
        retryAfter,
        cause: error,
      });
    }
  }

  close(): void {
    this.transport.close();
  }
}

type Library = typeof import('acme-client');

/** Whose request it is that the library sends. */
const transports = new AsyncLocalStorage<AcmeTransport>();

let library: Promise<Library> | undefined;

function loadLibrary(): Promise<Library> {
  library ??= import('acme-client').then((loaded) => {
    // CommonJS: everything is in `default` as well, and only there for some loaders.
    const acme = ((loaded as { default?: Library }).default ?? loaded) as Library;
    acme.axios.defaults.adapter = async (config) => {
      const transport = transports.getStore();
      if (transport === undefined) throw new AcmeError('unusable', 'a request outside of a session');
      const { status, headers, body } = await transport.send({
        url: config.url ?? '',
        method: (config.method ?? 'get').toUpperCase(),
        headers: textHeaders(config.headers.toJSON()),
        body: typeof config.data === 'string' ? config.data : undefined,
      });
      return { status, statusText: '', headers, data: body, config };
    };
    return acme;
  });
  return library;
}

function textHeaders(headers: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => typeof value === 'string' && !/^(accept-encoding|user-agent)$/i.test(name))
      .map(([name, value]) => [name.toLowerCase(), value as string]),
  );
}

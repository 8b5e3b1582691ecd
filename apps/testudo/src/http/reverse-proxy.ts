import type { IncomingMessage, ServerResponse } from 'node:http';
import { OutageLog } from '../observe/outage-log.ts';
import type { Log } from '../output/log.ts';
import { BackendExchange, type ExchangeOwner } from './backend/backend-exchange.ts';
import { BackendPool } from './backend/backend-pool.ts';
import type { BackendLimits } from './backend/backend-watch.ts';
import type { Field } from './header-fields.ts';
import { ProxiedRequest } from './proxied-request.ts';
import type { ForwardedRequest, ForwardingPolicy } from './proxy-request.ts';
import type { ProxyWay } from './proxy-way.ts';

export interface ProxyOptions {
  /** `http:`; its path is put before that of each request. */
  readonly upstream: URL;
  readonly trustForwarded: boolean;
  readonly limits: BackendLimits;
  readonly log: Log;
}

/** Passes requests on to an HTTP server, and its answers back, as they are, and as streams both ways. */
export class ReverseProxy {
  readonly #way: ProxyWay;

  constructor(options: ProxyOptions) {
    const { upstream, trustForwarded, limits, log } = options;
    const details = { upstream: upstream.host };
    this.#way = {
      limits,
      pool: new BackendPool(
        upstream.hostname.replace(/^\[|\]$/g, ''),
        upstream.port === '' ? 80 : Number(upstream.port),
      ),
      forwarding: {
        trustForwarded,
        upstreamHost: upstream.host,
        pathPrefix: upstream.pathname.replace(/\/$/, ''),
      },
      answering: new OutageLog(log, details, {
        first: 'the server does not answer',
        more: 'more requests to the server failed in the last minute',
        over: 'the server answers again',
      }),
      finishing: new OutageLog(log, details, {
        first: 'the server stopped in the middle of an exchange',
        more: 'the server stopped in the middle of more exchanges in the last minute',
      }),
    };
  }

  /**
   * `own`: the gateway's fields for the answer; those of the server behind count where it has the same. What comes back says whether the
   * server behind is waited for.
   */
  handle(request: IncomingMessage, response: ServerResponse, own: readonly Field[]): ProxiedRequest {
    return new ProxiedRequest(request, response, own, this.#way);
  }

  /** A request that has no body, of somebody who has no answer in HTTP's form. Whoever opens one says how it fares. */
  open(owner: ExchangeOwner, forwarded: ForwardedRequest): BackendExchange {
    const { pool, limits } = this.#way;
    const exchange = new BackendExchange(owner, { pool, limits, forwarded });
    exchange.end();
    return exchange;
  }

  get forwarding(): ForwardingPolicy {
    return this.#way.forwarding;
  }

  get answering(): OutageLog {
    return this.#way.answering;
  }

  close(): void {
    this.#way.pool.close();
    this.#way.answering.flush();
    this.#way.finishing.flush();
  }
}

import type { OutageLog } from '../observe/outage-log.ts';
import type { BackendPool } from './backend/backend-pool.ts';
import type { BackendLimits } from './backend/backend-watch.ts';
import type { ForwardingPolicy } from './proxy-request.ts';

/** Where a proxy's requests go to, and how that fares. */
export interface ProxyWay {
  readonly pool: BackendPool;
  readonly forwarding: ForwardingPolicy;
  readonly limits: BackendLimits;
  /** Whether the server behind answers. */
  readonly answering: OutageLog;
  /** Whether it ends what it has begun. */
  readonly finishing: OutageLog;
}

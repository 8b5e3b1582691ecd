import type { CryptoProvider } from '@testudo/crypto';
import { TrustStore } from '@testudo/x509';
import { verifyWith } from '../certificates/certificate-verifier.ts';
import { clientConfig } from '../config/client.ts';
import type { Connection } from '../connection/connection.ts';
import { clientConnection } from '../connection/endpoint.ts';
import { HEARTBEAT_REQUEST, MIN_PADDING, writeHeartbeat } from '../heartbeat/message.ts';
import { HEARTBEAT } from '../record/content-type.ts';
import { RecordLayer } from '../record/record-layer.ts';

/** A client that asks for heartbeats without waiting for an answer, and without reading unless it is told to. */
export class Flooder {
  readonly connection: Connection;
  readonly received: Uint8Array[] = [];
  ended = false;
  readonly #provider: CryptoProvider;
  #records: RecordLayer | undefined;

  constructor(parts: {
    readonly provider: CryptoProvider;
    /** The server's CA, DER or PEM. */
    readonly authority: ConstructorParameters<typeof TrustStore>[0];
    readonly host: string;
    readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  }) {
    const { provider } = parts;
    this.#provider = provider;
    const trust = new TrustStore(parts.authority);
    const config = clientConfig({
      provider,
      verifyCertificate: verifyWith(provider, () => trust),
      maxVersion: parts.maxVersion,
      heartbeat: 'only-ask',
    });
    this.connection = clientConnection(config, {
      host: parts.host,
      events: {
        data: (bytes) => void this.received.push(bytes),
        end: () => {
          this.ended = true;
        },
      },
    });
  }

  /** One request, as it goes over the wire. */
  request(payload: number): Uint8Array {
    this.#records ??= this.#findRecords();
    const padding = this.#provider.randomBytes(MIN_PADDING);
    this.#records.write(HEARTBEAT, writeHeartbeat(HEARTBEAT_REQUEST, new Uint8Array(payload), padding));
    return this.connection.takeOutgoing()!;
  }

  /** The engine itself asks for one heartbeat at a time. */
  #findRecords(): RecordLayer {
    const { write } = RecordLayer.prototype;
    let records!: RecordLayer;
    RecordLayer.prototype.write = function (this: RecordLayer, ...args): void {
      records = this;
      write.apply(this, args);
    };
    this.connection.heartbeat(() => {});
    RecordLayer.prototype.write = write;
    return records;
  }
}

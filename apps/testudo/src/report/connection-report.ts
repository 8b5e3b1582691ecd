import type { ConnectionInfo, EchOutcome, VersionName } from '@testudo/tls';
import type { ConnectionRecord } from '../observe/connection-record.ts';
import { type CertificateReport, certificateReportOf } from './certificate-report.ts';

/** One connection for people and scripts; what `/connection.json` and `testudo connect --json` give. */
export interface ConnectionReport {
  readonly version: VersionName;
  readonly cipherSuite: string;
  /** Undefined in a resumed TLS 1.2 connection. */
  readonly group: string | null;
  /** True when the key exchange withstands a quantum computer, too. */
  readonly postQuantum: boolean;
  /** How the server proved that it has its key; null when resumed. */
  readonly signatureScheme: string | null;
  readonly clientSignatureScheme: string | null;
  readonly alpn: string | null;
  readonly serverName: string | null;
  readonly resumed: boolean;
  readonly helloRetryRequest: boolean;
  readonly extendedMasterSecret: boolean;
  /** What became of Encrypted Client Hello. */
  readonly ech: EchOutcome;
  /** The leaf first; empty when none was sent. */
  readonly serverCertificates: readonly CertificateReport[];
  readonly clientCertificates: readonly CertificateReport[];
  readonly messages: readonly MessageReport[];
  /** Messages that were too many to list. */
  readonly omittedMessages: number;
  readonly records: { readonly fromClient: TrafficReport; readonly fromServer: TrafficReport };
}

export interface MessageReport {
  readonly from: 'client' | 'server';
  readonly kind: 'message' | 'change-cipher-spec' | 'alert';
  /** `client_hello`, as the RFCs write it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the start. */
  readonly time: number;
  readonly encrypted: boolean;
}

export interface TrafficReport {
  readonly records: number;
  /** On the wire, with headers. */
  readonly bytes: number;
}

/** @param role which side we are: whose messages "sent" ones are. */
export function connectionReport(
  info: ConnectionInfo,
  record: ConnectionRecord,
  role: 'client' | 'server',
): ConnectionReport {
  const own = info.localCertificates.map(certificateReportOf);
  const peers = info.peerCertificates.map(certificateReportOf);
  const group = info.group?.name ?? null;
  return {
    version: info.version,
    cipherSuite: info.cipherSuite.name,
    group,
    postQuantum: group?.includes('MLKEM') ?? false,
    signatureScheme: info.serverSignatureScheme?.name ?? null,
    clientSignatureScheme: info.clientSignatureScheme?.name ?? null,
    alpn: info.alpnProtocol ?? null,
    serverName: info.serverName ?? null,
    resumed: info.resumed,
    helloRetryRequest: info.helloRetryRequest,
    extendedMasterSecret: info.extendedMasterSecret,
    ech: info.ech,
    serverCertificates: role === 'server' ? own : peers,
    clientCertificates: role === 'server' ? peers : own,
    messages: withRetry(messageReports(record, role), info.helloRetryRequest),
    omittedMessages: record.omitted,
    records:
      role === 'server'
        ? { fromClient: { ...record.received }, fromServer: { ...record.sent } }
        : { fromClient: { ...record.sent }, fromServer: { ...record.received } },
  };
}

export function messageReports(record: ConnectionRecord, role: 'client' | 'server'): MessageReport[] {
  const other = role === 'client' ? 'server' : 'client';
  return record.events.map(({ kind, direction, name, size, time, encrypted }) => ({
    from: direction === 'sent' ? role : other,
    kind,
    name,
    size,
    time: Math.round(time * 1000) / 1000,
    encrypted,
  }));
}

/** A HelloRetryRequest is a ServerHello by its type (RFC 9846 §4.2.3), and the first of the two. */
function withRetry(messages: MessageReport[], retried: boolean): MessageReport[] {
  const first = messages.findIndex(({ name }) => name === 'server_hello');
  return messages.map((message, i) =>
    retried && i === first ? { ...message, name: 'hello_retry_request' } : message,
  );
}

const NAMES: Readonly<Record<string, string>> = {
  hello_request: 'HelloRequest',
  client_hello: 'ClientHello',
  server_hello: 'ServerHello',
  hello_retry_request: 'HelloRetryRequest',
  new_session_ticket: 'NewSessionTicket',
  end_of_early_data: 'EndOfEarlyData',
  encrypted_extensions: 'EncryptedExtensions',
  certificate: 'Certificate',
  server_key_exchange: 'ServerKeyExchange',
  certificate_request: 'CertificateRequest',
  server_hello_done: 'ServerHelloDone',
  certificate_verify: 'CertificateVerify',
  client_key_exchange: 'ClientKeyExchange',
  finished: 'Finished',
  certificate_status: 'CertificateStatus',
  key_update: 'KeyUpdate',
  compressed_certificate: 'CompressedCertificate',
  certificate_url: 'CertificateURL',
  next_protocol: 'NextProtocol',
  message_hash: 'MessageHash',
  change_cipher_spec: 'ChangeCipherSpec',
};

/** The name in the RFCs' running text: `ClientHello`. */
export function messageTitle({ kind, name }: Pick<MessageReport, 'kind' | 'name'>): string {
  return kind === 'alert' ? `Alert: ${name}` : (NAMES[name] ?? name);
}

/** `TLS 1.3`. */
export function versionTitle(version: ConnectionReport['version']): string {
  return version.replace('TLSv', 'TLS ');
}

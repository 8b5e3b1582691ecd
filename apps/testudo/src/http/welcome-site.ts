import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpConnection, HttpHandler } from '../listeners/http-service.ts';
import { nextStep } from '../page/next-step.ts';
import { FAVICON, WELCOME_POLICY, type WelcomeView, welcomePage } from '../page/welcome-page.ts';
import { type ConnectionReport, connectionReport } from '../report/connection-report.ts';
import { connectionText } from '../report/connection-text.ts';
import { replyWithError } from './reply.ts';
import { requestTarget } from './request-target.ts';

/** The site that shows each client its own connection, as the engine saw it. */
export function welcomeSite(proposal: Proposal = {}): HttpHandler {
  return {
    wantsRecords: true,
    handle: (request, response, connection) => answer(request, response, connection, proposal),
  };
}

/** For the command that the page proposes. */
interface Proposal {
  readonly program?: string;
  readonly data?: string;
}

interface Page {
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  connection: HttpConnection,
  proposal: Proposal,
): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    replyWithError(response, 405, 'This page can only be read: use GET.', [['Allow', 'GET, HEAD']]);
    return;
  }
  const target = requestTarget(request.url ?? '', request.method);
  const page = target && pageFor(target.path, request, connection, proposal);
  if (page === undefined) {
    replyWithError(response, 404, 'There is nothing here but /, /connection.json and /connection.txt.');
    return;
  }
  const length = Buffer.byteLength(page.body);
  response.writeHead(200, {
    ...NOT_KEPT,
    ...page.headers,
    'Content-Type': page.type,
    'Content-Length': length,
  });
  response.end(request.method === 'HEAD' ? undefined : Buffer.from(page.body));
}

/** A page says what only its client should see, and is old as soon as it is sent. */
const NOT_KEPT = { 'Cache-Control': 'no-store' } as const;

function pageFor(
  path: string,
  request: IncomingMessage,
  connection: HttpConnection,
  proposal: Proposal,
): Page | undefined {
  const report = (): ConnectionReport =>
    connectionReport(connection.socket.connectionInfo!, connection.record!, 'server');
  switch (path.split('?', 1)[0]) {
    case '/':
    case '/index.html': {
      const body = welcomePage(viewOf(report(), request, connection, proposal));
      return {
        type: 'text/html; charset=utf-8',
        body,
        headers: { 'Content-Security-Policy': WELCOME_POLICY },
      };
    }
    case '/connection.json':
      return { type: 'application/json', body: `${JSON.stringify(dataOf(report(), connection), null, 2)}\n` };
    case '/connection.txt':
      return { type: 'text/plain; charset=utf-8', body: `${connectionText(report()).join('\n')}\n` };
    case '/favicon.svg':
    case '/favicon.ico':
      return { type: 'image/svg+xml', body: FAVICON, headers: { 'Cache-Control': 'max-age=86400' } };
    default:
      return undefined;
  }
}

function viewOf(
  report: ConnectionReport,
  request: IncomingMessage,
  { socket, record, requests }: HttpConnection,
  { program, data }: Proposal,
): WelcomeView {
  const isBrowser = /^Mozilla\//.test(request.headers['user-agent'] ?? '');
  return {
    report,
    client: isBrowser ? 'browser' : 'client',
    requests,
    age: performance.now() - record!.startedAt,
    remote: remoteOf(socket),
    next: nextStep(socket.localPort ?? 8443, program, data),
  };
}

function dataOf(report: ConnectionReport, { socket, requests }: HttpConnection): object {
  return { ...report, requests, remote: remoteOf(socket) };
}

function remoteOf(socket: HttpConnection['socket']): string {
  return socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? 'an unknown address';
}

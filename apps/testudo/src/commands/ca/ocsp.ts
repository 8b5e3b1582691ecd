import { readFileSync } from 'node:fs';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { toHex } from '@testudo/codec';
import { parseCertificates, parseOcspResponse } from '@testudo/x509';
import { ocspHandler } from '@testudo/x509/node';
import { Option } from 'commander';
import { addressText } from '../../config/address.ts';
import { EXIT, type ExitCode, Failure, systemReason } from '../../failure.ts';
import { http } from '../../http/node-http.ts';
import { dataFolder } from '../../identity/data-folder.ts';
import { Responder } from '../../identity/responder.ts';
import type { Io } from '../../io.ts';
import { type CaVerb, DATA_OPTION, wholeNumber, writeLines } from './common.ts';

/** Adds `testudo ca ocsp`. */
export function addOcsp({ ca, io, finish }: CaVerb): void {
  ca.command('ocsp')
    .summary('answer questions about whether a certificate is revoked (OCSP)')
    .description(
      'Runs an OCSP responder over HTTP, with a certificate of its own that the CA issues. It also serves the lists that ' +
        '`testudo ca crl` wrote, and the CA\u2019s certificate. SIGINT and SIGTERM end it.',
    )
    .addOption(
      new Option('--port <port>', 'where to listen; 0 is any free port')
        .argParser((text) => wholeNumber(text, 0, 65_535))
        .default(2560),
    )
    .addOption(
      new Option('--host <address>', 'where to listen').default('127.0.0.1', '127.0.0.1, this machine only'),
    )
    .addOption(
      new Option('--hours <hours>', 'for how long an answer counts')
        .argParser((text) => wholeNumber(text, 1, 24 * 31, 'hours'))
        .default(24),
    )
    .option(...DATA_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  testudo ca ocsp\n  testudo ca ocsp --host 0.0.0.0 --port 80\n' +
        '  openssl ocsp -url http://127.0.0.1:2560/ -issuer ca.pem -CAfile ca.pem -cert www.example.test.pem',
    )
    .action(async (options: OcspOptions) => finish(await ocsp(options, io)));
}

interface OcspOptions {
  readonly port: number;
  readonly host: string;
  readonly hours: number;
  readonly data?: string;
}

/** Milliseconds for a whole request, and connections at once: a responder is asked little, and by anybody. */
const REQUEST_TIMEOUT = 10_000;
const MOST_CONNECTIONS = 512;

async function ocsp(options: OcspOptions, io: Io): Promise<ExitCode> {
  const { host, port, hours } = options;
  const folder = dataFolder(io.env, options.data);
  const responder = await Responder.open(folder, hours * 3600);
  const handler = ocspHandler({
    answer: async (request) => {
      const answer = await responder.answer(request);
      writeLines(io, answerLines(answer, new Date()));
      return answer;
    },
  });
  const server = http.createServer((request, response) => {
    if (request.method === 'GET' && serveFile(folder, request.url ?? '', response)) return;
    handler(request, response);
  });
  server.requestTimeout = REQUEST_TIMEOUT;
  server.headersTimeout = REQUEST_TIMEOUT;
  server.maxConnections = MOST_CONNECTIONS;
  const address = await listen(server, host, port);
  writeLines(io, [
    `OCSP for ${responder.names.map((name) => `"${name}"`).join(' and ')} on http://${addressText({ host, port: address.port })}/`,
  ]);
  await ended(server, io);
  return EXIT.ok;
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new Failure(
          `cannot listen on ${addressText({ host, port })}: ${systemReason(error)}; try another --port`,
          1,
          error,
        ),
      ),
    );
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

function ended(server: Server, { signals }: Io): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      signals.off('SIGINT', end).off('SIGTERM', end);
      server.close(() => resolve());
      server.closeAllConnections();
    };
    signals.on('SIGINT', end).on('SIGTERM', end);
  });
}

function answerLines(answer: Uint8Array, at: Date): string[] {
  const time = at.toISOString();
  const { status, basic } = parseOcspResponse(answer);
  if (basic === undefined) return [`${time} ${status}`];
  return basic.responses.map(
    ({ certificateId, certificateStatus }) =>
      `${time} ${toHex(certificateId.serialNumber)} ${certificateStatus.status}`,
  );
}

/** `/ca.crl`, `/ca-delta.crl` and `/ca.cer`, and the same of the intermediate; false when it is something else. */
function serveFile(folder: string, url: string, response: ServerResponse): boolean {
  const [, role, kind] = /^\/(ca|intermediate)(\.crl|-delta\.crl|\.cer)$/.exec(url) ?? [];
  if (role === undefined || kind === undefined) return false;
  const isList = kind !== '.cer';
  try {
    const content = readFileSync(join(folder, isList ? `${role}${kind}` : `${role}.pem`));
    const body = isList ? content : parseCertificates(content)[0]!.der;
    response.writeHead(200, {
      'content-type': isList ? 'application/pkix-crl' : 'application/pkix-cert',
      'content-length': body.length,
    });
    response.end(body);
  } catch {
    response.writeHead(404, { 'content-length': 0 }).end();
  }
  return true;
}

import { toBase64 } from '@testudo/codec';
import { encodeSession, observers, TlsError } from '@testudo/tls';
import { type Command, Option } from 'commander';
import { addressText } from '../config/address.ts';
import { exitCodeOf, failureText } from '../connect/failure-text.ts';
import { KeyLog } from '../connect/key-log.ts';
import { passThrough } from '../connect/pass-through.ts';
import { type ConnectView, reportLines } from '../connect/report-text.ts';
import { traceData, traceLines, traceOf } from '../connect/trace.ts';
import type { RecordingVerifier } from '../connect/verdict.ts';
import { openTcp, Wire } from '../connect/wire.ts';
import { EXIT, type ExitCode, Failure } from '../failure.ts';
import { writePrivateFile } from '../identity/private-files.ts';
import { type Io, isTerminal } from '../io.ts';
import { ConnectionRecord } from '../observe/connection-record.ts';
import { styleFor } from '../output/style.ts';
import { type ConnectionReport, connectionReport, messageReports } from '../report/connection-report.ts';
import { pathTreeReport } from '../report/path-report.ts';
import {
  type ConnectOptions,
  engineOptions,
  loadEarlyData,
  loadSession,
  nameList,
  protocolList,
  secondsAsMilliseconds,
  targetOf,
  versionName,
  withSessionFile,
} from './connect-options.ts';

/** Adds `testudo connect`. */
export function addConnect(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  program
    .command('connect')
    .summary('connect to a TLS server and show everything')
    .description(
      'Connects to a TLS server and tells what was agreed on, whether its certificate is good and why, and every ' +
        'message with its size and time. Then it passes standard input to the server, and what comes to standard ' +
        'output; the report goes to standard error, so that pipes work.',
    )
    .argument('<host:port>', 'the server; the port is 443 when left out')
    .option('--ca <file>', 'trust these CAs (PEM) in place of Mozilla\u2019s list')
    .option('--servername <name>', 'the name to ask and verify the certificate for; default: the host')
    .option('--alpn <names>', 'application protocols to offer, such as h2,http/1.1', protocolList)
    .option('--cert <file>', 'client certificate (PEM, with intermediates)')
    .option('--key <file>', 'its private key (PEM)')
    .option('--passphrase-file <file>', 'the passphrase of an encrypted key is the first line of this file')
    .option('--passphrase-env <name>', 'the passphrase is in this variable of the environment')
    .option('--insecure', 'accept any certificate, and say what is wrong with it')
    .option('--min <version>', 'lowest version: 1.2 or 1.3', versionName)
    .option('--max <version>', 'highest version: 1.2 or 1.3', versionName)
    .option('--groups <names>', 'key exchange groups by preference, such as X25519MLKEM768,x25519', nameList)
    .option('--ciphers <names>', 'cipher suites by preference', nameList)
    .option(
      '--ech <configs>',
      'hide the name (ECH): the value of ech= in the DNS, a PEM file of a key, or grease to only pretend',
    )
    .option('--online', 'also ask the OCSP responders and CRLs that the certificates name')
    .option('--log-list <file>', 'verify Certificate Transparency timestamps by this list (log_list.json)')
    .option(
      '--session <file>',
      'resume the session in this file if there is one, and save the next one there',
    )
    .option('--session-in <file>', 'resume the session in this file')
    .option('--session-out <file>', 'save the session in this file (secret, mode 0600)')
    .option(
      '--early-data <file>',
      'send this with the first flight of a resumed session (0-RTT): it may arrive twice',
    )
    .option('--keylog <file>', 'append the secrets for Wireshark (NSS format, mode 0600)')
    .addOption(
      new Option('--timeout <seconds>', 'for the connection and for the handshake')
        .argParser(secondsAsMilliseconds)
        .default(10_000, '10'),
    )
    .option('--trace', 'every message field by field, and its bytes')
    .option('--json', 'one JSON object on standard output, and no input')
    .option('--no-input', 'end after the report')
    .addHelpText(
      'after',
      `
Example:
  testudo connect example.com:443
  printf 'GET / HTTP/1.0\\r\\nHost: example.com\\r\\n\\r\\n' | testudo connect example.com:443 > answer.txt
  testudo connect localhost:9443 --ca data/ca.pem --trace --no-input

Exit codes: 0 fine, 1 certificate refused, 2 wrong usage, 3 could not connect, 4 protocol failure.`,
    )
    .action(async (target: string, options: ConnectOptions) => finish(await connect(target, options, io)));
}

/** Milliseconds to wait for tickets, or for a late refusal of our certificate, before a report that ends the program. */
const SETTLE_TIME = 250;

export async function connect(target: string, given: ConnectOptions, io: Io): Promise<ExitCode> {
  const { host, port } = targetOf(target);
  const options = withSessionFile(given);
  const { config, verifier } = engineOptions(options);
  const session = options.sessionIn === undefined ? undefined : loadSession(options.sessionIn);
  if (options.earlyData !== undefined && session === undefined && options.session === undefined)
    throw new Failure(
      '--early-data goes with a session to resume: give --session or --session-in',
      EXIT.usage,
    );
  const earlyData = options.earlyData === undefined ? undefined : loadEarlyData(options.earlyData);
  const keyLog = options.keylog === undefined ? undefined : new KeyLog(options.keylog);
  const attempt: Attempt = { host, port, options, verifier, io };
  try {
    const { socket, took } = await openTcp(host, port, options.timeout);
    const record = new ConnectionRecord({ keepBytes: options.trace === true });
    const wire = new Wire(socket, config, {
      host: options.servername ?? host,
      serverName: undefined,
      session,
      earlyData,
      observer: observers(record, keyLog),
    });
    try {
      return await talk({ ...attempt, wire, record, tcpTime: took, address: socket.remoteAddress });
    } finally {
      wire.destroy();
    }
  } catch (error) {
    if (!(error instanceof Failure) || !options.json) throw error;
    writeJson(io, { ok: false, host, port, error: { code: 'unreachable', message: error.message } });
    return error.exitCode;
  } finally {
    keyLog?.close();
  }
}

interface Attempt {
  readonly host: string;
  readonly port: number;
  readonly options: ConnectOptions;
  readonly verifier: RecordingVerifier;
  readonly io: Io;
}

interface Talk extends Attempt {
  readonly wire: Wire;
  readonly record: ConnectionRecord;
  readonly tcpTime: number;
  readonly address: string | undefined;
}

async function talk(talking: Talk): Promise<ExitCode> {
  const { wire, options, io, record } = talking;
  const endsAfterReport = options.json === true || !options.input;
  let failure: TlsError | undefined;
  try {
    await wire.handshake(options.timeout);
    if (endsAfterReport || options.sessionOut !== undefined) await settled(wire);
    failure = wire.failure;
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    failure = error;
  }
  const { info } = wire.connection;
  const report = info === undefined ? undefined : connectionReport(info, record, 'client');
  saveSession(talking);
  if (options.json) {
    if (failure === undefined) wire.close();
    writeJson(io, jsonOf(talking, report, failure));
    return failure === undefined ? EXIT.ok : exitCodeOf(failure);
  }
  writeReport(talking, report);
  if (failure === undefined && endsAfterReport) wire.close();
  if (failure === undefined && !endsAfterReport) {
    if (isTerminal(io.stdin))
      io.stderr.write('Connected: what you type goes to the server. Ctrl+D ends it.\n');
    failure = await passThrough(wire, io, options.timeout);
  }
  if (failure === undefined) return EXIT.ok;
  throw new Failure(
    `${addressText(talking)}: ${explained(failure, report !== undefined)}`,
    exitCodeOf(failure),
    failure,
  );
}

/** A connection that ends before the handshake does was most likely never TLS. */
function explained(failure: TlsError, isComplete: boolean): string {
  const text = failureText(failure);
  return failure.code === 'truncated' && !isComplete ? `${text}; does this port speak TLS?` : text;
}

/** Waits for what a server sends right after the handshake. */
function settled(wire: Wire): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, SETTLE_TIME);
    wire.listen(() => {
      if (!wire.isOver) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

function saveSession({ wire, options, io }: Talk): void {
  if (options.sessionOut === undefined) return;
  if (wire.session !== undefined) writePrivateFile(options.sessionOut, encodeSession(wire.session));
  // The one in the file is still good.
  else if (options.session === undefined || options.sessionIn === undefined)
    io.stderr.write('testudo: the server sent no session to resume, so none was saved\n');
}

function writeReport(talking: Talk, report: ConnectionReport | undefined): void {
  const { io, verifier, options, record } = talking;
  const style = styleFor(io.stderr, io.env);
  const messages = report ?? {
    messages: messageReports(record, 'client'),
    omittedMessages: record.omitted,
    records: { fromClient: { ...record.sent }, fromServer: { ...record.received } },
  };
  const view: ConnectView = {
    ...{ ...talking, report, messages, style, verdict: verifier.verdict },
    earlyData: talking.wire.earlyData,
  };
  const lines = reportLines(view);
  if (options.trace) lines.push(...traceLines(traceOf(record, report?.version), style), '');
  io.stderr.write(`${lines.join('\n')}\n`);
}

function jsonOf(talking: Talk, report: ConnectionReport | undefined, failure: TlsError | undefined): object {
  const { host, port, address, tcpTime, verifier, record, options, wire } = talking;
  const { verdict } = verifier;
  const { serverCertificates: _, ...agreed } = report ?? {
    serverCertificates: [],
    messages: messageReports(record, 'client'),
    omittedMessages: record.omitted,
    records: { fromClient: { ...record.sent }, fromServer: { ...record.received } },
  };
  return {
    ok: failure === undefined,
    host,
    port,
    address: address ?? null,
    tcpTime: Math.round(tcpTime * 1000) / 1000,
    ...(failure === undefined
      ? {}
      : {
          error: {
            code: failure.code,
            reason: failure.reason,
            message: explained(failure, report !== undefined),
            ...(failure.retryConfigs === undefined ? {} : { retryConfigs: toBase64(failure.retryConfigs) }),
          },
        }),
    ...agreed,
    certificate:
      verdict === undefined
        ? null
        : { ...verdict, tree: verdict.tree === undefined ? null : pathTreeReport(verdict.tree) },
    earlyData: wire.earlyData,
    ...(options.trace ? { trace: traceData(traceOf(record, report?.version)) } : {}),
  };
}

function writeJson(io: Io, value: object): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

import { type ExplainedField, explainMessage } from '../../explain.ts';
import { HANDSHAKE_TYPE, type RawMessage } from '../../messages/handshake-type.ts';
import type { Direction, Observer } from '../../observer.ts';
import { contentTypeName } from '../../record/content-type.ts';
import { TLS13 } from '../../versions.ts';
import { flag } from '../as-node/command-line.ts';
import { checkBoolean } from '../errors/arguments.ts';

/** The option `enableTrace`, or Node's flag `--trace-tls`, with Node's warning for that. Throws as Node. */
export function wantsTrace(enableTrace: boolean | null | undefined): boolean {
  if (enableTrace !== undefined && enableTrace !== null) {
    checkBoolean('options.enableTrace', enableTrace);
    return enableTrace;
  }
  if (flagged === undefined) {
    flagged = flag('--trace-tls');
    if (flagged) {
      process.emitWarning('Enabling --trace-tls can expose sensitive data in the resulting log.');
    }
  }
  return flagged;
}

let flagged: boolean | undefined;

/** `enableTrace`: each record, and each handshake message with its fields, as text to stderr. No keys are shown. */
export function traceObserver(write: (text: string) => void = toStderr): Observer {
  // How a message is read depends on the version, which ServerHello tells.
  let version: number | undefined;
  return {
    record: (direction, type, length) => {
      write(`${verb(direction)} Record\n  Content Type = ${contentTypeName(type)}\n  Length = ${length}\n`);
    },
    message: (direction, message) => {
      if (message.type === HANDSHAKE_TYPE.server_hello) version = versionOf(message.raw);
      write(messageText(direction, message, version));
    },
    changeCipherSpec: (direction) => write(`${verb(direction)} ChangeCipherSpec\n`),
    alert: (direction, level, description) => {
      write(`${verb(direction)} Alert, Level=${level}, description=${description}\n`);
    },
  };
}

function versionOf(serverHello: Uint8Array): number {
  const isTls13 = Buffer.from(serverHello).includes(SELECTED_TLS13);
  return isTls13 ? TLS13 : serverHello[4]! * 256 + serverHello[5]!;
}

/** supported_versions in a ServerHello that has chosen TLS 1.3. */
const SELECTED_TLS13 = Buffer.of(0, 43, 0, 2, 3, 4);

function messageText(direction: Direction, message: RawMessage, version: number | undefined): string {
  const { name, fields, error } = explainMessage(message, version);
  const lines = [
    `${verb(direction)} ${name}, Length=${message.raw.length - 4}`,
    ...fields.flatMap((f) => fieldLines(f, 1)),
  ];
  if (error !== undefined) lines.push(`  (the rest could not be read: ${error})`);
  return `${lines.join('\n')}\n`;
}

function fieldLines({ name, text, fields }: ExplainedField, depth: number): string[] {
  const own = `${'  '.repeat(depth)}${name}${text === undefined ? '' : `: ${text}`}`;
  return [own, ...fields.flatMap((field) => fieldLines(field, depth + 1))];
}

function verb(direction: Direction): string {
  return direction === 'sent' ? 'Sent' : 'Received';
}

function toStderr(text: string): void {
  process.stderr.write(text);
}

import {
  type ExplainedField,
  type ExplainedMessage,
  explainMessage,
  VERSIONS,
  type VersionName,
} from '@testudo/tls';
import type { ConnectionRecord, SeenEvent } from '../observe/connection-record.ts';
import type { Style } from '../output/style.ts';
import { bytes, milliseconds } from '../output/text.ts';
import { messageTitle } from '../report/connection-report.ts';

/** A message taken apart, and its bytes. */
export interface TracedMessage extends ExplainedMessage {
  readonly event: SeenEvent;
  readonly bytes: Uint8Array;
}

/** All messages that were recorded with their bytes. `version` is the one agreed on, where the handshake came that far. */
export function traceOf(record: ConnectionRecord, version: VersionName | undefined): TracedMessage[] {
  const number = version === undefined ? versionIn(record) : VERSIONS[version];
  return record.events.flatMap((event) =>
    event.message === undefined
      ? []
      : [{ ...explainMessage(event.message, number), event, bytes: event.message.raw }],
  );
}

/** The version that ServerHello chose, in a handshake that failed later: 1.3 stands in an extension. */
function versionIn(record: ConnectionRecord): number | undefined {
  const hello = record.events.find(({ name }) => name === 'server_hello')?.message;
  if (hello === undefined) return undefined;
  const extensions = explainMessage(hello, undefined).fields.find(({ name }) => name === 'extensions');
  const is13 = extensions?.fields.some(({ name }) => name === 'supported_versions') ?? false;
  return VERSIONS[is13 ? 'TLSv1.3' : 'TLSv1.2'];
}

/** Lines for people: fields with place, length and value, then all bytes. */
export function traceLines(messages: readonly TracedMessage[], style: Style): string[] {
  return messages.flatMap(({ event, fields, error, isCut, bytes: raw }) => [
    '',
    style.strong(
      `${event.direction === 'sent' ? '\u2192' : '\u2190'} ${messageTitle(event)}, ${bytes(event.size)}, at ${milliseconds(event.time)}${event.encrypted ? ', encrypted' : ''}`,
    ),
    style.faint('  offset  length  field'),
    ...fields.flatMap((field) => fieldLines(field, 0, style)),
    ...(isCut ? [style.warn('  more fields than are shown')] : []),
    ...(error === undefined ? [] : [style.bad(`  cannot be read further: ${error}`)]),
    '',
    ...hexDump(raw).map((line) => style.faint(line)),
  ]);
}

function fieldLines(field: ExplainedField, depth: number, style: Style): string[] {
  const place = `  ${String(field.offset).padStart(6)}  ${String(field.length).padStart(6)}  `;
  const value = field.text === undefined ? '' : `  ${style.accent(field.text)}`;
  return [
    `${style.faint(place)}${'  '.repeat(depth)}${field.name}${value}`,
    ...field.fields.flatMap((inner) => fieldLines(inner, depth + 1, style)),
  ];
}

/** Sixteen bytes a line: offset, hexadecimal, printable ASCII. */
export function hexDump(raw: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < raw.length; at += 16) {
    const part = [...raw.subarray(at, at + 16)];
    const hex = part.map((byte, i) => `${i === 8 ? ' ' : ''}${byte.toString(16).padStart(2, '0')}`).join(' ');
    const text = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`  ${at.toString(16).padStart(4, '0')}  ${hex.padEnd(48)}  ${text}`);
  }
  return lines;
}

/** For `--json`: fields as they are, bytes as hexadecimal. */
export function traceData(messages: readonly TracedMessage[]): object[] {
  return messages.map(({ event, name, fields, error, isCut, bytes: raw }) => ({
    direction: event.direction,
    name,
    time: event.time,
    size: event.size,
    encrypted: event.encrypted,
    fields,
    ...(error === undefined ? {} : { error }),
    ...(isCut ? { isCut } : {}),
    hex: Buffer.from(raw).toString('hex'),
  }));
}

import { PLAIN, type Style } from '../output/style.ts';
import { indent, pairs, table } from '../output/table.ts';
import { bytes, count, milliseconds, shown } from '../output/text.ts';
import { type ConnectionReport, messageTitle, versionTitle } from './connection-report.ts';

/** What was agreed on and every message, as lines for people. */
export function connectionText(report: ConnectionReport, style: Style = PLAIN): string[] {
  return [...agreedLines(report, style), '', ...messageLines(report, style)];
}

export function agreedLines(report: ConnectionReport, style: Style = PLAIN): string[] {
  return pairs([
    [style.faint('version'), style.strong(versionTitle(report.version))],
    [style.faint('cipher suite'), report.cipherSuite],
    [style.faint('group'), groupText(report)],
    [style.faint('signature'), report.signatureScheme ?? (report.resumed ? 'none: resumed' : 'none')],
    [style.faint('ALPN'), report.alpn === null ? 'none' : shown(report.alpn)],
    [style.faint('server name'), report.serverName === null ? 'none' : shown(report.serverName)],
    [style.faint('resumed'), report.resumed ? 'yes' : 'no'],
    ...(report.ech === 'none' ? [] : [[style.faint('ECH'), echText(report, style)] as const]),
    ...(report.helloRetryRequest ? [[style.faint('retry'), 'yes (HelloRetryRequest)'] as const] : []),
    ...(report.clientSignatureScheme === null
      ? []
      : [[style.faint('client signed'), report.clientSignatureScheme] as const]),
  ]);
}

export function messageLines(
  report: Pick<ConnectionReport, 'messages' | 'omittedMessages' | 'records'>,
  style: Style = PLAIN,
): string[] {
  const rows = report.messages.map((message) => {
    const fromClient = message.from === 'client';
    const arrow = fromClient ? style.accent('client \u2192') : style.warn('server \u2190');
    return [
      milliseconds(message.time),
      arrow,
      messageTitle(message),
      bytes(message.size),
      message.encrypted ? 'encrypted' : style.faint('in the clear'),
    ];
  });
  const { fromClient, fromServer } = report.records;
  return [
    ...indent(table([{ align: 'right' }, {}, {}, { align: 'right' }, {}], rows), 0),
    ...(report.omittedMessages > 0 ? [`${report.omittedMessages} more messages`] : []),
    '',
    ...pairs([
      [style.faint('from the client'), `${count(fromClient.records, 'record')}, ${bytes(fromClient.bytes)}`],
      [style.faint('from the server'), `${count(fromServer.records, 'record')}, ${bytes(fromServer.bytes)}`],
    ]),
  ];
}

function groupText({ group, postQuantum }: ConnectionReport): string {
  if (group === null) return 'none: the keys come from the earlier connection';
  return postQuantum ? `${group} (post-quantum)` : group;
}

/** What became of Encrypted Client Hello (RFC 9849). */
function echText({ ech }: ConnectionReport, style: Style): string {
  if (ech === 'accepted') return style.good('accepted: nobody on the way saw the server name');
  if (ech === 'rejected') return style.warn('not read: the client used an old key, or a changed one');
  return 'only for show (GREASE)';
}

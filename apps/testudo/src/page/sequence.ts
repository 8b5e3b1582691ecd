import { bytes } from '../output/text.ts';
import { type ConnectionReport, type MessageReport, messageTitle } from '../report/connection-report.ts';
import { purposeOf } from './explanations.ts';
import { breakable, type Html, html } from './html.ts';

const LOCK: Html = html`<svg class="lock" viewBox="0 0 12 14" role="img" aria-label="encrypted"><path fill="currentColor" d="M6 0a3.5 3.5 0 0 0-3.5 3.5V6H1.5A1.5 1.5 0 0 0 0 7.5v5A1.5 1.5 0 0 0 1.5 14h9a1.5 1.5 0 0 0 1.5-1.5v-5A1.5 1.5 0 0 0 10.5 6h-1V3.5A3.5 3.5 0 0 0 6 0Zm0 1.7c1 0 1.8.8 1.8 1.8V6H4.2V3.5c0-1 .8-1.8 1.8-1.8Z"/></svg>`;

/** The handshake as a message sequence: the client's lane on the left, the server's on the right. */
export function sequence(report: ConnectionReport): Html {
  const rows = report.messages.map((message, i) => row(message, report, report.messages[i - 1]));
  return html`<div class="card flow">
<div class="ends" aria-hidden="true"><p><span class="c">Client</span><span class="s">Server</span></p></div>
<ol>${rows}</ol>
${report.omittedMessages > 0 && html`<p class="note">${report.omittedMessages} more are not shown.</p>`}
<p class="legend"><span><i></i>in the clear</span><span><i class="sealed"></i>${LOCK} encrypted</span><span>Left: ms since the connection was accepted. Right: size of the message.</span></p>
</div>`;
}

function row(message: MessageReport, report: ConnectionReport, before: MessageReport | undefined): Html {
  const classes = [
    message.from === 'client' ? 'c' : 's',
    message.encrypted ? 'sealed' : '',
    message.kind === 'change-cipher-spec' ? 'minor' : '',
    before !== undefined && before.from !== message.from ? 'turn' : '',
  ].filter((name) => name !== '');
  const purpose = purposeOf(message, report);
  const words = message.from === 'client' ? 'Client to server: ' : 'Server to client: ';
  return html`<li class="${classes.join(' ')}"><span class="at">${message.time.toFixed(message.time < 100 ? 2 : 0)}</span><div class="wire"><p><b title="${words}${message.name}">${breakable(messageTitle(message))}</b> ${message.encrypted && LOCK}${purpose !== '' && html` <span>${purpose}</span>`}</p></div><span class="size">${bytes(message.size)}</span></li>`;
}

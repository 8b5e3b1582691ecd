import { createHash } from 'node:crypto';
import { bytes, count, day, fingerprintText } from '../output/text.ts';
import type { CertificateReport } from '../report/certificate-report.ts';
import { type ConnectionReport, versionTitle } from '../report/connection-report.ts';
import { cipherOf, groupNote, verdictOf } from './explanations.ts';
import { breakable, type Html, Html as HtmlText, html } from './html.ts';
import type { NextStep } from './next-step.ts';
import { sequence } from './sequence.ts';
import { STYLE } from './style.ts';

export interface WelcomeView {
  readonly report: ConnectionReport;
  /** `browser` or `client`: whom the page addresses. */
  readonly client: string;
  /** How many requests came over this connection, this one included. */
  readonly requests: number;
  /** Milliseconds since the connection was accepted. */
  readonly age: number;
  readonly remote: string;
  readonly next: NextStep;
}

/** Nothing is loaded from anywhere, nothing runs; the style is allowed by its hash. */
export const WELCOME_POLICY: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A shield wall: the program's mark. */
const MARK: HtmlText = html`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"><path d="M12 2 4 5v7c0 5 3.4 8.6 8 10 4.6-1.4 8-5 8-10V5Z"/><path d="M12 2v20M4 11h16"/><circle cx="12" cy="11" r="2.4" fill="currentColor" stroke="none"/></svg>`;

export const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#a02c3a" d="M12 1 3 4.4V12c0 5.6 3.9 9.6 9 11 5.1-1.4 9-5.4 9-11V4.4Z"/><path fill="none" stroke="#fff" stroke-width="1.5" d="M12 2.5v19M4 11h16"/><circle cx="12" cy="11" r="2.6" fill="#fff"/></svg>`;

/** The page that shows a client its own connection. Everything from the peer is escaped. */
export function welcomePage(view: WelcomeView): string {
  const { report } = view;
  const { headline, detail } = verdictOf(report, view.client);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${versionTitle(report.version)} with Testudo</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<style>${HtmlText.of(STYLE)}</style>
</head>
<body>
<header><div>
<div class="brand">${MARK} Testudo</div>
<h1>${headline}</h1>
<p class="lead">${detail}</p>
<ul class="badges">${badges(report)}</ul>
</div></header>
<main>
<h2>What was agreed</h2>
<div class="card"><dl>${agreed(report)}</dl></div>
<h2>The handshake, as this server\u2019s engine saw it</h2>
<p class="note">${handshakeNote(view)}</p>
${sequence(report)}
<h2>The certificate</h2>
${certificates(report)}
<h2>The bytes so far</h2>
<div class="card two"><dl>${traffic('From the client', report.records.fromClient)}</dl><dl>${traffic('From the server', report.records.fromServer)}</dl></div>
<h2>Put your own service behind this</h2>
${nextSteps(view.next)}
</main>
<footer><p>The same as data: <a href="/connection.json">connection.json</a>, <a href="/connection.txt">connection.txt</a>. ${count(view.requests, 'request')} came over this connection from ${view.remote}; reload to see the numbers grow, or come back later to see the session resumed.</p></footer>
</body>
</html>
`;
  return page.text;
}

function nextSteps({ config, command }: NextStep): Html {
  return html`<p class="note">This page is only a demonstration. To protect a service of your own, such as a web server on port 3000, save this as <code>testudo.yaml</code>:</p>
<div class="card"><pre><code>${breakable(config)}</code></pre></div>
<p class="note after">Then stop Testudo with Ctrl+C and start it again with that file:</p>
<div class="card"><pre><code>${breakable(command)}</code></pre></div>
<p class="note after">For a service that does not speak HTTP, such as a mail server, write <code>forward: 127.0.0.1:143</code> instead of the <code>proxy</code> line. For a public name, <code>certificate: acme</code> gets a certificate that every browser trusts; the README says what else it needs.</p>`;
}

function badges(report: ConnectionReport): Html[] {
  const texts = [
    versionTitle(report.version),
    cipherOf(report.cipherSuite),
    ...(report.group === null ? [] : [report.group]),
    ...(report.resumed ? ['resumed'] : []),
    ...(report.clientCertificates.length > 0 ? ['client certificate'] : []),
  ];
  return texts.map((text) => html`<li>${breakable(text)}</li>`);
}

function agreed(report: ConnectionReport): Html[] {
  const is13 = report.version === 'TLSv1.3';
  return [
    row(
      'Version',
      versionTitle(report.version),
      is13 ? 'the newest there is' : 'fine, but TLS 1.3 is faster and hides more',
    ),
    row('Cipher suite', report.cipherSuite, `records are sealed with ${cipherOf(report.cipherSuite)}`, true),
    report.group === null
      ? row('Key exchange', 'none', 'the keys come from the earlier connection')
      : row('Key exchange', report.group, groupNote(report.group), true),
    report.signatureScheme === null
      ? row(
          'Server\u2019s signature',
          'none',
          report.resumed ? 'the pre-shared key of the earlier connection (PSK) replaces it' : undefined,
        )
      : row('Server\u2019s signature', report.signatureScheme, 'over the whole handshake so far', true),
    row(
      'Application protocol',
      report.alpn ?? 'none',
      report.alpn === null ? 'the client offered none (ALPN)' : 'agreed with ALPN',
    ),
    row('Name asked for', report.serverName ?? 'none', nameNote(report)),
    row(
      'Resumed',
      report.resumed ? 'yes' : 'no',
      report.resumed ? 'a ticket from an earlier connection was taken' : 'a full handshake',
    ),
    ...(report.helloRetryRequest
      ? [row('Retry', 'yes', 'the client\u2019s first key share was of another group (HelloRetryRequest)')]
      : []),
    ...(is13 ? [] : [row('Extended master secret', report.extendedMasterSecret ? 'yes' : 'no', 'RFC 7627')]),
  ];
}

function nameNote({ serverName, ech }: ConnectionReport): string {
  if (serverName === null) return 'no SNI: the client connected by address';
  return ech === 'accepted'
    ? 'hidden from all on the way (Encrypted Client Hello)'
    : 'sent in the clear (SNI)';
}

function handshakeNote({ report, age }: WelcomeView): string {
  const done = report.messages.findLast(({ name, kind }) => kind === 'message' && name === 'finished');
  const took = done === undefined ? '' : `It took ${done.time.toFixed(1)} ms. `;
  return `${took}The connection is ${age < 10_000 ? `${Math.round(age)} ms` : `${Math.round(age / 1000)} s`} old.`;
}

function certificates(report: ConnectionReport): Html {
  const [leaf, ...others] = report.serverCertificates;
  const client = report.clientCertificates[0];
  return html`${
    leaf === undefined
      ? html`<p class="note">None was sent: the connection was resumed, and the client has verified the certificate before.</p>`
      : html`<div class="card"><dl>${certificateRows(leaf)}${others.map((one) => row('Sent with it', one.subject, `issued by ${one.issuer}`))}</dl></div>`
  }${client && html`<h2>The client\u2019s certificate</h2><div class="card"><dl>${certificateRows(client)}</dl></div>`}`;
}

function certificateRows(certificate: CertificateReport): Html[] {
  return [
    row('Subject', certificate.subject),
    row('Names', certificate.names.join(', ') || 'none'),
    row('Issued by', certificate.issuer),
    row('Valid', `${dayText(certificate.notBefore)} to ${dayText(certificate.notAfter)}`),
    row('Key', certificate.key, `signed with ${certificate.signatureAlgorithm}`),
    html`<div><dt>SHA-256</dt><dd>${fingerprint(certificate.sha256)}</dd></div>`,
  ];
}

/** It breaks after whole bytes. */
function fingerprint(hex: string): Html {
  const parts = fingerprintText(hex)
    .split(':')
    .map((byte, i) => html`${i === 0 ? '' : ':'}<wbr>${byte}`);
  return html`<code>${parts}</code>`;
}

function dayText(iso: string): string {
  return iso === '' ? '?' : day(new Date(iso));
}

function traffic(who: string, { records, bytes: total }: { records: number; bytes: number }): Html {
  return row(who, `${count(records, 'record')}, ${bytes(total)}`);
}

function row(label: string, value: string, note?: string, isCode = false): Html {
  return html`<div><dt>${label}</dt><dd>${isCode ? html`<code>${breakable(value)}</code>` : value}${note !== undefined && html`<small>${note}</small>`}</dd></div>`;
}

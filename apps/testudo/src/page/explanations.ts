import type { ConnectionReport, MessageReport } from '../report/connection-report.ts';
import { versionTitle } from '../report/connection-report.ts';

/** The verdict at the top of the page, in plain words. */
export function verdictOf(
  report: ConnectionReport,
  client: string,
): { readonly headline: string; readonly detail: string } {
  const headline = `Your ${client} and this server agreed on ${versionTitle(report.version)}.`;
  const sealed = `Everything between them is sealed with ${cipherOf(report.cipherSuite)}: nobody on the way can read it, or change it unnoticed.`;
  const keys = report.postQuantum ? ' The key exchange also withstands a quantum computer.' : '';
  const identity = report.resumed
    ? ' They know each other from an earlier connection and resumed it, so no certificate had to be sent.'
    : ' The server proved with its certificate who it is.';
  return { headline, detail: sealed + keys + identity };
}

/** `AES-128-GCM` of a suite's IANA name. */
export function cipherOf(suite: string): string {
  const match = /(AES_\d+_(?:GCM|CCM(?:_8)?)|CHACHA20_POLY1305)/.exec(suite);
  if (match === null) return suite;
  return match[1] === 'CHACHA20_POLY1305' ? 'ChaCha20-Poly1305' : match[1]!.replaceAll('_', '-');
}

/** What a key exchange group is. */
export function groupNote(group: string): string {
  if (group.includes('MLKEM')) return 'an elliptic curve and ML-KEM together: post-quantum';
  if (group === 'x25519') return 'Diffie-Hellman on Curve25519';
  return 'Diffie-Hellman on a NIST curve';
}

/** What a message does, in a few words. */
export function purposeOf({ kind, name, from }: MessageReport, report: ConnectionReport): string {
  const is13 = report.version === 'TLSv1.3';
  if (kind === 'alert') return name.endsWith('close_notify') ? 'says goodbye' : 'says what went wrong';
  if (kind === 'change-cipher-spec')
    return is13 ? 'means nothing: it is there to please old middleboxes' : 'encrypted from here on';
  switch (name) {
    case 'client_hello':
      return report.resumed
        ? 'offers versions and suites, and a ticket to resume'
        : 'offers versions, suites and key shares';
    case 'hello_retry_request':
      return 'asks for a share of another group';
    case 'server_hello':
      return is13 ? 'chooses; its key share completes the key exchange' : 'chooses version and suite';
    case 'encrypted_extensions':
      return 'the other choices, now encrypted';
    case 'certificate_request':
      return 'asks the client for a certificate';
    case 'certificate':
      return `who the ${from} is`;
    case 'compressed_certificate':
      return `who the ${from} is: its certificates, compressed to save bytes (RFC 8879)`;
    case 'certificate_verify':
      return `proves that the ${from} holds the certificate\u2019s key`;
    case 'certificate_status':
      return 'the CA says the certificate is not revoked';
    case 'server_key_exchange':
      return 'the server\u2019s key share, signed';
    case 'client_key_exchange':
      return 'the client\u2019s key share';
    case 'server_hello_done':
      return 'your turn';
    case 'finished':
      return 'proves that nobody changed a message';
    case 'new_session_ticket':
      return 'lets the next connection resume';
    case 'hello_request':
      return 'asks for a new handshake';
    case 'end_of_early_data':
      return 'no more early data: encrypted with the new keys from here on';
    case 'certificate_url':
      return 'where the client\u2019s certificate is';
    case 'next_protocol':
      return 'the application protocol, encrypted';
    case 'key_update':
      return 'new keys from here on';
    default:
      return '';
  }
}

import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { connect } from 'node:tls';
import { Refusal } from './jws.ts';

/** Looks for the answer to http-01 as RFC 8555 §8.3 says. Rejects with a {@link Refusal}. */
export function validateHttp(name: string, port: number, token: string, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/.well-known/acme-challenge/${token}`;
    const fail = (text: string): void => reject(new Refusal(403, 'unauthorized', text));
    get({ host: '127.0.0.1', port, path, headers: { host: name }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      response.on('end', () => {
        if (response.statusCode !== 200) fail(`status ${response.statusCode}`);
        else if (body.trimEnd() !== expected) fail(`"${body}" is not the key authorization`);
        else resolve();
      });
    }).on('error', (error) => reject(new Refusal(400, 'connection', error.message)));
  });
}

/** Looks for the answer to tls-alpn-01 with Node's TLS, as RFC 8737 §3 says. Rejects with a {@link Refusal}. */
export function validateTls(name: string, port: number, keyAuthorization: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (text: string): void => reject(new Refusal(403, 'unauthorized', text));
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: name,
      ALPNProtocols: ['acme-tls/1'],
      rejectUnauthorized: false,
    });
    socket.on('error', (error) => reject(new Refusal(400, 'tls', error.message)));
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()!;
      const protocol = socket.alpnProtocol;
      socket.destroy();
      const digest = createHash('sha256').update(keyAuthorization).digest();
      // The extension: its OID, TRUE for critical, and an OCTET STRING with an OCTET STRING of the digest.
      const wanted = Buffer.concat([Buffer.from('06082b0601050507011f0101ff04220420', 'hex'), digest]);
      if (protocol !== 'acme-tls/1') fail(`the protocol is ${protocol}`);
      else if (certificate.subjectAltName !== `DNS:${name}`) fail(`names ${certificate.subjectAltName}`);
      else if (!certificate.verify(certificate.publicKey)) fail('it is not self-signed');
      else if (!certificate.raw.includes(wanted)) fail('no acmeIdentifier with this key authorization');
      else resolve();
    });
  });
}

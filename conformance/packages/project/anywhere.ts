// A program for any place that has the web's interfaces: every door that is not for Node, without Node's types.

import { concat, DecodeError, decode, fromHex, toHex, uint16, utf8 } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { portableCrypto } from '@testudo/crypto/portable';
import { type ClientOptions, credential, serverConfig, type TlsError, verifyWith } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { deflate } from '@testudo/tls/legacy/compression';
import { acceptTls, connectTls, type TlsStream, type Transport } from '@testudo/tls/web';
import {
  CertificateError,
  createCertificateAuthority,
  peerNameOf,
  TrustStore,
  verifyName,
} from '@testudo/x509';

const provider: CryptoProvider = portableCrypto;
const report: string[] = [];

report.push(`codec ${decode(uint16, fromHex('0102'))} ${toHex(concat(utf8('a'), utf8('b')))}`);
try {
  decode(uint16, fromHex('01'));
} catch (error) {
  if (error instanceof DecodeError) report.push(error.code);
}

const authority = createCertificateAuthority({ provider, commonName: 'CA' });
const issued = authority.issue({ purpose: 'server', names: ['localhost'] });
try {
  verifyName(issued.certificate, peerNameOf('example.com'));
} catch (error) {
  if (error instanceof CertificateError) report.push(error.code);
}

const own = credential(provider, [issued.certificate.der], issued.privateKey!);
const config = serverConfig({ provider, credentials: [own] });
const trust = new TrustStore([authority.certificate]);
const client: ClientOptions = { provider, verifyCertificate: verifyWith(provider, () => trust) };

const toServer = new TransformStream<Uint8Array, Uint8Array>();
const toClient = new TransformStream<Uint8Array, Uint8Array>();
const serverSide: Transport = { readable: toServer.readable, writable: toClient.writable };
const clientSide: Transport = { readable: toClient.readable, writable: toServer.writable };
const [stream, peer]: [TlsStream, TlsStream] = await Promise.all([
  connectTls(clientSide, { ...client, host: 'localhost' }),
  acceptTls(serverSide, { config }),
]);
const writer = peer.writable.getWriter();
const written = writer.write(utf8('hello')).then(() => writer.close());
for await (const chunk of stream.readable as unknown as AsyncIterable<Uint8Array>)
  report.push(`${stream.info.version} ${new TextDecoder().decode(chunk)}`);
await written;

const refused: Pick<TlsError, 'code'> | undefined = undefined;
report.push(`${legacy === undefined} ${deflate.method} ${refused}`);

declare const console: { log(text: string): void };
console.log(report.join('\n'));

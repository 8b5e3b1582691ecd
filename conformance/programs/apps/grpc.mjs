import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import { identity, report } from '../support/program.mjs';

const bytes = { serialize: (value) => Buffer.from(value), deserialize: (buffer) => buffer.toString() };
const method = (path, rest) => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes.serialize,
  requestDeserialize: bytes.deserialize,
  responseSerialize: bytes.serialize,
  responseDeserialize: bytes.deserialize,
  ...rest,
});
const service = {
  Echo: method('/test.Echo/Echo'),
  Count: method('/test.Echo/Count', { responseStream: true }),
  Who: method('/test.Echo/Who'),
};

const { key, cert } = identity();
const [ca, clientKey, clientCert] = ['TLS_CA', 'TLS_CLIENT_KEY', 'TLS_CLIENT_CERT'].map((name) =>
  readFileSync(process.env[name]),
);
const server = new grpc.Server();
server.addService(service, {
  Echo: (call, callback) => callback(null, call.request),
  Count: (call) => {
    for (let i = 0; i < Number(call.request); i++) call.write(String(i));
    call.end();
  },
  Who: (call, callback) => {
    const { transportSecurityType, sslPeerCertificate } = call.getAuthContext();
    callback(null, `${transportSecurityType} ${sslPeerCertificate?.subject.CN}`);
  },
});
const port = await new Promise((resolve, reject) => {
  const credentials = grpc.ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true);
  server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
});

const Client = grpc.makeGenericClientConstructor(service, 'Echo');
const client = new Client(`localhost:${port}`, grpc.credentials.createSsl(ca, clientKey, clientCert));
const call = (name, text) =>
  new Promise((resolve, reject) =>
    client[name](text, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
const echo = (text) => call('Echo', text);
report('unary', await echo('hello'));
report('large', (await echo('x'.repeat(1_000_000))).length);
let count = 0;
for await (const _ of client.Count('500')) count++;
report('stream', count);
report('identity', await call('Who', '?'));
client.close();
await new Promise((resolve) => server.tryShutdown(resolve));

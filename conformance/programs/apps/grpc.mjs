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
};

const { key, cert } = identity();
const server = new grpc.Server();
server.addService(service, {
  Echo: (call, callback) => callback(null, call.request),
  Count: (call) => {
    for (let i = 0; i < Number(call.request); i++) call.write(String(i));
    call.end();
  },
});
const port = await new Promise((resolve, reject) => {
  const credentials = grpc.ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: cert }]);
  server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
});

const Client = grpc.makeGenericClientConstructor(service, 'Echo');
const client = new Client(`localhost:${port}`, grpc.credentials.createSsl());
const echo = (text) =>
  new Promise((resolve, reject) =>
    client.Echo(text, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
report('unary', await echo('hello'));
report('large', (await echo('x'.repeat(1_000_000))).length);
let count = 0;
for await (const _ of client.Count('500')) count++;
report('stream', count);
client.close();
await new Promise((resolve) => server.tryShutdown(resolve));

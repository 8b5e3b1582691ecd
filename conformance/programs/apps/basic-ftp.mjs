import { Readable, Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import { report } from '../support/program.mjs';

// The data connections must resume the session of the control connection: the server insists on it.
const name = `${process.env.ROUND}.txt`;
const client = new Client(20_000);
await client.access({ host: 'localhost', port: Number(process.env.PORT), secure: true });
await client.cd('up');
await client.uploadFrom(Readable.from([Buffer.alloc(300_000, 'x')]), name);
report(
  'list',
  (await client.list()).filter((one) => one.name === name).map(({ size }) => size),
);
let length = 0;
await client.downloadTo(
  new Writable({
    write(chunk, _encoding, done) {
      length += chunk.length;
      done();
    },
  }),
  name,
);
report('download', length);
report('secured', client.ftp.socket.encrypted === true);
client.close();

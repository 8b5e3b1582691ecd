import { once } from 'node:events';
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { byImport, tls } from '../support/modules.mjs';
import { identity, listen, report, textOf } from '../support/program.mjs';

async function deliver(name, { secure }) {
  let received;
  const server = new SMTPServer({
    ...identity(),
    secure: secure && !byImport,
    secured: byImport,
    authOptional: true,
    async onData(stream, session, callback) {
      received = { secure: session.secure, text: await textOf(stream) };
      callback();
    },
  });
  server.on('error', (error) => report(`${name} error`, error.message));
  const front = byImport ? tls.createServer(identity(), (socket) => serve(server, socket)) : server.server;
  const port = await listen(front);
  const transport = nodemailer.createTransport({ host: 'localhost', port, secure, requireTLS: true });
  if (byImport) transport.getSocket = (_options, callback) => connectTo(port, callback);
  const sent = await transport.sendMail({
    from: 'a@example.org',
    to: 'b@example.org',
    subject: name,
    text: 'line\n'.repeat(20_000),
  });
  report(name, [sent.accepted, received.secure, /^Subject: (.*)$/m.exec(received.text)[1].trim()]);
  transport.close();
  await new Promise((resolve) => front.close(resolve));
}

/** smtp-server behind a TLS server of the program's own. */
function serve(server, socket) {
  server.server.emit('connection', socket);
}

/** nodemailer takes a connection that is secured already. */
async function connectTo(port, callback) {
  const socket = tls.connect({ host: 'localhost', port });
  await once(socket, 'secureConnect');
  callback(null, { connection: socket, secured: true });
}

// STARTTLS is nodemailer's own doing: there is no way to bring a connection in the middle of it.
if (!byImport) await deliver('STARTTLS', { secure: false });
await deliver('SMTPS', { secure: true });

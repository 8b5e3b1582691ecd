import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { identity, listen, report, textOf } from '../support/program.mjs';

async function deliver(name, { secure }) {
  let received;
  const server = new SMTPServer({
    ...identity(),
    secure,
    authOptional: true,
    async onData(stream, session, callback) {
      received = { secure: session.secure, text: await textOf(stream) };
      callback();
    },
  });
  server.on('error', (error) => report(`${name} error`, error.message));
  const port = await listen(server.server);
  const transport = nodemailer.createTransport({ host: 'localhost', port, secure, requireTLS: true });
  const sent = await transport.sendMail({
    from: 'a@example.org',
    to: 'b@example.org',
    subject: name,
    text: 'line\n'.repeat(20_000),
  });
  report(name, [sent.accepted, received.secure, /^Subject: (.*)$/m.exec(received.text)[1].trim()]);
  transport.close();
  await new Promise((resolve) => server.close(resolve));
}

await deliver('STARTTLS', { secure: false });
await deliver('SMTPS', { secure: true });

import { SMTPClient } from 'emailjs';
import { SMTPServer } from 'smtp-server';
import { identity, listen, report, textOf } from '../support/program.mjs';

for (const [name, secure] of [
  ['STARTTLS', false],
  ['SMTPS', true],
]) {
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
  const client = new SMTPClient({ host: 'localhost', port, ssl: secure, tls: !secure, timeout: 10_000 });
  await client.sendAsync({
    from: 'a@example.org',
    to: 'b@example.org',
    subject: name,
    text: 'line\n'.repeat(20_000),
  });
  report(name, [
    received.secure,
    /^Subject: (.*)$/im.exec(received.text)[1].trim(),
    received.text.length > 100_000,
  ]);
  client.smtp.close(true);
  await new Promise((resolve) => server.close(resolve));
}

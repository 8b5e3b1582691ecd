import { ImapFlow } from 'imapflow';
import { report } from '../support/program.mjs';

for (const [name, port, secure] of [
  ['IMAPS', process.env.IMAPS_PORT, true],
  ['STARTTLS', process.env.IMAP_PORT, false],
]) {
  const client = new ImapFlow({
    host: 'localhost',
    port: Number(port),
    secure,
    doSTARTTLS: secure ? undefined : true,
    auth: { user: 'somebody', pass: 'secret' },
    logger: false,
  });
  await client.connect();
  const text = `Subject: ${name}\r\n\r\n${'line\r\n'.repeat(10_000)}`;
  await client.append('INBOX', text);
  const lock = await client.getMailboxLock('INBOX');
  const message = await client.fetchOne('*', { source: true, envelope: true });
  lock.release();
  report(name, [message.envelope.subject, message.source.length === text.length]);
  await client.logout();
}

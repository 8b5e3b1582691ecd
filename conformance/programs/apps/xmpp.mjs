import { client, xml } from '@xmpp/client';
import { report } from '../support/program.mjs';

for (const service of [
  `xmpp://localhost:${process.env.PORT}`,
  `xmpps://localhost:${process.env.DIRECT_PORT}`,
]) {
  // No name: the server lets in whom it does not know.
  const xmpp = client({ service, domain: 'localhost' });
  xmpp.reconnect.stop();
  xmpp.on('error', (error) => report('error', String(error)));
  const answered = new Promise((resolve) => {
    xmpp.on('stanza', (stanza) => stanza.is('message') && resolve(stanza));
  });
  const jid = await xmpp.start();
  await xmpp.send(xml('message', { to: String(jid), type: 'chat' }, xml('body', {}, 'x'.repeat(20_000))));
  const stanza = await answered;
  report(service.split(':')[0], {
    secure: xmpp.isSecure(),
    text: stanza.getChildText('body')?.length,
  });
  await xmpp.stop();
}

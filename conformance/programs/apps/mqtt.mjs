import { once } from 'node:events';
import mqtt from 'mqtt';
import { byImport, tls } from '../support/modules.mjs';
import { report } from '../support/program.mjs';

const port = Number(process.env.PORT);
const client = byImport
  ? new mqtt.MqttClient(() => tls.connect({ host: 'localhost', port }), {})
  : mqtt.connect(`mqtts://localhost:${port}`);
await once(client, 'connect');
await client.subscribeAsync('news', { qos: 1 });
const heard = once(client, 'message');
await client.publishAsync('news', 'x'.repeat(100_000), { qos: 1 });
report('news', (await heard)[1].length);
await client.endAsync();

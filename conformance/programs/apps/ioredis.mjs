import { once } from 'node:events';
import { Redis } from 'ioredis';
import { byImport, tls } from '../support/modules.mjs';
import { report } from '../support/program.mjs';

const address = { host: 'localhost', port: Number(process.env.PORT) };

/** ioredis takes a class that opens its connections. */
class Connector {
  async connect() {
    this.stream = tls.connect(address);
    await once(this.stream, 'secureConnect');
    return this.stream;
  }
  check() {
    return true;
  }
  disconnect() {
    this.stream?.end();
  }
}

const redis = new Redis(byImport ? { Connector } : { ...address, tls: {} });
await redis.set('big', 'x'.repeat(1_000_000));
report('big', (await redis.get('big')).length);
const pipeline = redis.pipeline();
for (let i = 0; i < 1000; i++) pipeline.incr('count');
await pipeline.exec();
report('count', await redis.get('count'));
const subscriber = redis.duplicate();
await subscriber.subscribe('news');
const heard = once(subscriber, 'message');
await redis.publish('news', 'hello');
report('news', (await heard)[1]);
await Promise.all([redis.quit(), subscriber.quit()]);

import { once } from 'node:events';
import { Redis } from 'ioredis';
import { report } from '../support/program.mjs';

const redis = new Redis({ host: 'localhost', port: Number(process.env.PORT), tls: {} });
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

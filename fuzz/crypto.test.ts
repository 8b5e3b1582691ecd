import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { cryptoCalls } from './crypto.ts';
import { Random } from './random.ts';

// The other targets get half a second of every `npm test`; calls that could write anywhere get their thousands.
const seed = randomInt(2 ** 31);

test(`calls of OpenSSL's functions do what node:crypto and noble do (seed ${seed})`, () => {
  for (let i = 0; i < 2500; i++) {
    const { breach } = cryptoCalls(new Random(seed + i));
    if (breach === undefined) continue;
    expect.fail(`${breach}\nagain: npm run fuzz -- --target crypto --seed ${seed + i} --inputs 1`);
  }
});

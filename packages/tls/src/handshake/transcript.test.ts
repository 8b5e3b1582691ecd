import { createHash } from 'node:crypto';
import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Transcript } from './transcript.ts';

const sha = (name: string, bytes: Uint8Array): Buffer => createHash(name).update(bytes).digest();

test.each(['sha256', 'sha384'] as const)('%s: each digest is that of all messages, however long', (name) => {
  // Below, at and above the length up to which messages are hashed anew for each digest.
  const length = fc.oneof(fc.nat(300), fc.integer({ min: 1000, max: 5000 }));
  const steps = fc.array(fc.tuple(length, fc.boolean()), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(steps, fc.nat(4), (given, before) => {
      const transcript = new Transcript(nodeCrypto);
      const messages: Uint8Array[] = [];
      for (const [i, [size, digests]] of given.entries()) {
        if (i === Math.min(before, given.length - 1)) transcript.useHash(name);
        messages.push(new Uint8Array(size).fill(i + 1));
        transcript.add(messages.at(-1)!);
        if (digests && i >= before)
          expect(transcript.digest()).toEqual(new Uint8Array(sha(name, concat(...messages))));
      }
      expect(transcript.digest()).toEqual(new Uint8Array(sha(name, concat(...messages))));
      expect(transcript.messages()).toEqual(concat(...messages));
    }),
  );
});

test.each([4095, 4096, 4097])('a message of %i bytes, and one byte more', (length) => {
  const transcript = new Transcript(nodeCrypto);
  transcript.useHash('sha256');
  transcript.add(new Uint8Array(length).fill(1));
  transcript.digest();
  transcript.add(Uint8Array.of(2));
  const all = concat(new Uint8Array(length).fill(1), Uint8Array.of(2));
  expect(transcript.digest()).toEqual(new Uint8Array(sha('sha256', all)));
});

test('two transcripts do not disturb each other', () => {
  const [one, other] = [new Transcript(nodeCrypto), new Transcript(nodeCrypto)];
  for (const transcript of [one, other]) transcript.useHash('sha256');
  one.add(Uint8Array.of(1));
  const digest = one.digest();
  other.add(Uint8Array.of(2, 3));
  other.digest();
  one.add(Uint8Array.of(4));
  expect(digest).toEqual(new Uint8Array(sha('sha256', Uint8Array.of(1))));
  expect(one.digest()).toEqual(new Uint8Array(sha('sha256', Uint8Array.of(1, 4))));
});

test('messages that are forgotten stay in the hash', () => {
  const transcript = new Transcript(nodeCrypto);
  transcript.add(Uint8Array.of(1));
  transcript.useHash('sha256');
  transcript.forgetMessages();
  transcript.add(Uint8Array.of(2));
  expect(transcript.digest()).toEqual(new Uint8Array(sha('sha256', Uint8Array.of(1, 2))));
  expect(transcript.messages()).toHaveLength(0);
});

test('up to TLS 1.1: MD5 and SHA-1, one after the other', () => {
  const transcript = new Transcript(nodeCrypto);
  transcript.add(Uint8Array.of(1, 2));
  transcript.useHash('md5-sha1');
  const bytes = Uint8Array.of(1, 2);
  expect(transcript.digest()).toEqual(new Uint8Array([...sha('md5', bytes), ...sha('sha1', bytes)]));
});

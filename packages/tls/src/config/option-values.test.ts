import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { TlsError } from '../errors.ts';
import { clientConfig } from './client.ts';
import { serverConfig } from './server.ts';

const verifyCertificate = () => ({ accepted: true });
const client = { provider: nodeCrypto, verifyCertificate };
const server = { provider: nodeCrypto, credentials: () => [], verifyCertificate };

function problem(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof TlsError && error.code === 'bad-option') return error.message;
    throw error;
  }
  return 'none';
}

describe('a value that is none of those there are is an error, and turns nothing on or off', () => {
  test.each([
    [
      { clientCertificate: 'required' },
      'clientCertificate must be one of "none", "request", "require", not "required"',
    ],
    [{ clientCertificate: true }, 'clientCertificate must be one of "none", "request", "require", not true'],
    [{ tickets: true }, 'tickets must be false, or what seals them: new TicketKeys(provider)'],
    [{ requireAlpn: 'no' }, 'requireAlpn must be true or false, not "no"'],
    [{ echBackend: 0 }, 'echBackend must be true or false, not 0'],
    [{ grease: ['groups'] }, 'grease must be true or false, not ["groups"]'],
    [{ sessionsKeepCertificateHash: 'yes' }, 'sessionsKeepCertificateHash must be true or false, not "yes"'],
    [{ exposeSecrets: 'false' }, 'exposeSecrets must be true or false, not "false"'],
  ])('a server: %j', (options, message) => {
    expect(problem(() => serverConfig({ ...server, ...(options as object) }))).toBe(message);
  });

  test.each([
    [{ requirePsk: 'no', psks: [] }, 'requirePsk must be true or false, not "no"'],
    [{ falseStart: 'anyserver' }, 'falseStart must be one of true, false, "any-server", not "anyserver"'],
    [{ grease: ['group'] }, /^grease must be one of "cipherSuites", .*, not "group"$/],
    [{ extensionOrder: 'shufle' }, /^extensionOrder must be .*, not "shufle"$/],
    [{ encryptThenMac: 1 }, 'encryptThenMac must be true or false, not 1'],
    [
      { alpnProtocols: ['日本'] },
      'the ALPN protocol "日本" has characters above U+00FF: each stands for one byte',
    ],
  ])('a client: %j', (options, message) => {
    expect(problem(() => clientConfig({ ...client, ...(options as object) }))).toMatch(message);
  });

  test.each([
    { clientCertificate: 'request' },
    { clientCertificate: undefined },
    { tickets: false },
    { grease: true },
    { requireAlpn: true },
  ])('but a server takes %j', (options) => {
    expect(problem(() => serverConfig({ ...server, ...(options as object) }))).toBe('none');
  });

  test.each([
    { extensionOrder: 'shuffle' },
    { extensionOrder: [0, 10] },
    { grease: ['groups'] },
    { falseStart: 'any-server' },
    { alpnProtocols: ['\u00e9'] },
  ])('but a client takes %j', (options) => {
    expect(problem(() => clientConfig({ ...client, ...(options as object) }))).toBe('none');
  });
});

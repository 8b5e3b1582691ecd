import { syncBuiltinESMExports } from 'node:module';
import nodeTls from 'node:tls';
import { live, type ReplaceableMembers } from './as-node/replaceable-members.ts';
import { unsupportedOption } from './errors/errors.ts';
import tls from './index.ts';
import { replaceBaseClasses } from './server/node-servers.ts';

/**
 * Puts this package's engine in the place of `node:tls`, for the whole program:
 *
 *     node --import @testudo/tls/register app.js      (or --require)
 *
 * The members of the object that `require('tls')` gives are replaced, and with them the imports of ES modules. Node's
 * own `https`, `http2` and `fetch` look there for `connect` and `Server` each time they need them, so that theirs are
 * ours, too, also by a function, an agent or a class that some library took before. Only who holds `tls.connect`,
 * `tls.createServer` or `tls.TLSSocket` themselves from before keeps Node's; that cannot be changed.
 */
const REPLACED = [
  'DEFAULT_CIPHERS',
  'DEFAULT_ECDH_CURVE',
  'DEFAULT_MAX_VERSION',
  'DEFAULT_MIN_VERSION',
  'SecureContext',
  'Server',
  'TLSSocket',
  'checkServerIdentity',
  'connect',
  'createSecureContext',
  'createServer',
  'getCACertificates',
  'getCertificateCompressionAlgorithms',
  'getCiphers',
  'setDefaultCACertificates',
] as const;

function register(): void {
  const target = nodeTls as unknown as Record<string, unknown>;
  // Before `tls.Server` is ours: it makes one server of Node's.
  replaceBaseClasses();
  for (const name of REPLACED) {
    // What this version of Node does not have, programs do not expect.
    if (!(name in target)) continue;
    Object.defineProperty(target, name, {
      value: tls[name],
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  if ('createSecurePair' in target) target['createSecurePair'] = noSecurePair;
  live.tls = target as unknown as ReplaceableMembers;
  syncBuiltinESMExports();
}

function noSecurePair(): never {
  throw unsupportedOption('createSecurePair', 'Node has removed it, too: use TLSSocket');
}

register();

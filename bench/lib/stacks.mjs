import { SERVER_NAME } from './material.mjs';

/** What is measured. `reference` is also the peer of everything. */
export const REFERENCE = 'node';
export const STACKS = ['node', 'testudo', 'lemon'];

const SUITE = 'TLS_AES_128_GCM_SHA256';
const GROUP = 'X25519';

/**
 * One stack behind the little that the workloads need. All are held to TLS 1.3, one cipher suite and one group, and
 * get what their user can prepare once (a SecureContext), so that only the work per connection is measured.
 */
export async function loadStack(name, material) {
  if (name === 'lemon') return lemonStack((await import('lemon-tls')).default, material);
  const tls = name === 'node' ? (await import('node:tls')).default : await import('@testudo/tls/node');
  return nodeLikeStack(tls, material);
}

function nodeLikeStack(tls, { ca, cert, key }) {
  const common = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: SUITE, ecdhCurve: GROUP };
  let clientContext;
  return {
    createServer: (onConnection) => tls.createServer({ ...common, key, cert }, onConnection),
    connect(port, session) {
      clientContext ??= tls.createSecureContext({ ...common, ca });
      return tls.connect({
        ...common,
        host: '127.0.0.1',
        port,
        servername: SERVER_NAME,
        secureContext: clientContext,
        session,
      });
    },
    facts: (socket) => ({
      version: socket.getProtocol(),
      suite: socket.getCipher().name,
      group: groupOf(socket),
      resumed: socket.isSessionReused(),
      authorized: socket.authorized,
    }),
  };
}

/** lemon-tls takes numbers, and its client no cipher suites: its peer allows one only. */
function lemonStack(tls, { ca, cert, key }) {
  const common = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', groups: [0x001d] };
  return {
    createServer: (onConnection) =>
      tls.createServer({ ...common, key, cert, allowedCipherSuites: [0x1301] }, onConnection),
    connect: (port, session) =>
      tls.connect(port, '127.0.0.1', { ...common, ca, servername: SERVER_NAME, session }),
    facts(socket) {
      const result = socket.getNegotiationResult();
      return {
        version: socket.getProtocol(),
        suite: result.cipherName,
        group: result.groupName,
        resumed: socket.isSessionReused(),
        // Its `authorized` stays false; it ends a handshake with a certificate that it refuses.
        authorized: socket.authorizationError === null,
      };
    },
  };
}

/** Node's client names a curve in `name`, and Node's server none. */
function groupOf(socket) {
  const info = socket.getEphemeralKeyInfo();
  return info?.name ?? info?.type;
}

/** Throws unless a client's connection is what was meant to be measured. */
export function checkFacts(facts, resumed) {
  const wanted = { version: 'TLSv1.3', suite: SUITE, group: GROUP, resumed };
  for (const [name, value] of Object.entries(wanted)) {
    if (facts[name] !== value)
      throw new Error(`${name} is ${facts[name]}, not ${value}: not what was to be measured`);
  }
  // A resumed client of some stacks does not look at the certificate again; a full one must have.
  if (!resumed && facts.authorized !== true) throw new Error('the client did not accept the certificate');
}

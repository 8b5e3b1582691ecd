import { groupsOf, SERVER_NAME, TLS13 } from './settings.mjs';

/** What is measured. `reference` is also the peer of everything. */
export const REFERENCE = 'node';
/** What no stack gets under: the turns on the wire and the calls to OpenSSL, without TLS. Its peer is itself. */
export const FLOOR = 'floor';
export const STACKS = ['node', 'testudo', FLOOR, 'lemon'];

/**
 * One stack behind the little that the workloads need. All are held to one version, cipher suite and group (a setting),
 * and get what their user can prepare once (a SecureContext), so that only the work per connection is measured.
 */
export async function loadStack(name, material, setting) {
  if (name === FLOOR) return (await import('./floor-stack.mjs')).floorStack(material, setting);
  if (name === 'lemon') return lemonStack((await import('lemon-tls')).default, material);
  const tls = name === 'node' ? (await import('node:tls')).default : await import('@testudo/tls/node');
  const stack = nodeLikeStack(tls, material, setting);
  // Not loaded for the others: what is loaded has its part in what the collector does.
  if (!setting.https) return stack;
  const https = name === 'node' ? (await import('node:https')).default : await import('@testudo/tls/https');
  return { ...stack, ...httpsOf(tls, https, material, setting) };
}

function httpsOf(tls, https, { ca, server }, setting) {
  const common = commonOptions(setting);
  return {
    scheme: 'https',
    createHttpsServer: (onRequest) => https.createServer({ ...common, ...server }, onRequest),
    createAgent: (options) =>
      new https.Agent({
        ...options,
        servername: SERVER_NAME,
        secureContext: tls.createSecureContext({ ...common, ca }),
        // No connection resumes another one's session: each is checked like the first.
        maxCachedSessions: 0,
      }),
    get: (options, onResponse) => https.get({ ...options, host: '127.0.0.1' }, onResponse),
  };
}

function commonOptions(setting) {
  const { version, suite } = setting;
  return { minVersion: version, maxVersion: version, ciphers: suite, ecdhCurve: groupsOf(setting) };
}

function nodeLikeStack(tls, { ca, server, client }, setting) {
  const { clientCertificate, earlyData } = setting;
  const common = commonOptions(setting);
  const asks = clientCertificate ? { ca, requestCert: true, rejectUnauthorized: true } : {};
  const shows = clientCertificate ? client : {};
  const early = earlyData ? { earlyData: true } : {};
  let clientContext;
  return {
    setting,
    createServer: (onConnection) =>
      tls.createServer({ ...common, ...server, ...asks, ...early }, onConnection),
    connect(port, session, early) {
      clientContext ??= tls.createSecureContext({ ...common, ca, ...shows });
      return tls.connect({
        ...common,
        host: '127.0.0.1',
        port,
        servername: SERVER_NAME,
        secureContext: clientContext,
        session,
        ...(early ? { earlyData: early } : {}),
      });
    },
    facts: (socket) => ({
      ...(earlyData ? { earlyData: socket.connectionInfo.earlyData } : {}),
      version: socket.getProtocol(),
      suite: socket.getCipher().name,
      group: groupOf(socket),
      resumed: socket.isSessionReused(),
      authorized: socket.authorized,
    }),
  };
}

/** lemon-tls takes numbers, and its client no cipher suites: its peer allows one only. It knows one setting. */
function lemonStack(tls, { ca, server: { cert, key } }) {
  const common = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', groups: [0x001d] };
  return {
    setting: TLS13,
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
export function checkFacts(stack, socket, resumed) {
  const facts = stack.facts(socket);
  const { version, suite, group, earlyData } = stack.setting;
  // TLS 1.2 resumes without a key exchange; Node's OpenSSL has no name for a hybrid group.
  const isAgreed = !(resumed && version === 'TLSv1.2') && facts.group !== undefined;
  const wanted = { version, suite, ...(isAgreed ? { group } : {}), resumed };
  if (earlyData) wanted.earlyData = resumed ? 'accepted' : 'none';
  for (const [name, value] of Object.entries(wanted)) {
    if (facts[name] !== value)
      throw new Error(`${name} is ${facts[name]}, not ${value}: not what was to be measured`);
  }
  // A resumed client of some stacks does not look at the certificate again; a full one must have.
  if (!resumed && facts.authorized !== true) throw new Error('the client did not accept the certificate');
}

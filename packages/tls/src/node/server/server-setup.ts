import { systemCrypto } from '@testudo/crypto/openssl';
import type { Credential } from '../../certificates/credential.ts';
import type { CertificateVerifier } from '../../certificates/verdict.ts';
import type { ServerConfig } from '../../config/config.ts';
import { DEFAULT_SESSION_LIFETIME, MAX_SESSION_LIFETIME } from '../../config/defaults.ts';
import { type AskedOptions, serverConfig, withOthersAsked } from '../../config/server.ts';
import type { CredentialChooser, EarlyDataOptions, ServerOptions } from '../../options/server.ts';
import type { ClientHelloInfo } from '../../requests.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { TicketSealer } from '../../sessions/ticket-keys.ts';
import { PSK_HINT_FAILED } from '../as-node/running-node.ts';
import { readProtocols } from '../context/alpn.ts';
import { givenFunction, givenToEngine } from '../context/option-table.ts';
import { findPskFor, NO_PSK, serverPsks } from '../context/psk.ts';
import { contextOf, SecureContext } from '../context/secure-context.ts';
import { enabledOnly } from '../context/version-options.ts';
import { nodeError } from '../errors/errors.ts';
import { opensslAlert } from '../errors/openssl-failures.ts';
import { answering, callOut, userError } from '../errors/user-error.ts';
import { completedBy } from '../material/own-chain.ts';
import type { EngineSocket } from '../socket/engine-socket.ts';
import { takeSealedMemory } from '../transport/sealed-memory.ts';
import type {
  AlpnCallback,
  PskServerCallback,
  ServerSetup,
  SniCallback,
  TLSSocketOptions,
} from '../types.ts';
import { verifier } from '../verification/verification.ts';
import type { Stapler } from './stapling.ts';

/** What a server decides on top of its context. */
export interface ServerChoices {
  readonly context: SecureContext;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly alpnProtocols: readonly string[];
  readonly alpnCallback: AlpnCallback | undefined;
  /** Undefined when no connection can get another context. */
  readonly sniCallback: SniCallback | undefined;
  /** For a connection; undefined when nobody is to be asked for OCSP responses. */
  readonly staple: ((socket: EngineSocket) => Stapler) | undefined;
  readonly pskCallback: PskServerCallback | undefined;
  readonly pskIdentityHint: string | undefined;
  readonly tickets: TicketSealer | false;
  readonly earlyData: EarlyDataOptions | undefined;
  /** For a connection; undefined when nobody keeps sessions. */
  readonly sessionStore: ((socket: EngineSocket) => SessionStore) | undefined;
}

export function serverSetup(choices: ServerChoices): ServerSetup {
  const { alpnCallback, sniCallback, pskCallback, staple, sessionStore, requestCert } = choices;
  const { strictness, negotiation } = choices.context;
  // As OpenSSL, which Node tells of it with each connection.
  if (Buffer.byteLength(choices.pskIdentityHint ?? '') > MAX_PSK_HINT)
    return { requestCert, strictness, config: refuseHint };
  const shared = enabledOnly(serverConfig(certificateOptions(choices)), negotiation.enabled.server);
  const isShared = [alpnCallback, sniCallback, pskCallback, staple, sessionStore].every(
    (callback) => callback === undefined,
  );
  const config = isShared ? shared : (socket: EngineSocket) => configFor(socket, shared, choices);
  return { requestCert, strictness, config };
}

/** Bytes. */
const MAX_PSK_HINT = 256;

function refuseHint(): never {
  const error = nodeError(PSK_HINT_FAILED, 'Failed to set PSK identity hint');
  throw userError('pskIdentityHint', error);
}

type Others = { -readonly [Key in keyof AskedOptions]: AskedOptions[Key] };

/** Callbacks are called as methods of the socket, so a connection that has any gets a configuration of its own. */
function configFor(socket: EngineSocket, shared: ServerConfig, choices: ServerChoices): ServerConfig {
  const { alpnCallback, sniCallback, pskCallback, staple, sessionStore } = choices;
  const { findPsk } = shared.options;
  const others: Others = { credentials: shared.options.credentials };
  if (sniCallback !== undefined) chooseByName(others, shared, choices, socket, sniCallback);
  if (staple !== undefined) others.credentials = stapled(others.credentials!, staple(socket));
  if (sessionStore !== undefined) others.sessionStore = sessionStore(socket);
  if (alpnCallback !== undefined) {
    others.alpnProtocols = askForProtocol(alpnCallback.bind(socket));
    // The callback may show another certificate, as that of ACME (RFC 8737).
    const credentials = others.credentials!;
    others.credentials = (hello) =>
      socket._shown ?? (typeof credentials === 'function' ? credentials(hello) : credentials);
  }
  if (pskCallback !== undefined)
    others.findPsk = findPskFor(findPsk, (identity) => pskCallback.call(socket, socket, identity));
  return withOthersAsked(shared, others);
}

function certificateOptions(choices: ServerChoices): ServerOptions {
  const { context, pskCallback, pskIdentityHint } = choices;
  return {
    provider: systemCrypto(),
    allocate: takeSealedMemory,
    alertFor: opensslAlert,
    ...givenToEngine('server', context.engine),
    ...context.negotiation.server,
    credentials: chooseOwn(context),
    alpnProtocols: choices.alpnProtocols.length > 0 ? choices.alpnProtocols : undefined,
    preferServerOrder: context.honorCipherOrder,
    sessionLifetime: Math.min(context.sessionTimeout ?? DEFAULT_SESSION_LIFETIME, MAX_SESSION_LIFETIME),
    tickets: context.usesTickets ? choices.tickets : false,
    // As Node. Only early data is taken once for each ticket.
    renewTickets: choices.earlyData !== undefined,
    findPsk: serverPsks(context.engine.psks) ?? (pskCallback && NO_PSK),
    earlyData: choices.earlyData,
    pskIdentityHint: pskIdentityHint === undefined ? undefined : Buffer.from(pskIdentityHint),
    ...clientAuthentication(choices),
  };
}

/** What is needed to ask for a certificate: in the handshake, or after it. */
function clientAuthentication(choices: ServerChoices): Partial<ServerOptions> {
  const { context, requestCert, rejectUnauthorized } = choices;
  const mayAskLater = context.engine.postHandshakeAuth || context.negotiation.server.renegotiation;
  if (!requestCert && !mayAskLater) return {};
  return {
    clientCertificate: requestCert ? (rejectUnauthorized ? 'require' : 'request') : 'none',
    verifyCertificate: clientVerifier(choices, context),
    certificateAuthorities: context.authorityNames,
  };
}

/** The name decides on the certificate that is shown, and whose client certificates are taken. */
function chooseByName(
  others: Others,
  { options: { verifyCertificate } }: ServerConfig,
  choices: ServerChoices,
  socket: EngineSocket,
  callback: SniCallback,
): void {
  let { context } = choices;
  others.credentials = contextByName(context, socket, callback, (chosen) => {
    context = chosen;
  });
  if (verifyCertificate === undefined) return;
  // The client is asked before the name has been looked up, so it is not told which CAs would do.
  others.certificateAuthorities = undefined;
  others.verifyCertificate = (request) => clientVerifier(choices, context)(request);
}

/** Whom it trusts is the context's of the name that the client wants; how strict it is, the server's own. */
function clientVerifier(
  { context: own, rejectUnauthorized }: ServerChoices,
  { trust, revocation }: SecureContext,
): CertificateVerifier {
  const { strictness, negotiation } = own;
  const { securityLevel } = negotiation;
  return verifier({
    provider: systemCrypto(),
    trust,
    revocation,
    strictness,
    securityLevel,
    rejectUnauthorized,
  });
}

/** For a TLSSocket that was made without a Server. */
export function setupOf(options: TLSSocketOptions): ServerSetup {
  return serverSetup({
    context: contextOf(options),
    requestCert: Boolean(options.requestCert),
    rejectUnauthorized: Boolean(options.rejectUnauthorized),
    alpnProtocols: readProtocols(options.ALPNProtocols),
    alpnCallback: givenFunction('options.ALPNCallback', options.ALPNCallback),
    sniCallback: givenFunction('options.SNICallback', options.SNICallback),
    staple: undefined,
    pskCallback: givenFunction('pskCallback', options.pskCallback as PskServerCallback | undefined),
    pskIdentityHint: options.pskIdentityHint || undefined,
    tickets: false,
    earlyData: undefined,
    sessionStore: undefined,
  });
}

/** The same with other certificates. */
export function withCredentials(setup: ServerSetup, credentials: readonly Credential[]): ServerSetup {
  const { config: given } = setup;
  const config = (socket: EngineSocket): ServerConfig => {
    const before = typeof given === 'function' ? given(socket) : given;
    return withOthersAsked(before, { credentials });
  };
  return { ...setup, config };
}

/** A server may be made before its certificate is there: then its handshakes fail, as in Node. */
function chooseOwn(context: SecureContext): readonly Credential[] | CredentialChooser {
  return context.credentials.length > 0 ? context.credentials : () => undefined;
}

function stapled(credentials: readonly Credential[] | CredentialChooser, staple: Stapler): CredentialChooser {
  return async (hello) => {
    const chosen = typeof credentials === 'function' ? await credentials(hello) : credentials;
    return chosen === undefined ? undefined : staple(hello, chosen);
  };
}

function contextByName(
  context: SecureContext,
  socket: EngineSocket,
  callback: SniCallback,
  onChosen: (context: SecureContext) => void,
): CredentialChooser {
  const own = context.credentials.length > 0 ? context.credentials : undefined;
  return ({ serverName }) => {
    if (serverName === undefined) return own;
    return new Promise((resolve, reject) => {
      const take = (chosen: unknown): void => {
        if (!chosen) resolve(own);
        else if (!(chosen instanceof SecureContext)) {
          throw nodeError('ERR_TLS_INVALID_CONTEXT', 'Invalid SNI context');
        } else if (chosen.credentials.length === 0) {
          // As in Node, a context without a certificate changes nothing, not even whom the server trusts.
          resolve(own);
        } else {
          onChosen(chosen);
          resolve(completedBy(chosen.credentials, context.givenAuthorities));
        }
      };
      const answer = answering('SNICallback', socket, take, reject);
      callOut('SNICallback', () => callback.call(socket, serverName, answer), reject);
    });
  };
}

function askForProtocol(alpnCallback: AlpnCallback): ServerOptions['alpnProtocols'] {
  return ({ serverName, alpnProtocols: offered }: ClientHelloInfo) =>
    new Promise((resolve, reject) => {
      const ask = (): void => {
        const chosen = alpnCallback({ servername: serverName ?? '', protocols: [...offered] });
        if (chosen === undefined || offered.includes(chosen)) {
          resolve(chosen);
          return;
        }
        const error = nodeError(
          'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT',
          `ALPN callback returned a value (${chosen}) that did not match any of the client's offered protocols (${offered.join(', ')})`,
        );
        reject(userError('ALPNCallback', error));
      };
      callOut('ALPNCallback', ask, reject);
    });
}

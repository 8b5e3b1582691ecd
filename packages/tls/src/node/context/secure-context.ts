import type { SecureContext as NodesContext } from 'node:tls';
import { systemCrypto } from '@testudo/crypto/openssl';
import { type Certificate, TrustStore } from '@testudo/x509';
import { type Credential, credential } from '../../certificates/credential.ts';
import { clientConfig } from '../../config/client.ts';
import type { ClientConfig } from '../../config/config.ts';
import { live } from '../as-node/replaceable-members.ts';
import { checkObject } from '../errors/arguments.ts';
import { asNode } from '../errors/error-of-node.ts';
import { nodeTypeError } from '../errors/errors.ts';
import { defaultAuthorities } from '../material/default-authorities.ts';
import { loadAuthorities, loadIdentities, type OwnIdentity } from '../material/load-identities.ts';
import { sentWith } from '../material/own-chain.ts';
import { checkOwnStrength } from '../material/own-strength.ts';
import { loadPfx } from '../material/pfx.ts';
import { loadRevocation, type Revocation } from '../material/revocation-lists.ts';
import { takeSealedMemory } from '../transport/sealed-memory.ts';
import type { Trust } from '../verification/chain-verdict.ts';
import { checkServerIdentity } from '../verification/identity.ts';
import type { IdentityCheck } from '../verification/identity-check.ts';
import { verifier } from '../verification/verification.ts';
import { ContextHandle } from './context-handle.ts';
import type { SecureContextOptions } from './context-options.ts';
import type { EngineOptions } from './engine-options.ts';
import { type Negotiation, readNegotiation } from './negotiation.ts';
import {
  type ContextTerms,
  contextKey,
  engineOptions,
  givenToContext,
  givenToEngine,
} from './option-table.ts';
import { clientPsks, type PskClientCallback } from './psk.ts';
import { type Strictness, strictnessOf } from './strictness.ts';
import { enabledOnly } from './version-options.ts';

/**
 * Everything about keys, trust and algorithms that many connections share: parsed and checked once.
 * Made by {@link createSecureContext}.
 */
export class SecureContext {
  readonly credentials: readonly Credential[];
  readonly negotiation: Negotiation;
  /** Where connections are stricter than those of `node:tls`. */
  readonly strictness: Strictness;
  readonly honorCipherOrder: boolean;
  /** Seconds; undefined for the engine's default. */
  readonly sessionTimeout: number | undefined;
  readonly ticketKeys: Uint8Array | undefined;
  /** Sessions are resumed only by servers with the same one. */
  readonly sessionIdContext: string | undefined;
  /** Looks certificates up in the lists of `crl`; undefined when there are none. */
  readonly revocation: Revocation | undefined;
  /** What only the engine has. */
  readonly engine: EngineOptions;
  /** What Node keeps OpenSSL's context in: programs add CAs to it. */
  readonly context: ContextHandle;
  #authorities: readonly Certificate[] | undefined;
  #trust: Trust | undefined;
  readonly #allowsPartial: boolean;
  #client: { readonly key: ClientConfigKey; readonly config: ClientConfig } | undefined;

  constructor(given: SecureContextOptions = {}) {
    const { options, negotiation, identities, authorities, others, revocation } = read(given);
    this.strictness = strictnessOf(options.strict);
    this.negotiation = negotiation;
    this.#authorities = authorities;
    this.credentials = identities.map((identity) =>
      sentWith(
        credential(systemCrypto(), [identity.leaf.der], identity.privateKey),
        identity,
        () => this.#authorities,
      ),
    );
    this.revocation = revocation;
    this.#allowsPartial = Boolean(options.allowPartialTrustChain);
    this.engine = engineOptions(options);
    this.honorCipherOrder = Boolean(options.honorCipherOrder);
    this.sessionTimeout = options.sessionTimeout;
    this.ticketKeys = options.ticketKeys;
    this.sessionIdContext = options.sessionIdContext;
    this.context = new ContextHandle(this, (more) => this.#addAuthorities(more));
    if (others.length > 0) this.#addAuthorities(others);
  }

  #addAuthorities(more: readonly Certificate[]): void {
    this.#authorities = [...(this.#authorities ?? defaultAuthorities()), ...more];
    this.#trust = undefined;
  }

  /** The certificates of `ca`, or else the default roots of now. */
  readonly trust = (): Trust => {
    if (this.#authorities === undefined)
      return {
        store: defaultAuthorities(),
        anchors: defaultAuthorities(),
        helpers: NONE,
        isPartial: this.#allowsPartial,
      };
    this.#trust ??= trustOf(this.#authorities, this.#allowsPartial);
    return this.#trust;
  };

  /** False when `secureOptions` says so. */
  get usesTickets(): boolean {
    return this.negotiation.usesTickets;
  }

  /** The CAs that were given. */
  get givenAuthorities(): readonly Certificate[] {
    return this.#authorities ?? NONE;
  }

  /** Their distinguished names (DER), for a server's CertificateRequest. */
  get authorityNames(): readonly Uint8Array[] {
    return this.givenAuthorities.map(({ subject }) => subject.der);
  }

  /** A client's configuration; the last one is kept, since programs connect with the same options again. */
  clientConfig(key: ClientConfigKey): ClientConfig {
    const last = this.#client;
    if (last !== undefined && sameKey(last.key, key)) return last.config;
    const made = clientConfig({
      provider: systemCrypto(),
      allocate: takeSealedMemory,
      ...givenToEngine('client', this.engine),
      ...this.negotiation.client,
      alpnProtocols: key.alpnProtocols,
      credentials: this.credentials,
      requestOcsp: key.requestOcsp,
      sessionTickets: this.usesTickets,
      psks: clientPsks(key.pskCallback, this.engine.psks),
      verifyCertificate: verifier({
        provider: systemCrypto(),
        trust: this.trust,
        revocation: this.revocation,
        strictness: this.strictness,
        securityLevel: this.negotiation.securityLevel,
        rejectUnauthorized: key.rejectUnauthorized,
        check: key.checkServerIdentity === checkServerIdentity ? undefined : key.checkServerIdentity,
      }),
    });
    const config = enabledOnly(made, this.negotiation.enabled.client);
    this.#client = { key, config };
    return config;
  }
}

/** What the options say, or what Node throws for them. */
function read(given: SecureContextOptions): {
  readonly options: ContextTerms;
  readonly negotiation: Negotiation;
  readonly identities: readonly OwnIdentity[];
  readonly authorities: Certificate[] | undefined;
  /** From `pfx`. */
  readonly others: readonly Certificate[];
  readonly revocation: Revocation | undefined;
} {
  return asNode(given, () => {
    const options = givenToContext(given);
    const negotiation = readNegotiation(options);
    const places = loadIdentities(options);
    const others = loadPfx(options, places);
    const { identities } = places;
    for (const identity of identities) checkOwnStrength(identity, negotiation.securityLevel);
    const authorities = loadAuthorities(options.ca);
    const revocation = loadRevocation(options.crl);
    return { options, negotiation, identities, authorities, others, revocation };
  });
}

/**
 * As OpenSSL: a path ends at a root, so what else is in `ca` only helps to find one, unless `allowPartialTrustChain`.
 */
function trustOf(authorities: readonly Certificate[], allowsPartial: boolean): Trust {
  const store = new TrustStore(authorities);
  if (allowsPartial) return { store, anchors: store, helpers: NONE, isPartial: true };
  return {
    store,
    anchors: new TrustStore(authorities.filter(({ isSelfIssued }) => isSelfIssued)),
    helpers: authorities.filter(({ isSelfIssued }) => !isSelfIssued),
    isPartial: false,
  };
}

const NONE: readonly Certificate[] = [];

/** What a client's configuration depends on besides the context. */
export interface ClientConfigKey {
  readonly alpnProtocols: readonly string[];
  readonly rejectUnauthorized: boolean;
  readonly checkServerIdentity: IdentityCheck | undefined;
  readonly requestOcsp: boolean;
  readonly pskCallback: PskClientCallback | undefined;
}

/**
 * A context for {@link SecureContext}'s users: `connect`, `createServer`, `addContext`, `SNICallback`.
 * Throws with the codes of `node:tls`; `ERR_TESTUDO_UNSUPPORTED_OPTION` for engines.
 */
export function createSecureContext(options?: SecureContextOptions | null): SecureContext {
  if (options) checkObject('options', options);
  return new SecureContext(options || {});
}

/** The context in the options, or one made of them. Throws `ERR_TLS_INVALID_CONTEXT` for a context of `node:tls`. */
export function contextOf(
  options: SecureContextOptions & { readonly secureContext?: unknown },
  make: (options: SecureContextOptions) => SecureContext = createSecureContext,
): SecureContext {
  const replaced = live.tls?.createSecureContext;
  const given = options.secureContext || undefined;
  // Programs put a function of their own in the place of ours, which adds CAs to what ours has made.
  const isReplaced = given === undefined && replaced !== undefined && replaced !== createSecureContext;
  const secureContext = isReplaced ? replaced(options) : given;
  if (secureContext === undefined) return make(options);
  if (secureContext instanceof SecureContext) return secureContext;
  throw nodeTypeError('ERR_TLS_INVALID_CONTEXT', 'context must be a SecureContext');
}

/** One that is there already, or made of options. Throws `ERR_TLS_INVALID_CONTEXT` for a context of `node:tls`. */
export function contextFrom(
  given: SecureContext | NodesContext | SecureContextOptions | null | undefined,
): SecureContext {
  const isContext = typeof given === 'object' && given !== null && 'context' in given;
  return isContext ? contextOf({ secureContext: given }) : createSecureContext(given);
}

/** A context for options that may come again: those without a private key are kept, and parsed once. */
export function sharedSecureContext(all: SecureContextOptions): SecureContext {
  const key = contextKey(asNode(all, () => givenToContext(all)));
  if (key === undefined) return new SecureContext(all);
  const known = shared.get(key);
  if (known !== undefined) return known;
  const context = new SecureContext(all);
  shared.set(key, context);
  if (shared.size > MAX_SHARED) {
    for (const oldest of shared.keys()) {
      shared.delete(oldest);
      break;
    }
  }
  return context;
}

const shared = new Map<string, SecureContext>();
const MAX_SHARED = 16;

/** Whatever a key has is compared: lists by what is in them, all else by which it is. */
function sameKey(a: ClientConfigKey, b: ClientConfigKey): boolean {
  return (Object.keys(a) as (keyof ClientConfigKey)[]).every((name) => isSame(a[name], b[name]));
}

function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

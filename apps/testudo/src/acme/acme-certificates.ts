import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, certificateToPem } from '@testudo/x509';
import { type Clock, systemClock } from '../clock.ts';
import type { AcmePlan } from '../config/acme-plan.ts';
import { Failure, systemReason } from '../failure.ts';
import { type Identity, loadCertificates } from '../identity/certificate-files.ts';
import type { Log } from '../output/log.ts';
import { AcmeError } from './acme-error.ts';
import { ChallengeBoard } from './challenge-board.ts';
import { issue } from './issue.ts';
import { ManagedCertificate } from './managed-certificate.ts';
import { fetchRenewalInfo, type RenewalInfo, renewalInfoName } from './renewal.ts';
import { AcmeSession } from './session.ts';
import { SharedAnswers } from './shared-answers.ts';
import { AcmeStore, type CertificateStore } from './store.ts';
import { AcmeTransport } from './transport.ts';

export interface AcmeParts {
  readonly plan: AcmePlan;
  readonly dataFolder: string;
  readonly log: Log;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** From 0 to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** All certificates that one CA issues to this gateway, one after the other. */
export class AcmeCertificates {
  /** Where the CA finds the answers to its challenges. */
  readonly board: ChallengeBoard;
  /** Called with the names of a certificate that is new. */
  onChange: (names: readonly string[]) => void = () => undefined;
  readonly #parts: AcmeParts;
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  readonly #store: AcmeStore;
  readonly #certificates: Map<string, ManagedCertificate> = new Map();
  readonly #stopped: AbortController = new AbortController();
  /** Connections to the CA that are in use. */
  readonly #open: Set<{ close(): void }> = new Set();
  #last: Promise<unknown> = Promise.resolve();
  /** Whose place it takes. */
  #before: AcmeCertificates | undefined;
  #isRetired = false;
  #isStopped = false;
  /** Answers to challenges of an order that whoever comes next goes on with, and how to take them away. */
  readonly #left: Set<() => void> = new Set();

  /** Throws a `Failure` for files that cannot be used. */
  constructor(parts: AcmeParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#secrets = readSecrets(parts.plan);
    this.#store = new AcmeStore(parts.dataFolder, parts.plan.directory);
    this.board = new ChallengeBoard(new SharedAnswers(join(this.#store.folder, 'challenges')));
  }

  /** Throws a `Failure` for files that cannot be used. */
  static check(plan: AcmePlan): void {
    readSecrets(plan);
  }

  /** The same for tls-alpn-01, if that is used. */
  get boardForTls(): ChallengeBoard | undefined {
    return this.#parts.plan.challenges.includes('tls-alpn-01') ? this.board : undefined;
  }

  /** What to serve for these names now. From the first call on, it is looked after. */
  identityFor(names: readonly string[]): Identity {
    return this.#certificateFor(names).identity;
  }

  /**
   * Takes the place of one that had other settings: what that one does is finished as far as it must be, an order that is
   * under way is gone on with, and nothing is ordered twice.
   */
  follow(before: AcmeCertificates): void {
    this.#before = before;
  }

  /**
   * Begins to get and renew certificates, after whoever comes before; those that are looked after already stay as they are.
   */
  start(): void {
    const before = this.#before;
    if (before === undefined) void this.#startAll();
    else
      void this.#end(before).then(() => {
        if (this.#before !== before || this.#stopped.signal.aborted) return;
        this.#before = undefined;
        this.#inherit(before);
        void this.#startAll();
      });
  }

  /** Begins nothing any more. Resolves once what has begun at the CA is finished, and noted. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    this.#stopped.abort(new AcmeError('slow', 'the configuration has changed'));
    for (const certificate of this.#certificates.values()) certificate.stop();
    await this.#last;
    if (this.#before === undefined) return;
    await this.#end(this.#before);
    this.#inherit(this.#before);
  }

  /** Ends one whose place is taken; another CA is not waited for. */
  async #end(before: AcmeCertificates): Promise<void> {
    if (before.#parts.plan.directory.href !== this.#parts.plan.directory.href) before.stop();
    await before.retire();
  }

  async #startAll(): Promise<void> {
    await Promise.all([...this.#certificates.values()].map((certificate) => certificate.start()));
    if (!this.#isRetired) this.#takeAnswersAway();
  }

  #inherit(before: AcmeCertificates): void {
    for (const remove of before.#left) this.#left.add(remove);
    before.#left.clear();
  }

  #takeAnswersAway(): void {
    for (const remove of this.#left) remove();
    this.#left.clear();
  }

  /** Looks after the certificates for these names alone from now on. */
  retain(used: readonly (readonly string[])[]): void {
    const keys = new Set(used.map(keyOf));
    for (const [key, certificate] of this.#certificates) {
      if (keys.has(key)) continue;
      certificate.stop();
      this.#certificates.delete(key);
    }
  }

  /** Tries again at once what has failed. */
  retry(): void {
    for (const certificate of this.#certificates.values()) certificate.retry();
  }

  /** A certificate is revoked: if it is one of these, another takes its place. */
  replaceRevoked(leaf: Certificate): void {
    for (const certificate of this.#certificates.values()) certificate.replaceRevoked(leaf);
  }

  /** Gives up what is under way; an order is gone on with at the next start. */
  stop(): void {
    this.#stopped.abort(new AcmeError('slow', 'the gateway is ending'));
    for (const certificate of this.#certificates.values()) certificate.stop();
    for (const one of this.#open) one.close();
    this.#before?.stop();
    this.#isStopped = true;
    this.#takeAnswersAway();
  }

  #certificateFor(names: readonly string[]): ManagedCertificate {
    const key = keyOf(names);
    const known = this.#certificates.get(key);
    if (known !== undefined) return known;
    const { log, random = Math.random } = this.#parts;
    const store = this.#store.certificate(names);
    const made = new ManagedCertificate({
      names,
      store,
      clock: this.#clock,
      log,
      random,
      issue: (old, failures) => this.#inTurn(() => this.#issue(names, store, old, failures)),
      renewalInfo: (old) => this.#inTurn(() => this.#renewalInfo(old)),
      onChange: () => this.onChange(names),
    });
    this.#certificates.set(key, made);
    return made;
  }

  /** One thing at a time: a CA has limits, and an account is registered once. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(() => {
      this.#stopped.signal.throwIfAborted();
      return work();
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #issue(
    names: readonly string[],
    store: CertificateStore,
    old: Identity | undefined,
    failures: number,
  ): Promise<void> {
    try {
      await this.#issueWithAccount(names, store, old, failures);
    } catch (error) {
      // A CA that has lost or closed the account gets another, once.
      if (!(error instanceof AcmeError && error.type === 'accountDoesNotExist')) throw error;
      if (this.#store.account.url === undefined) throw error;
      this.#store.account = {};
      store.state = { ...store.state, order: undefined };
      await this.#issueWithAccount(names, store, old, failures);
    }
  }

  async #issueWithAccount(
    names: readonly string[],
    store: CertificateStore,
    old: Identity | undefined,
    failures: number,
  ): Promise<void> {
    const { challenges, keyType } = this.#parts.plan;
    const session = await this.#session();
    await this.#using(session, async () => {
      await this.#register(session);
      const service = old === undefined ? undefined : await this.#renewalService(session.transport);
      const { chain, key } = await issue({
        session,
        names,
        keyFor: (isNamed) => store.nextKey(keyType, isNamed),
        board: this.board,
        onAnswered: (remove) => {
          if (this.#isRetired && !this.#isStopped) this.#left.add(remove);
          else remove();
        },
        // What has failed is tried in another way the next time.
        challenges: rotated(challenges, failures),
        order: store.state.order,
        onOrder: (order) => {
          store.state = { ...store.state, order };
        },
        replaces: service && old && renewalInfoName(old.chain[0]!),
        clock: this.#clock,
        signal: this.#stopped.signal,
      });
      store.install(chain, key);
    });
  }

  /** Closes at the end, or when the gateway ends. */
  async #using<T>(connection: { close(): void }, work: () => Promise<T>): Promise<T> {
    this.#open.add(connection);
    try {
      return await work();
    } finally {
      this.#open.delete(connection);
      connection.close();
    }
  }

  #session(): Promise<AcmeSession> {
    const { directory } = this.#parts.plan;
    const account = { key: this.#store.accountKey(), url: this.#store.account.url };
    return AcmeSession.open({ directory, account, ...this.#secrets, signal: this.#stopped.signal });
  }

  /** Makes the account, or tells the CA where to write to from now on (RFC 8555 §7.3). */
  async #register(session: AcmeSession): Promise<void> {
    const { email } = this.#parts.plan;
    const { url, contact } = this.#store.account;
    if (url !== undefined && contact === email) return;
    const contacts = { contact: email === undefined ? [] : [`mailto:${email}`] };
    const account = await session.run(async (client) => {
      if (url !== undefined) await client.updateAccount(contacts);
      else
        await client.createAccount({ termsOfServiceAgreed: true, ...(email === undefined ? {} : contacts) });
      return client.getAccountUrl();
    });
    this.#store.account = { url: account, contact: email };
    if (url === undefined) this.#parts.log.info({ account }, 'registered at the CA');
  }

  async #renewalInfo(old: Identity): Promise<RenewalInfo> {
    const transport = new AcmeTransport(this.#secrets.ca);
    return this.#using(transport, async () => {
      const service = await this.#renewalService(transport);
      return fetchRenewalInfo(transport, service, old.chain[0]!, this.#clock.now());
    });
  }

  /** Where the CA says when to renew (RFC 9773 §3); undefined where it has nothing like that, or is not there. */
  async #renewalService(transport: AcmeTransport): Promise<string | undefined> {
    try {
      const url = this.#parts.plan.directory.href;
      const { body } = await transport.send({ url, method: 'GET', headers: {}, body: undefined });
      const { renewalInfo } = JSON.parse(body) as { renewalInfo?: unknown };
      return typeof renewalInfo === 'string' ? renewalInfo : undefined;
    } catch {
      return undefined;
    }
  }
}

function keyOf(names: readonly string[]): string {
  return names.toSorted().join(' ');
}

type Secrets = {
  readonly ca: string | undefined;
  readonly externalAccount: { readonly keyId: string; readonly macKey: string } | undefined;
};

function readSecrets({ ca, externalAccount }: AcmePlan): Secrets {
  return {
    ca: ca === undefined ? undefined : certificateToPem(...loadCertificates(ca)),
    externalAccount: externalAccount && {
      keyId: externalAccount.keyId,
      macKey: macKeyIn(externalAccount.macKeyFile),
    },
  };
}

/** base64url, as CAs hand it out (RFC 8555 §7.3.4). */
function macKeyIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Failure(
      `${file}: cannot read the MAC key of the external account: ${systemReason(error)}`,
      1,
      error,
    );
  }
  if (/^[\w+/-]{16,}={0,2}$/.test(text)) return text;
  throw new Failure(`${file}: this is not a MAC key: the CA provides it as base64url, on one line`);
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

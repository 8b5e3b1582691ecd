import { bytesEqual } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Certificate,
  certificateToPem,
  createSelfSignedCertificate,
  matchesName,
  peerNameOf,
  privateKeyToPem,
} from '@testudo/x509';
import type { Clock } from '../clock.ts';
import { Failure, messageOf } from '../failure.ts';
import type { Identity } from '../identity/certificate-files.ts';
import type { Log } from '../output/log.ts';
import { AcmeError } from './acme-error.ts';
import { type RenewalInfo, renewalTime } from './renewal.ts';
import type { CertificateState, CertificateStore } from './store.ts';

export interface ManagedCertificateParts {
  readonly names: readonly string[];
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Gets a certificate, and puts it into the store. `attempt` counts the failures before. */
  readonly issue: (old: Identity | undefined, attempt: number) => Promise<void>;
  /** What the CA says about the time for a renewal. */
  readonly renewalInfo: (old: Identity) => Promise<RenewalInfo>;
  /** There is another certificate. */
  readonly onChange: () => void;
}

/** Milliseconds until the next attempt: after the first failure, and at most; it doubles in between. */
const RETRY = { first: 60_000, most: 6 * 3_600_000, asked: 7 * 86_400_000, spread: 0.2 } as const;

/** After an issue comes a rest of this part of the certificate's life, whatever a CA suggests and a wrong clock says. */
const REST = 20;

/** Milliseconds between two replacements of certificates that are said to be revoked: who says so could be wrong. */
const REPLACEMENT_PAUSE = 86_400_000;

/** What is served before there is a certificate is renewed by a restart; days. */
const TEMPORARY_DAYS = 30;

/** One certificate that a CA issues: got when there is none, renewed ahead of its end, tried again when that fails. */
export class ManagedCertificate {
  readonly #parts: ManagedCertificateParts;
  #issued: Identity | undefined;
  #substitute: Identity | undefined;
  #info: RenewalInfo | undefined;
  #cancel: (() => void) | undefined;
  #isRunning = false;
  #isBusy = false;
  /** Another process is at it. */
  #busyUntil = 0;
  /** When a certificate that is said to be revoked was replaced last, and whether the present one is. */
  #replacedAt = Number.NEGATIVE_INFINITY;
  #isRevoked = false;

  constructor(parts: ManagedCertificateParts) {
    this.#parts = parts;
    const stored = loadStored(parts);
    if (stored !== undefined && fits(stored, parts.names)) this.#issued = stored;
  }

  get names(): readonly string[] {
    return this.#parts.names;
  }

  /** What to serve: the certificate; before there is one, another that fits, or one made by ourselves. */
  get identity(): Identity {
    this.#substitute ??=
      this.#issued ?? this.#parts.store.loadSubstitute() ?? temporaryIdentity(this.#parts.names);
    return this.#issued ?? this.#substitute;
  }

  /** When it is renewed, or got, if nothing goes wrong; milliseconds since 1970. */
  get dueAt(): number {
    if (this.#issued === undefined || this.#isRevoked) return 0;
    return renewalTime(this.#issued.chain[0]!, this.#info?.window);
  }

  /** Resolves after the first look at what is to be done. */
  async start(): Promise<void> {
    if (this.#isRunning) return;
    const { log, names } = this.#parts;
    this.#isRunning = true;
    // Whose place this one takes may have got it meanwhile.
    if (this.#issued === undefined) this.#lookAgain();
    if (this.#issued === undefined)
      log.info({ names }, 'ordering a certificate; a temporary one is served until it arrives');
    await this.#step();
  }

  #lookAgain(): void {
    const stored = loadStored(this.#parts);
    if (stored === undefined || !fits(stored, this.#parts.names)) return;
    this.#take(stored);
    this.#parts.onChange();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Somebody has set something right: what waits after a failure is tried now. */
  retry(): void {
    const { store, clock } = this.#parts;
    if (!this.#isRunning || this.#isBusy || this.#adopt()) return;
    if (store.state.failures === undefined && this.#busyUntil <= clock.now()) return;
    this.#busyUntil = 0;
    this.#note({ ...store.state, notBefore: undefined });
    this.#cancel?.();
    void this.#step();
  }

  /** If this is its certificate, another one is ordered at once. */
  replaceRevoked({ der }: Certificate): void {
    const { store, clock } = this.#parts;
    const own = this.#issued?.chain[0];
    if (!this.#isRunning || this.#isRevoked || own === undefined || !bytesEqual(own.der, der)) return;
    if (clock.now() - this.#replacedAt < REPLACEMENT_PAUSE) return;
    this.#isRevoked = true;
    this.#replacedAt = clock.now();
    // The rest after an issue does not count now; the pause after a failure does.
    if (store.state.failures === undefined) this.#note({ ...store.state, notBefore: undefined });
    this.#cancel?.();
    void this.#step();
  }

  /** One look at what is to be done, and the appointment for the next. */
  async #step(): Promise<void> {
    const { clock, store } = this.#parts;
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const blockedUntil = Math.max(store.state.notBefore ?? 0, this.#busyUntil);
      if (this.#issued !== undefined && (this.#info?.lookAgain ?? 0) <= clock.now())
        this.#info = await this.#parts.renewalInfo(this.#issued).catch(() => undefined);
      if (this.#isRunning && this.dueAt <= clock.now() && blockedUntil <= clock.now()) await this.#attempt();
    } finally {
      this.#isBusy = false;
    }
    this.#appoint();
  }

  #appoint(): void {
    if (!this.#isRunning) return;
    const { clock, store } = this.#parts;
    const due = Math.max(this.dueAt, store.state.notBefore ?? 0, this.#busyUntil);
    // What the CA thinks of a new certificate is asked soon.
    const look = this.#issued === undefined ? due : (this.#info?.lookAgain ?? 0);
    // Never at once: whatever a CA or a clock says, this is no loop.
    const delay = Math.max(Math.min(due, look) - clock.now(), 1000);
    this.#cancel = clock.schedule(() => void this.#step(), delay);
  }

  async #attempt(): Promise<void> {
    const { store } = this.#parts;
    try {
      await store.exclusively(() => this.#renew());
    } catch (error) {
      if (!this.#isRunning) return;
      if (error instanceof AcmeError && error.kind === 'busy') this.#waitForOther(error);
      else this.#failed(error, (store.state.failures ?? 0) + 1);
    }
  }

  /** That is not our failure, and the other's result is looked at soon; but one who looks at the log must see why nothing happens. */
  #waitForOther({ message }: AcmeError): void {
    const { clock, log, names } = this.#parts;
    this.#busyUntil = clock.now() + RETRY.first;
    const details = { names, reason: message, next: new Date(this.#busyUntil).toISOString() };
    log.warn(details, 'another process is getting this certificate: this one looks again soon');
  }

  /** What another process has done, or may not do yet, is known by now. */
  async #renew(): Promise<void> {
    const { store, clock, log, names, onChange } = this.#parts;
    if (this.#adopt() || (store.state.notBefore ?? 0) > clock.now()) return;
    const old = this.#issued;
    await this.#parts.issue(old, store.state.failures ?? 0);
    const issued = store.load()!;
    this.#take(issued);
    this.#note({ notBefore: clock.now() + lifetimeOf(issued) / REST });
    const until = issued.chain[0]!.notAfter.toISOString();
    log.info({ names, until }, old === undefined ? 'certificate issued' : 'certificate renewed');
    onChange();
  }

  /** Takes a certificate that another process has put into the folder, if it is good for longer. */
  #adopt(): boolean {
    const { clock, log, names, onChange } = this.#parts;
    const stored = loadStored(this.#parts);
    if (stored === undefined || !fits(stored, names)) return false;
    const leaf = stored.chain[0]!;
    const isOurs = this.#issued !== undefined && bytesEqual(this.#issued.chain[0]!.der, leaf.der);
    if (isOurs || renewalTime(leaf) <= clock.now()) return false;
    this.#take(stored);
    log.info({ names, until: leaf.notAfter.toISOString() }, 'another process has obtained a certificate');
    onChange();
    return true;
  }

  #take(identity: Identity): void {
    this.#issued = identity;
    this.#info = undefined;
    this.#isRevoked = false;
  }

  /** A disk that is full is no reason to stop. */
  #note(state: CertificateState): void {
    try {
      this.#parts.store.state = state;
    } catch (error) {
      this.#parts.log.error({ reason: messageOf(error) }, 'the state of a certificate could not be saved');
    }
  }

  #failed(error: unknown, failures: number): void {
    const { store, log, clock, names, random } = this.#parts;
    const wanted = error instanceof AcmeError ? error.retryAfter : undefined;
    const pause = pauseAfter(failures, wanted, random());
    const next = clock.now() + pause;
    this.#note({ ...store.state, failures, notBefore: next });
    const end = this.#issued && +this.#issued.chain[0]!.notAfter;
    const isUrgent = end === undefined || end < clock.now();
    const details = {
      names,
      reason: messageOf(error),
      ...(error instanceof AcmeError && error.type !== undefined ? { type: error.type } : {}),
      next: new Date(next).toISOString(),
    };
    const known = error instanceof AcmeError || error instanceof Failure;
    log[isUrgent || !known ? 'error' : 'warn'](details, whatIsServed(end, clock.now()));
  }
}

function whatIsServed(end: number | undefined, now: number): string {
  if (end === undefined)
    return 'no certificate yet: a temporary one is served, and clients will not trust it';
  return end < now
    ? 'the certificate has expired and could not be renewed'
    : 'the certificate could not be renewed: the old one is served';
}

/** Milliseconds to wait after so many failures in a row; what the CA wants comes first. */
export function pauseAfter(failures: number, wanted: number | undefined, random: number): number {
  const own = Math.min(RETRY.first * 2 ** Math.min(failures - 1, 20), RETRY.most);
  return Math.max(own * (1 + RETRY.spread * random), Math.min(wanted ?? 0, RETRY.asked));
}

/** One that is damaged is got anew: nobody need repair it. */
function loadStored({ store, log }: ManagedCertificateParts): Identity | undefined {
  try {
    return store.load();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.error({ reason: error.message }, 'a stored certificate cannot be used: ordering another one');
    return undefined;
  }
}

function lifetimeOf({ chain }: Identity): number {
  return +chain[0]!.notAfter - +chain[0]!.notBefore;
}

function fits({ chain }: Identity, names: readonly string[]): boolean {
  return names.every((name) => matchesName(chain[0]!, peerNameOf(name)));
}

function temporaryIdentity(names: readonly string[]): Identity {
  const { certificate, privateKey } = createSelfSignedCertificate({
    provider: nodeCrypto,
    names,
    days: TEMPORARY_DAYS,
  });
  return {
    files: { certificate: '', key: '' },
    chain: [certificate],
    certificatePem: certificateToPem(certificate),
    keyPem: privateKeyToPem(privateKey),
  };
}

import type { AcmeCertificates } from '../acme/acme-certificates.ts';
import type { CertificatePlan } from '../config/plan.ts';
import { type Identity, loadIdentity } from './certificate-files.ts';
import { LocalAuthority } from './local-authority.ts';

/** A certificate and the names it is shown for. */
export interface ServedIdentity {
  readonly identity: Identity;
  /** Undefined: those in the certificate. */
  readonly names: readonly string[] | undefined;
  readonly isDefault: boolean;
  /** Whether the gateway renews it by itself. */
  readonly isRenewed: boolean;
}

/** Where certificates come from: files, the local CA, a CA on the net. */
export class CertificateSources {
  readonly acme: AcmeCertificates | undefined;
  readonly #dataFolder: string;

  constructor(dataFolder: string, acme: AcmeCertificates | undefined) {
    this.#dataFolder = dataFolder;
    this.acme = acme;
  }

  /** The certificates of a listener, read anew. Throws a `Failure`. */
  identitiesOf(plans: readonly CertificatePlan[]): ServedIdentity[] {
    return plans.map((plan) => ({
      identity: this.#identity(plan),
      names: plan.names,
      isDefault: plan.isDefault,
      isRenewed: plan.kind === 'acme',
    }));
  }

  #identity(plan: CertificatePlan): Identity {
    switch (plan.kind) {
      case 'files':
        return loadIdentity(plan);
      case 'local':
        return loadIdentity(LocalAuthority.openOrCreate(this.#dataFolder).local.certificateFor(plan.names));
      case 'acme':
        return this.acme!.identityFor(plan.names);
    }
  }
}

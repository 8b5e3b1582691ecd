import { beforeAll } from 'vitest';
import { cleanUpAfterTests } from '../../interop/support/clean-up.ts';
import { Identities, type Identity } from '../../interop/support/identities.ts';

/** What programs serve with and trust: there from the first hook of the caller's own on. */
export interface ProgramIdentity {
  /** For `localhost`, RSA. */
  readonly identity: Identity;
  /** The file of the authority that the programs trust. */
  readonly ca: string;
}

/** One identity for all tests of a file; to be called at its top. */
export function programIdentity(): ProgramIdentity {
  cleanUpAfterTests();
  const made: { identity?: Identity; ca?: string } = {};
  beforeAll(() => {
    const identities = new Identities('Programs');
    made.identity = identities.server('RSA', { names: ['localhost'] });
    made.ca = identities.ca;
  });
  return made as ProgramIdentity;
}

import { clientConfig, serverConfig } from '@testudo/tls';
import { beforeAll, expect } from 'vitest';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { connectLink, type Link, type LinkServer, listenLinks } from '../interop/support/link.ts';
import { type Combination, combinations, keyKindOf, OUR_PSK, ourOptions, psksFor } from './combinations.ts';
import { MatrixIdentities } from './identities.ts';

/** What a matrix with another implementation has of ours: called once, at the beginning of a test file. */
export class OurSide {
  /** For `test.each`: a title, and what is to be agreed on. */
  readonly cases: readonly (readonly [string, Combination])[];
  #identities!: MatrixIdentities;

  /** @param suites the numbers of those that the other side has. */
  constructor(suites: readonly number[]) {
    cleanUpAfterTests();
    beforeAll(() => {
      this.#identities = new MatrixIdentities();
    });
    this.cases = combinations(suites).map(
      (combination) => [`${combination.version}: ${combination.suite.name}`, combination] as const,
    );
  }

  /** In hooks and tests only. */
  get identities(): MatrixIdentities {
    return this.#identities;
  }

  /** Our client, which trusts the other side's server. */
  connect(port: number, combination: Combination): Link {
    const options = {
      ...ourOptions(combination),
      verifyCertificate: this.#identities.verifier(keyKindOf(combination.suite)),
      psks: psksFor(combination),
    };
    return connectLink(port, clientConfig(options));
  }

  /** Our server. */
  async listen(combination: Combination): Promise<LinkServer> {
    const options = {
      ...ourOptions(combination),
      credentials: [this.#identities.server(keyKindOf(combination.suite)).credential],
      findPsk: () => OUR_PSK,
    };
    return await listenLinks(serverConfig(options));
  }
}

/** The handshake is complete, and about what was to be agreed on. */
export async function expectAgreed(link: Link, { version, suite }: Combination): Promise<void> {
  expect(await link.secure).toMatchObject({ version, cipherSuite: { id: suite.id } });
}

/** Our client's data comes back; then both sides end. */
export async function expectEcho(link: Link, answer: string): Promise<void> {
  link.send('drawer\n');
  await link.expect(answer);
  link.close();
  expect(await link.over).toBeUndefined();
}

import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodePem } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  Certificate,
  CertificateError,
  type CertificateErrorCode,
  TrustStore,
  verifyCertificate,
} from '@testudo/x509';
import { requireProgram } from '../../support/programs.ts';
import type { Chain } from './plan.ts';

/** Our verdict, as a server's certificate under the default profile. Throws what is no typed verdict. */
export function ours({ host, trusted, sent }: Chain): 'accepted' | CertificateErrorCode {
  try {
    verifyCertificate({
      provider: nodeCrypto,
      // As in TLS: one certificate that cannot be parsed, and the chain is refused.
      chain: sent.map((der) => Certificate.parse(der)),
      trust: new TrustStore([Certificate.parse(trusted)]),
      at: new Date(),
      purpose: 'server',
      name: { kind: 'dns', value: host },
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

export type JudgeName = 'openssl' | 'gnutls' | 'node';

/** Chains with the names of their files. */
export type ChainsById = ReadonlyMap<string, Chain>;

/** The programs, as the words of a command line over files that {@link writeFiles} made. */
export const PROGRAMS: Readonly<
  Record<Exclude<JudgeName, 'node'>, (chain: Chain, id: string) => readonly string[]>
> = {
  openssl: ({ host, sent }, id) => [
    ...[requireProgram('openssl'), 'verify', '-no-CApath', '-no-CAstore', '-CAfile', `${id}-root.pem`],
    ...(sent.length === 1 ? [] : ['-untrusted', `${id}-others.pem`]),
    // What browsers ask: no SHA-1, RSA from 2048 bits.
    ...['-purpose', 'sslserver', '-auth_level', '2', '-verify_hostname', host, `${id}-leaf.pem`],
  ],
  gnutls: ({ host }, id) => [
    ...[requireProgram('certtool'), '--verify', '--load-ca-certificate', `${id}-root.pem`],
    ...['--infile', `${id}-whole.pem`, '--verify-hostname', host],
    ...['--verify-purpose', '1.3.6.1.5.5.7.3.1', '--verify-profile', 'medium'],
  ],
};

/** What a program says to each chain: one shell runs all, since starting a program from Node costs ten times as much. */
export async function programVerdicts(
  program: keyof typeof PROGRAMS,
  chains: ChainsById,
  folder: string,
): Promise<Map<string, boolean>> {
  const lines = Array.from(chains, ([id, chain]) => {
    const words = PROGRAMS[program](chain, id).map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    return `${words.join(' ')} >/dev/null 2>&1 </dev/null; echo ${id} $?`;
  });
  const script = `${program}-${chains.keys().next().value}.sh`;
  writeFileSync(join(folder, script), lines.join('\n'));
  const { stdout } = await promisify(execFile)('/bin/sh', [script], { cwd: folder, maxBuffer: 2 ** 24 });
  const verdicts = new Map<string, boolean>();
  for (const line of stdout.trimEnd().split('\n')) {
    const [id, code] = line.split(' ') as [string, string];
    // A refusal is a small exit code; what ends by a signal did not say anything.
    if (Number(code) > 100) throw new Error(`${program} ended with ${code} on chain ${id}`);
    verdicts.set(id, code === '0');
  }
  return verdicts;
}

export function writeFiles(chains: ChainsById, folder: string): void {
  for (const [id, { trusted, sent }] of chains) {
    const parts = { leaf: sent.slice(0, 1), others: sent.slice(1), whole: sent, root: [trusted] };
    for (const [name, certificates] of Object.entries(parts)) {
      const pem = certificates.map((der) => encodePem('CERTIFICATE', der)).join('');
      writeFileSync(join(folder, `${id}-${name}.pem`), pem);
    }
  }
}

/** False also for what it cannot read. */
export function nodeVerdict(chain: Chain): boolean {
  try {
    return nodeAccepts(chain);
  } catch {
    return false;
  }
}

/** Node has no call for a whole path: this is what programs write with what there is. */
function nodeAccepts({ host, trusted, sent }: Chain): boolean {
  const [leaf, ...others] = sent.map((der) => new X509Certificate(der));
  const root = new X509Certificate(trusted);
  const now = Date.now();
  const isInTime = ({ validFrom, validTo }: X509Certificate): boolean =>
    Date.parse(validFrom) <= now && now <= Date.parse(validTo);
  if (leaf!.checkHost(host, { subject: 'never' }) === undefined) return false;
  let child = leaf!;
  for (let left = sent.length; left >= 0 && isInTime(child); left--) {
    const isIssuer = (issuer: X509Certificate): boolean =>
      issuer.ca && child.checkIssued(issuer) && child.verify(issuer.publicKey);
    if (isIssuer(root)) return isInTime(root);
    const issuer = others.find((one) => one !== child && isIssuer(one));
    if (issuer === undefined) return false;
    child = issuer;
  }
  return false;
}

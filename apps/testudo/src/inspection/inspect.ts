import type { ListenerPlan, Plan } from '../config/plan.ts';
import { loadIdentity } from '../identity/certificate-files.ts';
import type { ServedIdentity } from '../identity/certificate-sources.ts';
import { certificateFindings } from './certificates.ts';
import { clientFindings } from './clients.ts';
import type { Finding } from './finding.ts';
import { otherSecretFiles, secretFileFindings, secretFilesOf } from './secret-files.ts';

/** What an operator should know about a listener that shows these certificates. Throws a `Failure` about a file. */
export function inspectListener(plan: ListenerPlan, served: readonly ServedIdentity[]): Finding[] {
  return [
    ...certificateFindings(served),
    ...clientFindings(plan.tls),
    ...secretFileFindings(secretFilesOf(plan)),
  ];
}

/** The same for a whole plan before it runs, with the listener's name before each text. Throws a `Failure` about a file. */
export function inspectPlan(plan: Plan): Finding[] {
  return [
    ...plan.listeners.flatMap((listener) => {
      const served = listener.certificates.flatMap((one) =>
        one.kind === 'files'
          ? [{ identity: loadIdentity(one), names: one.names, isDefault: one.isDefault, isRenewed: false }]
          : [],
      );
      const findings = inspectListener(listener, served);
      return findings.map(({ weight, text }) => ({ weight, text: `${listener.name}: ${text}` }));
    }),
    ...secretFileFindings(otherSecretFiles(plan)),
  ];
}

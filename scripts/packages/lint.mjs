// What others' tools and our own rules say of a tarball.

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { checkTarball } from './tarball.mjs';

/**
 * Ways to resolve an import that are none of ours, as in the profile "esm-only" of "are the types wrong". The packages are
 * ES modules only: a second copy of the engine as CommonJS would be a second class for each `instanceof` and a second cache
 * of sessions in one program. Every Node that is supported takes ES modules from `require`, too. `node10` knows no
 * `exports`.
 */
const NOT_OURS = new Set(['node10', 'node16-cjs']);

/** Problems of a tarball (its bytes), as texts. */
export async function lintTarball(tarball) {
  const data = new Uint8Array(tarball);
  const contents = createPackageFromTarballData(data);
  const base = `/node_modules/${contents.packageName}/`;
  const files = contents.listFiles().map((file) => file.slice(base.length));
  return [
    ...checkTarball(files, (file) => contents.readFile(base + file)),
    ...(await publintProblems(data)),
    ...(await typeProblems(contents)),
  ];
}

async function publintProblems(data) {
  const { messages, pkg } = await publint({ pack: { tarball: data.buffer }, strict: true });
  return messages.map((message) => `fails publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function typeProblems(contents) {
  const { types, problems = [] } = await checkPackage(contents);
  if (types === false) return ['has no types'];
  return problems
    .filter(({ resolutionKind, resolutionOption }) => !NOT_OURS.has(resolutionKind ?? resolutionOption))
    .map((problem) => {
      const { kind, entrypoint, fileName, moduleSpecifier, ...rest } = problem;
      const where = entrypoint ?? moduleSpecifier ?? fileName ?? '';
      return `has wrong types: ${kind} ${where} ${rest.resolutionKind ?? rest.resolutionOption ?? ''}`.trimEnd();
    });
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folders whose files the documents name. */
const ROOTS = /^(?:packages|apps|conformance|examples|fuzz|bench|scripts)\//;

/**
 * Where a document at the top names a file that is not there: in backticks (`packages/tls/src/hello/client.ts`), or as the target
 * of a link. One line for each.
 */
export function checkDocuments(root) {
  const documents = readdirSync(root).filter((name) => name.endsWith('.md'));
  return documents.flatMap((name) => problemsOf(root, name, readFileSync(join(root, name), 'utf8')));
}

function problemsOf(root, document, text) {
  const problems = [];
  for (const [i, line] of text.split('\n').entries()) {
    for (const path of pathsIn(line)) {
      if (!existsSync(join(root, dirname(document), path)))
        problems.push(`${document}:${i + 1}: names ${path}, which is not there`);
    }
  }
  return problems;
}

function pathsIn(line) {
  const inCode = [...line.matchAll(/`([\w./-]+)`/g)]
    .map(([, path]) => path)
    .filter((path) => ROOTS.test(path));
  const linked = [...line.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, path]) => path);
  return [...inCode, ...linked];
}

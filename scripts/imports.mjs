// What a source file imports, and which of some global names it uses.

import { tokenize } from './tokens.mjs';

/**
 * Imports of a TypeScript or JavaScript source: `import`, `export … from`, `import()`, `import('…')` in
 * types, `require()`. Each is `{ specifier, line }`; the specifier is undefined where it is computed.
 */
export function findImports(source) {
  const tokens = tokenize(source);
  const found = [];
  tokens.forEach((token, i) => {
    if (token.kind !== 'name' || isMember(tokens, i)) return;
    const at = specifierOf(tokens, i);
    if (at === undefined) return;
    found.push({ specifier: tokens[at]?.kind === 'string' ? tokens[at].text : undefined, line: token.line });
  });
  return found;
}

/** Uses of the global `names`, as `{ name, line }`; members and keys of the same name are not uses. */
export function findGlobals(source, names) {
  const tokens = tokenize(source);
  return tokens
    .filter(
      (token, i) =>
        token.kind === 'name' && names.has(token.text) && !isMember(tokens, i) && !isKey(tokens, i),
    )
    .map(({ text, line }) => ({ name: text, line }));
}

/** Index of the token that should be the specifier of the import which begins at `i`, if one does. */
function specifierOf(tokens, i) {
  const next = tokens[i + 1];
  if (next === undefined) return undefined;
  switch (tokens[i].text) {
    case 'import':
      if (next.text === '(' && next.kind === 'mark') return callArgument(tokens, i + 2);
      if (next.kind === 'string') return i + 1;
      return isMark(next, '.') || isMark(next, ':') ? undefined : afterFrom(tokens, i + 1);
    case 'export': {
      const start = isType(tokens, i + 1) ? i + 2 : i + 1;
      return isMark(tokens[start], '*') || isMark(tokens[start], '{') ? afterFrom(tokens, start) : undefined;
    }
    case 'require':
      return isMark(next, '(') ? callArgument(tokens, i + 2) : undefined;
    default:
      return undefined;
  }
}

/** `require()` without an argument imports nothing, nor does a method that is called `import`. */
function callArgument(tokens, i) {
  return isMark(tokens[i], ')') || isMethod(tokens, i) ? undefined : i;
}

/** True when the parenthesis that is open before `i` holds parameters: a body or a return type follows it. */
function isMethod(tokens, i) {
  let depth = 1;
  let at = i;
  for (; at < tokens.length && depth > 0; at++) {
    if (isMark(tokens[at], '(')) depth++;
    if (isMark(tokens[at], ')')) depth--;
  }
  const isChoice = isMark(tokens[i - 3], '?');
  return isMark(tokens[at], '{') || (isMark(tokens[at], ':') && !isChoice);
}

/** Index after `from`, when only an import's or export's bindings stand before it. */
function afterFrom(tokens, start) {
  for (let i = start; i < tokens.length; i++) {
    const token = tokens[i];
    if (token.kind === 'name' && token.text === 'from' && tokens[i + 1]?.kind === 'string') return i + 1;
    if (token.kind === 'regex' || (token.kind === 'mark' && !'{},*'.includes(token.text))) return undefined;
    // `export { a }` ends at its brace unless `from` follows.
    if (isMark(token, '}') && !(tokens[i + 1]?.text === 'from')) return undefined;
  }
  return undefined;
}

function isType(tokens, i) {
  return tokens[i]?.kind === 'name' && tokens[i].text === 'type';
}

/** `a.process`, `a?.process` and `#process` are members; `globalThis.process` is the global, `...process` too. */
function isMember(tokens, i) {
  const before = tokens[i - 1];
  if (isMark(before, '#')) return true;
  if (!isMark(before, '.') || isMark(tokens[i - 2], '.')) return false;
  const owner = isMark(tokens[i - 2], '?') ? tokens[i - 3] : tokens[i - 2];
  return owner?.text !== 'globalThis';
}

/** A property's or parameter's name, or a method's: `{ process: 1 }`, `process(message) {`. */
function isKey(tokens, i) {
  const before = tokens[i - 1];
  const after = tokens[i + 1];
  if (isMark(after, '(')) return tokens[i].text === 'process';
  const opens = before !== undefined && before.kind === 'mark' && '{,;('.includes(before.text);
  return opens && (isMark(after, ':') || (isMark(after, '?') && isMark(tokens[i + 2], ':')));
}

function isMark(token, text) {
  return token !== undefined && token.kind === 'mark' && token.text === text;
}

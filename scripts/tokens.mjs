// A small scanner for TypeScript: enough to find imports and global names without being fooled by
// comments, strings, templates and regular expressions. It does not parse.

/** Words after which a slash begins a regular expression; after any other word it divides. */
const BEFORE_REGEX = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof'.split(' '),
);

/**
 * Tokens of `source`, comments left out: `{ kind: 'name' | 'string' | 'regex' | 'mark' | 'postfix', text, line }`.
 * A string's text is what stands between its quotes; a template with `${}` gives the tokens inside only.
 */
export function tokenize(source) {
  const scanner = { source, at: 0, line: 1, tokens: [] };
  if (source.startsWith('#!')) skipLine(scanner);
  scan(scanner, undefined);
  return scanner.tokens;
}

/** Scans up to the closing `}` of a template's `${`, or to the end. */
function scan(scanner, until) {
  const { source } = scanner;
  let depth = 0;
  while (scanner.at < source.length) {
    const char = source[scanner.at];
    const next = source[scanner.at + 1];
    if (char === '\n') {
      scanner.line++;
      scanner.at++;
    } else if (char === '/' && next === '/') skipLine(scanner);
    else if (char === '/' && next === '*') skipBlock(scanner);
    else if (char === "'" || char === '"') scanString(scanner, char);
    else if (char === '`') scanTemplate(scanner);
    else if (/[\w$\u0080-\uffff]/.test(char)) scanName(scanner);
    else if (char === '/' && mayBeRegex(scanner) && scanRegex(scanner)) continue;
    else {
      if (char === '{') depth++;
      if (char === '}' && depth-- === 0 && until === '}') {
        scanner.at++;
        return;
      }
      if (!/\s/.test(char)) push(scanner, isPostfixBang(scanner) ? 'postfix' : 'mark', char);
      scanner.at++;
    }
  }
}

function push(scanner, kind, text, line = scanner.line) {
  scanner.tokens.push({ kind, text, line });
}

function skipLine(scanner) {
  const end = scanner.source.indexOf('\n', scanner.at);
  scanner.at = end === -1 ? scanner.source.length : end;
}

function skipBlock(scanner) {
  const found = scanner.source.indexOf('*/', scanner.at + 2);
  const end = found === -1 ? scanner.source.length : found + 2;
  scanner.line += countLines(scanner.source.slice(scanner.at, end));
  scanner.at = end;
}

/** A string without an end stops at the line's: an apostrophe in JSX text costs one line, not the file. */
function scanString(scanner, quote) {
  let text = '';
  let at = scanner.at + 1;
  while (at < scanner.source.length && scanner.source[at] !== quote && scanner.source[at] !== '\n') {
    const length = scanner.source[at] === '\\' ? 2 : 1;
    text += scanner.source.slice(at, at + length);
    at += length;
  }
  push(scanner, 'string', text);
  scanner.line += countLines(text);
  scanner.at = scanner.source[at] === quote ? at + 1 : at;
}

function scanTemplate(scanner) {
  const line = scanner.line;
  let text = '';
  let whole = true;
  scanner.at++;
  while (scanner.at < scanner.source.length) {
    const char = scanner.source[scanner.at];
    if (char === '`') break;
    if (char === '$' && scanner.source[scanner.at + 1] === '{') {
      whole = false;
      scanner.at += 2;
      scan(scanner, '}');
      continue;
    }
    if (char === '\n') scanner.line++;
    text += char;
    scanner.at++;
    if (char === '\\') {
      if (scanner.source[scanner.at] === '\n') scanner.line++;
      scanner.at++;
    }
  }
  scanner.at++;
  if (whole) push(scanner, 'string', text, line);
  // A value all the same: a slash after it divides.
  else push(scanner, 'postfix', '`', line);
}

function scanName(scanner) {
  const name = /[\w$\u0080-\uffff]+/y;
  name.lastIndex = scanner.at;
  const text = name.exec(scanner.source)[0];
  push(scanner, 'name', text);
  scanner.at += text.length;
}

function scanRegex(scanner) {
  const regex = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
  regex.lastIndex = scanner.at;
  const match = regex.exec(scanner.source);
  if (match === null) return false;
  push(scanner, 'regex', match[0]);
  scanner.at += match[0].length;
  return true;
}

function mayBeRegex(scanner) {
  const before = scanner.tokens[scanner.tokens.length - 1];
  if (before === undefined) return true;
  if (before.kind === 'name') return BEFORE_REGEX.has(before.text);
  return before.kind === 'mark' && !')]}'.includes(before.text);
}

/** `bytes[i]!` asserts, `!/x/.test(y)` negates: only after the second may a regular expression stand. */
function isPostfixBang(scanner) {
  return scanner.source[scanner.at] === '!' && /[\w$)\]]/.test(scanner.source[scanner.at - 1] || '');
}

function countLines(text) {
  let lines = 0;
  for (const char of text) if (char === '\n') lines++;
  return lines;
}

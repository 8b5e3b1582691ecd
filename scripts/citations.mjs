// Finds citations of standards in sources and documents: `RFC 5280 §6.1.4 (k)`, `9112 §9.8`, `RFC 6066 §4, §8`,
// `X.690 §11.6`, and a lone `§4.2` of whatever standard was named before it.

/** What stands for a standard, and a section sign with its section and the letters of its steps. */
const TOKEN = new RegExp(
  [
    String.raw`\bRFCs? (?<rfc>\d{3,5})\b`,
    String.raw`(?<![\d.])(?<short>\d{4})(?= §)`,
    String.raw`(?<other>\bdraft-[a-z][a-z0-9-]*[a-z0-9]|\bX\.\d{3}|\bFIPS \d+(?:-\d)?|\bSP 800-\d+\w*|\bSEC [12]\b|\bPKCS #\d+|\bBaseline Requirements|\bPKITS\b|\bU\.S\.C\.)`,
    String.raw`§(?<section>[A-Z0-9]+(?:\.\d+)*)(?<steps>(?: \([a-z]+\)(?:\(\d+\))*)(?:(?:,| and| or| to)(?: \([a-z]+\)(?:\(\d+\))*))*)?`,
  ].join('|'),
  'g',
);

/**
 * Each RFC and each section that `text` cites: `{ standard, section, steps, line, beside }`, without a section for an RFC alone. The standard is an RFC's number or another
 * standard's name, undefined where none was named before; `beside` says that it was named in the same comment, line of
 * code or paragraph. Steps are letters in brackets.
 */
export function citationsIn(text, isMarkdown = false) {
  const found = [];
  let standard;
  for (const { block, lineOf } of blocks(text, isMarkdown)) {
    let beside = false;
    for (const match of block.matchAll(TOKEN)) {
      const { rfc, short, other, section, steps } = match.groups;
      if (section === undefined) {
        standard = rfc || short || other;
        beside = true;
        if (rfc !== undefined)
          found.push({ standard, section, steps: [], line: lineOf(match.index), beside });
      } else found.push({ standard, section, steps: lettersOf(steps), line: lineOf(match.index), beside });
    }
  }
  return found;
}

/** `(a), (d) to (f)` names a, d, e and f. What stands behind a letter, as in (a)(1), goes with it. */
function lettersOf(steps = '') {
  const letters = [];
  for (const [, joint, letter] of steps.matchAll(/(,| and| or| to|) \(([a-z]+)\)/g)) {
    if (joint === ' to' && letter.length === 1) {
      for (let code = letters.at(-1).charCodeAt(0) + 1; code < letter.charCodeAt(0); code++)
        letters.push(String.fromCharCode(code));
    }
    letters.push(letter);
  }
  return letters;
}

/** Comments with their lines joined, other lines one by one; in Markdown paragraphs, items and rows. */
function* blocks(text, isMarkdown) {
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; ) {
    const first = i;
    const parts = [];
    const starts = [];
    let length = 0;
    do {
      const part = isMarkdown ? lines[i].trim() : bare(lines[i]);
      starts.push(length);
      parts.push(part);
      length += part.length + 1;
      i++;
    } while (i < lines.length && goesOn(lines[i - 1], lines[i], isMarkdown));
    yield {
      block: parts.join(' '),
      lineOf: (at) => first + starts.findLastIndex((start) => start <= at) + 1,
    };
  }
}

function goesOn(line, next, isMarkdown) {
  if (isMarkdown) return line.trim() !== '' && !/^\s*($|[|#]|[-*] |```)/.test(next);
  return isComment(line) && isComment(next) && !/\*\/\s*$/.test(line);
}

function isComment(line) {
  return /^\s*(\/\/|\/\*|\*)/.test(line);
}

function bare(line) {
  return line.replace(/^\s*(\/\/|\/\*\*?|\*(?!\/))\s?/, '').trimEnd();
}

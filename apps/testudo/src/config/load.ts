import { readFileSync } from 'node:fs';
import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { EXIT, Failure, failures, systemReason } from '../failure.ts';
import { shown } from '../output/text.ts';
import { formerLimit } from './limits.ts';
import { keysAt } from './options.ts';
import { type Config, configSchema } from './schema.ts';
import { suggestion } from './suggest.ts';

/** Reads and checks a configuration file. Throws a {@link Failure} with a line for each mistake, and where it is. */
export function loadConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(
      `${file}: cannot read the configuration: ${systemReason(error)}. Give another one with --config.`,
      EXIT.usage,
      error,
    );
  }
  return parseConfig(text, file);
}

/** As {@link loadConfig}, of a text; `file` is how messages call it. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const messages = document.errors.slice(0, MOST_MISTAKES).map(({ message, pos }) => {
      const { line, col } = lines.linePos(pos[0]);
      return `${file}:${line}:${col}: not valid YAML: ${yamlReason(message)}`;
    });
    throw failures(messages, EXIT.usage);
  }
  const value = toValue(document, file);
  if (value === null || value === undefined) {
    throw new Failure(`${file}: is empty: it needs "listeners:"`, EXIT.usage);
  }
  const result = configSchema.safeParse(value);
  if (result.success) return result.data;
  // A misspelt key first: that another one is missing may follow from it.
  const issues = result.error.issues.toSorted((a, b) => Number(isUnknownKey(b)) - Number(isUnknownKey(a)));
  const messages = issues.flatMap((issue) => mistakes(issue, document, lines, file));
  throw failures(messages.slice(0, MOST_MISTAKES), EXIT.usage);
}

const MOST_MISTAKES = 20;

/** Aliases that multiply are refused by the parser, here and not earlier. */
function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new Failure(`${file}: not valid YAML: ${yamlReason((error as Error).message)}`, EXIT.usage, error);
  }
}

type Issue = z.core.$ZodIssue;

function isUnknownKey({ code }: Issue): boolean {
  return code === 'unrecognized_keys';
}

function mistakes(issue: Issue, document: Document, lines: LineCounter, file: string): string[] {
  const where = pathText(issue.path);
  const at = (path: readonly PropertyKey[], key?: string): string => {
    const offset = offsetOf(document, path, key);
    if (offset === undefined) return file;
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(issue.path);
    return issue.keys.map((key) => {
      const place = `${at(issue.path, key)}: ${where === '' ? '' : `${where}: `}`;
      const former =
        issue.path.at(-1) === 'limits' ? formerLimit(key, document.getIn([...issue.path, key])) : undefined;
      if (former !== undefined) return `${place}${shown(former, 400)}`;
      return `${place}unknown key "${shown(key, 60)}".${suggestion(key, known) || ` Known are: ${known.join(', ')}.`}`;
    });
  }
  if (issue.code === 'invalid_union') {
    const [inner] = issue.errors.toSorted((a, b) => deepest(b) - deepest(a));
    if (inner !== undefined && inner.length > 0 && deepest(inner) > 0) {
      return inner.flatMap((one) =>
        mistakes({ ...one, path: [...issue.path, ...one.path] }, document, lines, file),
      );
    }
  }
  const last = issue.path.at(-1);
  const missing = issue.code === 'invalid_type' && !isPresent(document, issue.path);
  const problem = missing ? `is missing${hintFor(last)}` : readable(issue);
  return [`${at(issue.path)}: ${where === '' ? 'the configuration' : where}: ${problem}`];
}

function deepest(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(({ path, code }) => path.length + (code === 'unrecognized_keys' ? 1 : 0)));
}

function hintFor(key: PropertyKey | undefined): string {
  if (key === 'listen') return ': say where, such as listen: "127.0.0.1:8443"';
  if (key === 'listeners') return ': it is the list of what the gateway serves';
  return '';
}

function readable(issue: Issue): string {
  if (issue.code === 'invalid_type' && /^Invalid input/.test(issue.message))
    return `must be ${TYPES[issue.expected] ?? `a ${issue.expected}`}`;
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

/** What people call them. */
const TYPES: Readonly<Record<string, string>> = {
  object: 'keys with their values, such as "listeners:"',
  array: 'a list',
  string: 'text: put it in quotes',
  boolean: 'true or false',
};

/** Whatever a parser's message says to programmers. */
function yamlReason(message: string): string {
  if (/multiple documents/.test(message)) return 'a second document begins here: one is all that is read';
  if (/Excessive alias/.test(message)) return 'its aliases multiply: write out what they stand for';
  return shown(message.split('\n')[0]!);
}

/** `listeners[0].limits`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  );
}

function isPresent(document: Document, path: readonly PropertyKey[]): boolean {
  return document.hasIn(path as (string | number)[]);
}

/** Where a node, or a key of a map, stands in the text; the nearest one above it when it is missing. */
function offsetOf(document: Document, path: readonly PropertyKey[], key?: string): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const steps = path.slice(0, length) as (string | number)[];
    const node = length === 0 ? document.contents : document.getIn(steps, true);
    const target = isAlias(node) ? node.resolve(document) : node;
    if (key !== undefined && length === path.length && isMap(target)) {
      const pair = target.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (pair !== undefined && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    if (isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}

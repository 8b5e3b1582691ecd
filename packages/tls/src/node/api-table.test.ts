import { readFileSync } from 'node:fs';
import nodeTls from 'node:tls';
import { describe, expect, test } from 'vitest';
import tls from './index.ts';
import { MISSING_MEMBERS, MISSING_OPTIONS } from './testing/missing.ts';

/** The README's table of the API, as it stands there. */
interface Row {
  readonly name: string;
  readonly kind: string;
  readonly since: string;
  readonly until: string | undefined;
  readonly ours: string;
  readonly note: string;
}

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const table = readme.slice(readme.indexOf('<!-- api:begin -->'), readme.indexOf('<!-- api:end -->'));
const ROWS: readonly Row[] = table
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [name = '', kind = '', versions = '', ours = '', note = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const [since = '', until] = versions.split(' to ');
    return { name: name.replaceAll('`', ''), kind, since, until, ours, note };
  });

/** What stands before the name of a member in the table. */
const OBJECTS: readonly (readonly [string, string, object, object])[] = [
  ['tls', 'tls', nodeTls, tls],
  ['server', 'tls.Server.prototype', nodeTls.Server.prototype, tls.Server.prototype],
  ['socket', 'tls.TLSSocket.prototype', nodeTls.TLSSocket.prototype, tls.TLSSocket.prototype],
];
const MEMBER_KINDS = ['value', 'class', 'function', 'method'];

function members(prefix: string): Row[] {
  return ROWS.filter(({ name, kind }) => MEMBER_KINDS.includes(kind) && name.startsWith(`${prefix}.`));
}

describe.each(OBJECTS)('the table about %s', (prefix, key, theirs, own) => {
  const rows = members(prefix);
  const missing = MISSING_MEMBERS[key] ?? {};
  const nameOf = ({ name }: Row): string => name.slice(prefix.length + 1);

  test('has all that this Node has', () => {
    const named = rows.map(nameOf);
    const actual = Object.getOwnPropertyNames(theirs).filter((name) => name !== 'constructor');
    expect(actual.filter((name) => !named.includes(name))).toEqual([]);
  });

  test('names nothing that this Node should have and has not', () => {
    const expected = rows.filter((row) => isIn(row, process.versions.node)).map(nameOf);
    expect(expected.filter((name) => !(name in theirs))).toEqual([]);
  });

  test('says what we have', () => {
    for (const row of rows) {
      const there = nameOf(row) in own;
      expect([row.name, there ? row.ours !== 'no' : row.ours === 'no']).toEqual([row.name, true]);
      if (there && nameOf(row) in theirs) {
        expect(typeof own[nameOf(row) as never]).toBe(typeof theirs[nameOf(row) as never]);
      }
    }
  });

  test('agrees with the list of what is missing', () => {
    const no = rows.filter(({ ours }) => ours === 'no');
    expect(no.map(nameOf).sort()).toEqual(Object.keys(missing).sort());
    for (const row of no) {
      const { since, until } = missing[nameOf(row)]!;
      expect([row.since, row.until]).toEqual([since, until]);
      expect(row.note).toContain('`undefined`');
    }
  });
});

describe('the table about options', () => {
  const rows = ROWS.filter(({ kind }) => kind === 'context option');

  test('those that are not there throw what it says', () => {
    const no = rows.filter(({ ours }) => ours === 'no');
    expect(no.map(({ name }) => name).sort()).toEqual(Object.keys(MISSING_OPTIONS).sort());
    for (const { name, note } of no) {
      const { value, error, since } = MISSING_OPTIONS[name]!;
      expect(note).toBe(`\`${error}\``);
      expect(rows.find((row) => row.name === name)!.since).toBe(since);
      expect(() => tls.createSecureContext(value)).toThrow(expect.objectContaining({ code: error }));
    }
  });

  test('the others are looked at: a value of the wrong type is refused, or changes something', () => {
    const lenient = ['allowPartialTrustChain', 'honorCipherOrder', 'passphrase', 'pfx', 'secureProtocol'];
    for (const { name, ours } of rows) {
      if (ours === 'no' || lenient.includes(name)) continue;
      expect(() => tls.createSecureContext({ [name]: Symbol.iterator as never }), name).toThrow();
    }
  });

  test('every option that the types of Node know is in it', () => {
    // From the declarations of Node 20, which have the names and nothing else that could be asked at run time.
    const types = readFileSync(new URL(import.meta.resolve('@types/node/tls.d.ts')), 'utf8');
    const named = ROWS.filter(({ kind }) => kind.endsWith('option')).map(({ name }) => name);
    for (const interfaceName of [
      'SecureContextOptions',
      'CommonConnectionOptions',
      'ConnectionOptions',
      'TlsOptions',
    ]) {
      const body =
        new RegExp(`interface ${interfaceName}\\b[^{]*\\{([\\s\\S]*?)\\n    \\}`).exec(types)?.[1] ?? '';
      const options = [...body.matchAll(/^ {8}(\w+)\??[:(]/gm)].map(([, name]) => name!);
      expect(options.length).toBeGreaterThan(4);
      expect(options.filter((name) => !named.includes(name))).toEqual([]);
    }
  });
});

test('no row stands there twice, and each says yes, partly or no', () => {
  const keys = ROWS.map(({ name, kind }) => `${kind} ${name}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(ROWS.length).toBeGreaterThan(100);
  for (const { name, ours, note, since } of ROWS) {
    expect(['yes', 'partly', 'no'], name).toContain(ours);
    expect(since, name).toMatch(/^\d+\.\d+\.\d+$/);
    if (ours !== 'yes') expect(note, name).not.toBe('');
  }
});

/** Whether a version of Node has it. What came to an older line later is only sure in the newer lines. */
function isIn({ since, until }: Row, version: string): boolean {
  return atLeast(version, since) && !(until !== undefined && atLeast(version, `${until}.0.0`));
}

function atLeast(version: string, other: string): boolean {
  const [a, b] = [version, other].map((one) => one.split('.').map(Number));
  for (const at of [0, 1, 2]) {
    if (a![at] !== b![at]) return a![at]! > b![at]!;
  }
  return true;
}

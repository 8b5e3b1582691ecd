// What a run says: a line for each test, and how many of each kind pass.

/** One line a test: name, verdict of the built-in, verdict of ours, the line that says why it failed. */
export function asText({ node, results, leftOut }) {
  const lines = results.map(({ name, kind, builtIn, ours }) =>
    [mark(builtIn, ours), kind, name, builtIn.verdict, ours.verdict, ours.line ?? builtIn.line ?? '']
      .join('\t')
      .trimEnd(),
  );
  const differ = lines.filter((line) => line.startsWith('!'));
  return [
    `# Node ${node}: ! where only ours fails, + where only the built-in does`,
    `# ${summary({ results, leftOut }).split('\n').join('\n# ')}`,
    '',
    ...differ,
    '',
    ...lines.filter((line) => !line.startsWith('!')),
    '',
    '# Left out',
    ...leftOut.map(({ kind, name, reason }) => ['-', kind, name, reason].join('\t')),
    '',
  ].join('\n');
}

/** How many pass, a line for each kind. */
export function summary({ results, leftOut }) {
  const kinds = [...new Set(results.map(({ kind }) => kind))];
  return kinds
    .map((kind) => {
      const all = results.filter((result) => result.kind === kind && result.builtIn.verdict !== 'skip');
      const passed = (side) => all.filter((result) => result[side].verdict === 'pass').length;
      const skipped = results.filter((result) => result.kind === kind).length - all.length;
      const out = leftOut.filter((test) => test.kind === kind).length;
      return `${kind}: of ${all.length} the built-in passes ${passed('builtIn')}, ours ${passed('ours')}; ${skipped} skip themselves, ${out} are left out`;
    })
    .join('\n');
}

function mark(builtIn, ours) {
  if (builtIn.verdict === ours.verdict) return '=';
  return builtIn.verdict === 'pass' ? '!' : '+';
}

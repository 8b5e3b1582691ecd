import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * Sums up CPU profiles (`node --cpu-prof`, or `npm run bench -- --profile DIR`): self time by function.
 *
 *   node bench/profile.mjs FILE_OR_DIR [--lines N] [--under FUNCTION]
 *
 * `--under` counts only what that function called, directly or not.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { lines: { type: 'string', default: '30' }, under: { type: 'string' } },
});
const [where] = positionals;
if (where === undefined) throw new Error('give a .cpuprofile file, or a directory of them');
const files = statSync(where).isDirectory()
  ? readdirSync(where)
      .filter((name) => name.endsWith('.cpuprofile'))
      .map((name) => join(where, name))
  : [where];
for (const file of files) summarise(file);

function summarise(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const counted = new Map();
  // The root comes first, and every node before its children.
  const inside = new Set();
  for (const node of nodes) {
    const { functionName, url, lineNumber } = node.callFrame;
    if (values.under === undefined || functionName === values.under) inside.add(node.id);
    if (inside.has(node.id)) {
      for (const child of node.children ?? []) inside.add(child);
      const place =
        url === '' ? '' : ` ${url.replace(/^.*\/(packages|node_modules)\//, '')}:${lineNumber + 1}`;
      if (functionName !== '(idle)') counted.set(node.id, `${functionName || '(anonymous)'}${place}`);
    }
  }
  const self = new Map();
  let busy = 0;
  samples.forEach((id, i) => {
    const name = counted.get(id);
    if (name === undefined) return;
    self.set(name, (self.get(name) ?? 0) + timeDeltas[i]);
    busy += timeDeltas[i];
  });
  console.log(`${basename(file)}: ${(busy / 1e6).toFixed(2)} s busy`);
  for (const [name, time] of [...self].toSorted(([, a], [, b]) => b - a).slice(0, Number(values.lines))) {
    const share = ((time / busy) * 100).toFixed(1).padStart(5);
    console.log(`  ${share} %  ${(time / 1000).toFixed(0).padStart(6)} ms  ${name}`);
  }
}

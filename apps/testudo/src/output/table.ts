export interface Column {
  readonly title?: string;
  readonly align?: 'left' | 'right';
}

/** Lines of a table, columns two spaces apart. Widths ignore colour codes; the last column is not padded. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.some(({ title }) => title !== undefined)
    ? [columns.map(({ title }) => title ?? '')]
    : [];
  const all = [...titles, ...rows];
  const widths = columns.map((_, i) => Math.max(0, ...all.map((row) => visibleLength(row[i] ?? ''))));
  return all.map((row) =>
    columns
      .map((column, i) => {
        const cell = row[i] ?? '';
        const padding = ' '.repeat(widths[i]! - visibleLength(cell));
        if (column.align === 'right') return padding + cell;
        return i === columns.length - 1 ? cell : cell + padding;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** `label  value` lines, labels of one width; a value of several lines is indented below itself. */
export function pairs(rows: readonly (readonly [label: string, value: string | undefined])[]): string[] {
  const present = rows.filter((row): row is [string, string] => row[1] !== undefined);
  const width = Math.max(0, ...present.map(([label]) => visibleLength(label)));
  return present.flatMap(([label, value]) =>
    value
      .split('\n')
      .map(
        (line, i) =>
          `${i === 0 ? label + ' '.repeat(width - visibleLength(label)) : ' '.repeat(width)}  ${line}`,
      ),
  );
}

export function indent(lines: readonly string[], by = 2): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
const COLOUR_CODE = /\u001b\[[\d;]*m/g;

function visibleLength(text: string): number {
  return [...text.replace(COLOUR_CODE, '')].length;
}

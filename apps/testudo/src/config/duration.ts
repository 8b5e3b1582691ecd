const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const FORM = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/;
/** The longest that a timer of Node can wait, in milliseconds. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** Milliseconds of `500ms`, `10s`, `5m`, `1h`, `30d`; a bare number counts seconds. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * UNITS[match[2] ?? 's']!);
}

/** Milliseconds as they are written in a configuration, in the largest unit that fits: `90s`, `2m`, `1h`. */
export function durationText(milliseconds: number): string {
  const [unit, length] = Object.entries(UNITS).findLast(([, size]) => milliseconds % size === 0) ?? ['ms', 1];
  return `${milliseconds / length}${unit}`;
}

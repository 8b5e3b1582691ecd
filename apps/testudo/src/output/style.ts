import { isTerminal } from '../io.ts';

/** Colours by what they mean; each returns the text as it is where there are none. */
export interface Style {
  readonly enabled: boolean;
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  accent(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

/** Colours only on a terminal, and never with NO_COLOR (https://no-color.org); FORCE_COLOR asks for them anywhere. */
export function styleFor(stream: object, env: Readonly<Record<string, string | undefined>>): Style {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return PLAIN;
  if (env['TERM'] === 'dumb') return PLAIN;
  const forced = env['FORCE_COLOR'] !== undefined && !['', '0'].includes(env['FORCE_COLOR']);
  return forced || isTerminal(stream) ? COLOURED : PLAIN;
}

const sgr =
  (on: string, off: string) =>
  (text: string): string =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;

const same = (text: string): string => text;

const COLOURED: Style = {
  enabled: true,
  good: sgr('32', '39'),
  bad: sgr('31', '39'),
  warn: sgr('33', '39'),
  accent: sgr('36', '39'),
  strong: sgr('1', '22'),
  faint: sgr('2', '22'),
};

export const PLAIN: Style = {
  enabled: false,
  good: same,
  bad: same,
  warn: same,
  accent: same,
  strong: same,
  faint: same,
};

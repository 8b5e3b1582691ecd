/**
 * A peer's text made safe to show: control characters, line ends and what reorders text become `\u{…}`, and it is
 * cut to `limit` characters. Terminals and logs then show what came, and do nothing else with it.
 */
export function shown(text: string, limit = 200): string {
  const cut = text.length > limit ? `${text.slice(0, limit - 1)}\u2026` : text;
  return cut.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** `1 message`, `2 messages`. */
export function count(number: number, noun: string, plural: string = `${noun}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? noun : plural}`;
}

/** `1,234 B`: the digits are what people compare. */
export function bytes(number: number): string {
  return `${number.toLocaleString('en-US')} B`;
}

/** Milliseconds with one digit after the point; two below 10. */
export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}

/** `2 Jan 2026`, in UTC. */
export function day(date: Date): string {
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

/** Hexadecimal bytes with colons, upper case, as browsers show fingerprints. */
export function fingerprintText(hex: string): string {
  return hex.toUpperCase().replace(/..(?=.)/g, '$&:');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * A domain in lower-case ASCII without its final dot; other scripts become A-labels (RFC 5890) by the URL parser's
 * rules (UTS 46), which Node and browsers share. Undefined when it is no domain.
 */
export function toAsciiDomain(domain: string): string | undefined {
  let name = domain.toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the range meant
  if (/[^\x00-\x7f]/.test(name)) {
    // Nothing that the URL parser could take for another part of a URL.
    if (/[\s/\\?#@:[\]%<>^|]/.test(name)) return undefined;
    try {
      name = new URL(`http://${name}`).hostname;
    } catch {
      return undefined;
    }
  }
  if (name.endsWith('.')) name = name.slice(0, -1);
  return isDomain(name) ? name : undefined;
}

/** Labels of 1 to 63 letters, digits, hyphens inside, and underscores, which hosts in use have; 253 in all. */
export function isDomain(name: string): boolean {
  return (
    name.length <= 253 &&
    name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  );
}

/** True for domains under which strangers register, as `com`, `co.uk`, `github.io`. */
export type PublicSuffixTest = (domain: string) => boolean;

/**
 * RFC 9525 §6.3: letters' case aside the same, or `*` alone as the left-most label, for exactly one label. At least two
 * labels must follow the wildcard, and no public suffix, so that nobody holds all of a registry's domains (RFC 9525 §7.1).
 * @param reference as {@link toAsciiDomain} gives it.
 */
export function matchesDomain(
  presented: string,
  reference: string,
  isPublicSuffix?: PublicSuffixTest,
): boolean {
  const pattern = presented.toLowerCase();
  if (!pattern.includes('*')) return pattern === reference && isDomain(pattern);
  const base = pattern.slice(2);
  if (!pattern.startsWith('*.') || !isDomain(base) || !base.includes('.')) return false;
  const dot = reference.indexOf('.');
  return dot > 0 && reference.slice(dot + 1) === base && isPublicSuffix?.(base) !== true;
}

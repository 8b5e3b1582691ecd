/**
 * Whether a client may use this public_name: LDH labels of at most 63 characters between dots, the last of which no URL
 * parser takes for a part of an IPv4 address (RFC 9849 §6.1.7).
 */
export function isPublicName(name: string): boolean {
  const labels = name.split('.');
  return labels.every((label) => LDH.test(label)) && !NUMBER.test(labels.at(-1)!);
}

/** A letter-digit-hyphen label (RFC 5890 §2.3.1). */
const LDH = /^(?!-)[0-9A-Za-z-]{1,63}(?<!-)$/;

/** What the WHATWG's parser reads as a number: all digits, or hexadecimal, perhaps without any digit. */
const NUMBER = /^(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/;

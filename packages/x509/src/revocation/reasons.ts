import { contextTag, type DerReader, der, Tag } from '@testudo/codec';

/** Why a certificate was revoked (RFC 5280 §5.3.1), by its number. 7 is not used. */
export const REVOCATION_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  /** In delta CRLs only: it is not revoked any more. */
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

export type RevocationReason = keyof typeof REVOCATION_REASONS;

/** Reads a CRLReason; `tag` is that of an ENUMERATED unless it is implicit. Throws DecodeError. */
export function readReason(reader: DerReader, tag: number = Tag.enumerated): RevocationReason {
  const offset = reader.offset;
  const number = reader.smallInteger(255, tag);
  const reason = BY_NUMBER.get(number);
  if (reason === undefined) throw reader.error('bad-value', `unknown reason ${number}`, offset);
  return reason;
}

const BY_NUMBER: ReadonlyMap<number, RevocationReason> = new Map(
  Object.entries(REVOCATION_REASONS).map(([name, number]) => [number, name as RevocationReason]),
);

/** Bits of ReasonFlags (RFC 5280 §4.2.1.13), in order. What is unspecified needs all of them. */
const FLAGS: readonly (RevocationReason | undefined)[] = [
  undefined,
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
];

/** A set of reasons as bits of a number: bit n stands for bit n of ReasonFlags. */
export type ReasonMask = number;

/** Every reason: a list that covers them says all there is to say. */
export const ALL_REASONS: ReasonMask = 0b1_1111_1110;

/** Reads ReasonFlags with `[number] IMPLICIT`. Throws DecodeError. */
export function readReasonFlags(reader: DerReader, number: number): ReasonMask {
  const { bytes } = reader.bitString(contextTag(number));
  let mask = 0;
  for (let bit = 1; bit < FLAGS.length; bit++)
    if (((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80) mask |= 1 << bit;
  return mask;
}

/** ReasonFlags, DER, of named reasons. Throws `RangeError` on one that has no flag. */
export function encodeReasonFlags(reasons: readonly RevocationReason[]): Uint8Array {
  return der.namedBits(
    reasons.map((reason) => {
      const bit = FLAGS.indexOf(reason);
      if (bit < 0) throw new RangeError(`a list cannot be limited to the reason ${reason}`);
      return bit;
    }),
  );
}

import {
  ascii,
  contextConstructedTag,
  contextTag,
  DecodeError,
  DerReader,
  der,
  type Oid,
  Tag,
  utf8,
} from '@testudo/codec';
import { DistinguishedName } from './distinguished-name.ts';
import { formatIpAddress } from './ip-address.ts';
import { isInternational } from './mailbox.ts';

/** A GeneralName (RFC 5280 §4.2.1.6). */
export type GeneralName =
  /** `email` stands for rfc822Name and, where the local part is not ASCII, for SmtpUTF8Mailbox (RFC 9598 §3). */
  | { readonly kind: 'dns' | 'email' | 'uri'; readonly value: string }
  /** 4 or 16 bytes; in name constraints 8 or 32, address and mask. */
  | { readonly kind: 'ip'; readonly bytes: Uint8Array }
  | { readonly kind: 'directory'; readonly name: DistinguishedName }
  /** otherName with its type, x400Address, ediPartyName, registeredID: the content is kept as it is. */
  | {
      readonly kind: 'other';
      readonly tag: number;
      readonly bytes: Uint8Array;
      readonly type?: Oid | undefined;
    };

export type GeneralNameKind = GeneralName['kind'];

const EMAIL = contextTag(1);
const DNS = contextTag(2);
const DIRECTORY = contextConstructedTag(4);
const URI = contextTag(6);
const IP = contextTag(7);
const OTHER_NAME = contextConstructedTag(0);
/** id-on-SmtpUTF8Mailbox (RFC 9598 §3). */
const SMTP_UTF8_MAILBOX: Oid = '1.3.6.1.5.5.7.8.9';
/** x400Address [3], ediPartyName [5], registeredID [8]. */
const OTHER: ReadonlySet<number> = new Set([
  contextConstructedTag(3),
  contextConstructedTag(5),
  contextTag(8),
]);

/** Reads one name. Throws DecodeError. `addressLengths` are those that an iPAddress may have here. */
export function readGeneralName(reader: DerReader, addressLengths: readonly number[] = [4, 16]): GeneralName {
  const offset = reader.offset;
  switch (reader.peek()) {
    case EMAIL:
      return { kind: 'email', value: ia5(reader, EMAIL) };
    case DNS:
      return { kind: 'dns', value: ia5(reader, DNS) };
    case URI:
      return { kind: 'uri', value: ia5(reader, URI) };
    case DIRECTORY:
      return {
        kind: 'directory',
        name: reader.read(DIRECTORY, (inner) => new DistinguishedName(inner.whole(Tag.sequence))),
      };
    case IP: {
      const bytes = reader.content(IP);
      if (!addressLengths.includes(bytes.length))
        throw reader.error('bad-length', `an iPAddress of ${bytes.length} bytes`, offset);
      return { kind: 'ip', bytes };
    }
    case OTHER_NAME:
      return readOtherName(reader);
    default: {
      const { tag, content } = reader.element();
      if (!OTHER.has(tag)) throw reader.error('bad-value', 'not a GeneralName', offset);
      return { kind: 'other', tag, bytes: content };
    }
  }
}

/** OtherName: a type, and a value that only those who know the type can read. */
function readOtherName(reader: DerReader): GeneralName {
  const offset = reader.offset;
  const bytes = reader.content(OTHER_NAME);
  const inner = new DerReader(bytes);
  try {
    const type = inner.oid();
    if (type !== SMTP_UTF8_MAILBOX) return { kind: 'other', tag: OTHER_NAME, type, bytes };
    const value = inner.explicit(0, (explicit) => explicit.string());
    // RFC 9598 §3: for local parts that rfc822Name cannot hold, and for no others.
    if (value === undefined || !isInternational(value.slice(0, Math.max(value.lastIndexOf('@'), 0))))
      throw inner.error('bad-value', 'a SmtpUTF8Mailbox that should be an rfc822Name');
    inner.expectEnd();
    return { kind: 'email', value };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(error.code, `an otherName: ${error.message}`, offset + error.offset);
  }
}

/** DER of a name. Throws EncodeError on characters that the kind cannot hold. */
export function encodeGeneralName(name: GeneralName): Uint8Array {
  switch (name.kind) {
    case 'email':
      return isInternational(name.value)
        ? der.implicit(
            0,
            der.sequence(der.oid(SMTP_UTF8_MAILBOX), der.explicit(0, der.utf8String(name.value))),
          )
        : der.implicit(1, der.ia5String(name.value));
    case 'dns':
      return der.implicit(2, der.ia5String(name.value));
    case 'uri':
      return der.implicit(6, der.ia5String(name.value));
    case 'directory':
      return der.explicit(4, name.name.der);
    case 'ip':
      return der.implicit(7, der.octetString(name.bytes));
    case 'other':
      return der.element(name.tag, name.bytes);
  }
}

/** For people: `DNS:example.com`, `IP:192.0.2.1`. */
export function generalNameText(name: GeneralName): string {
  switch (name.kind) {
    case 'email':
    case 'dns':
    case 'uri':
      return `${name.kind === 'email' ? 'email' : name.kind.toUpperCase()}:${printable(name.value)}`;
    case 'ip':
      return `IP:${formatIpAddress(name.bytes)}`;
    case 'directory':
      return `directory:${name.name.shown}`;
    case 'other':
      return 'other name';
  }
}

function ia5(reader: DerReader, tag: number): string {
  const offset = reader.offset;
  const content = reader.content(tag);
  if (content.some((byte) => byte > 127))
    throw reader.error('bad-value', 'a name with a byte over 127', offset);
  return ascii(content);
}

function printable(text: string): string {
  return Array.from(utf8(text.slice(0, 253)), (byte) =>
    byte < 32 || byte > 126 ? '\ufffd' : String.fromCharCode(byte),
  ).join('');
}

import { utf8 } from '@testudo/codec';

/** A password in the two forms that derivations take. */
export class PasswordForms {
  /** As it was given, text as UTF-8: for PBES2 and PBMAC1 (RFC 8018 §3, RFC 9579 §6). */
  readonly bytes: Uint8Array;
  /** BMPString with two zero bytes at its end, or nothing at all: for those of PKCS#12 itself (RFC 7292 §B.1). */
  readonly bmp: Uint8Array;

  private constructor(bytes: Uint8Array, bmp: Uint8Array) {
    this.bytes = bytes;
    this.bmp = bmp;
  }

  /** Bytes that are not UTF-8 are taken one by one as Latin-1, as OpenSSL does. */
  static of(password: string | Uint8Array): PasswordForms {
    if (typeof password === 'string') return new PasswordForms(utf8(password), toBmp(password));
    return new PasswordForms(password, toBmp(fromUtf8(password) ?? latin1(password)));
  }

  /** An empty password, and none: two to PKCS#12, and what programs mean by an empty one differs. */
  static readonly none: PasswordForms = new PasswordForms(new Uint8Array(0), new Uint8Array(0));

  /** What may be meant, the likelier first. */
  static candidates(password: string | Uint8Array): readonly PasswordForms[] {
    const forms = PasswordForms.of(password);
    return password.length === 0 ? [forms, PasswordForms.none] : [forms];
  }
}

function toBmp(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length + 2);
  for (let i = 0; i < text.length; i++) {
    bytes[2 * i] = text.charCodeAt(i) >> 8;
    bytes[2 * i + 1] = text.charCodeAt(i) & 0xff;
  }
  return bytes;
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

import {
  ascii,
  contextConstructedTag,
  DecodeError,
  type DerReader,
  decodeDer,
  decodePem,
  der,
  encodePem,
  type Oid,
  Tag,
} from '@testudo/codec';
import { CryptoError, type CryptoProvider, type PrivateKey, type PublicKey } from '@testudo/crypto';
import { type AlgorithmIdentifier, readAlgorithm, readSignature } from '../algorithm.ts';
import { DistinguishedName } from '../distinguished-name.ts';
import { CertificateError } from '../errors.ts';
import { type Extension, Extensions, readExtension } from '../extensions.ts';
import { encodeGeneralName } from '../general-name.ts';
import { ExtensionOid } from '../oids.ts';
import { MUST_STAPLE } from '../revocation/must-staple.ts';
import { type SignedData, signatureProblem } from '../signed-data.ts';
import { toGeneralName } from './names.ts';
import { signedSequence } from './sign.ts';
import { distinguishedNameOf, type SubjectAttributes } from './subject.ts';

/** pkcs-9-at-extensionRequest (RFC 2985 §5.4.2). */
const EXTENSION_REQUEST: Oid = '1.2.840.113549.1.9.14';

/** Longest request that is read, in bytes, and most attributes in one. */
const LIMITS = { length: 65_536, attributes: 16, extensions: 64 } as const;

/** Somebody asks for a certificate (PKCS#10, RFC 2986). Nothing in it is true until somebody checked it. */
export class CertificationRequest implements SignedData {
  /** The whole request, DER. */
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly subject: DistinguishedName;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** What it asks to have in the certificate. */
  readonly extensions: Extensions;

  private constructor(bytes: Uint8Array, signed: SignedData, info: Info) {
    this.der = bytes;
    this.tbs = signed.tbs;
    this.signatureAlgorithm = signed.signatureAlgorithm;
    this.signature = signed.signature;
    this.subject = info.subject;
    this.spki = info.spki;
    this.extensions = info.extensions;
  }

  /** Parses DER, or PEM with a block CERTIFICATE REQUEST. Throws {@link CertificateError} `malformed`. */
  static parse(input: string | Uint8Array): CertificationRequest {
    try {
      const bytes = requestBytes(input);
      if (bytes.length > LIMITS.length)
        throw new CertificateError('malformed', `a certification request of ${bytes.length} bytes`);
      const signed = decodeDer(bytes, (reader) =>
        reader.sequence((outer) => ({
          tbs: outer.whole(Tag.sequence),
          signatureAlgorithm: readAlgorithm(outer),
          signature: readSignature(outer),
        })),
      );
      return new CertificationRequest(bytes, signed, decodeDer(signed.tbs, readInfo));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new CertificateError(
        'malformed',
        `not a certification request: ${error.message}`,
        undefined,
        error,
      );
    }
  }

  /**
   * The key, after the proof that whoever made the request has its private half.
   * Throws {@link CertificateError} `bad-signature`, `malformed` or `unsupported-algorithm`.
   */
  provenPublicKey(provider: CryptoProvider): PublicKey {
    const key = importKey(this.spki, provider);
    const problem = signatureProblem(provider, this, key);
    if (problem === undefined) return key;
    throw new CertificateError(
      'bad-signature',
      `the request does not prove that its sender has the private key: ${problem}`,
    );
  }

  toPem(): string {
    return encodePem('CERTIFICATE REQUEST', this.der);
  }
}

/** What a request that is made asks for. */
export interface CertificationRequestContent {
  readonly provider: CryptoProvider;
  readonly privateKey: PrivateKey;
  /** Default: no name; a CA takes the alternative names. */
  readonly subject?: SubjectAttributes | DistinguishedName | undefined;
  /** Domains, addresses, mail addresses. */
  readonly names?: readonly string[] | undefined;
  /** Asks for a certificate that demands stapling (RFC 7633). Default false. */
  readonly mustStaple?: boolean | undefined;
  /** Further extensions to ask for, as they are. */
  readonly extensions?: readonly Extension[] | undefined;
}

/** Makes and signs a request. Throws `RangeError` on names that cannot stand in a certificate. */
export function createCertificationRequest(content: CertificationRequestContent): CertificationRequest {
  const { provider, privateKey, subject = DistinguishedName.empty } = content;
  const name = subject instanceof DistinguishedName ? subject : distinguishedNameOf(subject);
  const attributes = encodeAttributes(content);
  const bytes = signedSequence(provider, privateKey, () =>
    der.sequence(
      der.integer(0),
      name.der,
      privateKey.publicKey.spki,
      der.element(contextConstructedTag(0), attributes),
    ),
  );
  return CertificationRequest.parse(bytes);
}

function encodeAttributes(content: CertificationRequestContent): Uint8Array | undefined {
  const names = (content.names ?? []).map(toGeneralName);
  const extensions: Extension[] = [...(content.extensions ?? [])];
  if (names.length > 0)
    extensions.push({
      oid: ExtensionOid.subjectAltName,
      critical: false,
      value: der.sequence(...names.map(encodeGeneralName)),
    });
  if (content.mustStaple === true) extensions.push(MUST_STAPLE);
  if (extensions.length === 0) return undefined;
  const list = der.sequence(
    ...extensions.map(({ oid, critical, value }) =>
      der.sequence(der.oid(oid), critical ? der.boolean(true) : undefined, der.octetString(value)),
    ),
  );
  return der.sequence(der.oid(EXTENSION_REQUEST), der.setOf(list));
}

interface Info {
  readonly subject: DistinguishedName;
  readonly spki: Uint8Array;
  readonly extensions: Extensions;
}

function readInfo(reader: DerReader): Info {
  return reader.sequence((info) => {
    info.smallInteger(0);
    const subject = new DistinguishedName(info.whole(Tag.sequence));
    const spki = info.whole(Tag.sequence);
    return { subject, spki, extensions: readAttributes(info) };
  });
}

/** Attributes [0] IMPLICIT SET OF; some leave them out altogether, against RFC 2986 §4.1. */
function readAttributes(info: DerReader): Extensions {
  if (info.peek() === undefined) return new Extensions([]);
  const seen = new Set<Oid>();
  let extensions: readonly Extension[] = [];
  info.sequenceOf(
    (item) =>
      item.sequence((attribute) => {
        const type = attribute.oid();
        if (seen.has(type)) throw attribute.error('bad-value', `the attribute ${type} appears twice`);
        seen.add(type);
        if (type !== EXTENSION_REQUEST) return void attribute.whole(Tag.set);
        const lists = attribute.sequenceOf(readExtensions, Tag.set, 1);
        if (lists[0] === undefined) throw attribute.error('bad-length', 'an attribute without a value');
        extensions = lists[0];
      }),
    contextConstructedTag(0),
    LIMITS.attributes,
  );
  return new Extensions(extensions);
}

function readExtensions(reader: DerReader): readonly Extension[] {
  return reader.sequenceOf(readExtension, Tag.sequence, LIMITS.extensions);
}

function requestBytes(input: string | Uint8Array): Uint8Array {
  if (
    typeof input !== 'string' &&
    input[0] === Tag.sequence &&
    !ascii(input.subarray(0, 4096)).includes('-----BEGIN ')
  )
    return input;
  const text = typeof input === 'string' ? input : ascii(input.subarray(0, 4 * LIMITS.length));
  // The old label, too (RFC 7468 §7).
  const block = decodePem(text).find(({ label }) => /^(NEW )?CERTIFICATE REQUEST$/.test(label));
  if (block !== undefined) return block.bytes;
  throw new CertificateError('malformed', 'no CERTIFICATE REQUEST block in the PEM text');
}

function importKey(spki: Uint8Array, provider: CryptoProvider): PublicKey {
  try {
    return provider.importPublicKey(spki);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    const code = error.code === 'unsupported' ? 'unsupported-algorithm' : 'malformed';
    throw new CertificateError(code, `the request's key cannot be used: ${error.message}`, undefined, error);
  }
}

import { DecodeError, toHex } from '@testudo/codec';
import { TlsError } from './errors.ts';
import { isGrease } from './grease.ts';
import { groupById } from './groups/index.ts';
import { certificate12, certificate13 } from './messages/certificate.ts';
import {
  certificateRequest11,
  certificateRequest12,
  certificateRequest13,
} from './messages/certificate-request.ts';
import { certificateStatus } from './messages/certificate-status.ts';
import { certificateVerify, certificateVerifyUnnamed } from './messages/certificate-verify.ts';
import { clientHello } from './messages/client-hello.ts';
import { compressedCertificate } from './messages/compressed-certificate.ts';
import { encryptedExtensions } from './messages/encrypted-extensions.ts';
import { finished } from './messages/finished.ts';
import {
  decodeMessage,
  HANDSHAKE_HEADER,
  handshakeTypeName,
  type Message,
  type RawMessage,
} from './messages/handshake-type.ts';
import {
  clientKeyExchange,
  helloRequest,
  serverHelloDone,
  serverKeyExchange,
} from './messages/key-exchange.ts';
import { keyUpdate } from './messages/key-update.ts';
import { newSessionTicket12, newSessionTicket13 } from './messages/new-session-ticket.ts';
import { serverHello } from './messages/server-hello.ts';
import { signatureScheme } from './signature-schemes.ts';
import {
  type CipherSuite,
  cipherSuite,
  EMPTY_RENEGOTIATION_INFO_SCSV,
  FALLBACK_SCSV,
} from './suites/index.ts';
import { keyExchangeOf } from './tls12/key-exchange/index.ts';
import { isSigned } from './tls12/key-exchange/messages.ts';
import { TLS12, TLS13, type Version } from './versions.ts';

/** A field of a message: where it stands, and what it holds. */
export interface ExplainedField {
  /** As in the RFC, or `[n]` for the item of a list. */
  readonly name: string;
  /** Bytes from the start of the message, its header included. A length prefix belongs to its field. */
  readonly offset: number;
  readonly length: number;
  /** The value for people; undefined where {@link fields} tell. Safe to show: peers' text is quoted and cut. */
  readonly text: string | undefined;
  readonly fields: readonly ExplainedField[];
}

export interface ExplainedMessage {
  /** `client_hello` */
  readonly name: string;
  readonly fields: readonly ExplainedField[];
  /** Why the rest could not be read; undefined when all of it was. */
  readonly error: string | undefined;
  /** True when there were more fields than are kept. */
  readonly isCut: boolean;
}

/** Fields that are kept; an honest ClientHello has about 150. */
const MOST_FIELDS = 2000;

/**
 * Takes a handshake message apart, field by field, with the codecs that the engine itself uses. `version` is the one
 * that was agreed on, as on the wire; undefined while it is not known, which is fine for both hellos. `suite` is needed
 * for the key exchange up to TLS 1.2 only; without it, it is taken for ECDHE. Never throws on what a peer can send.
 */
export function explainMessage(
  message: RawMessage,
  version: number | undefined,
  suite: CipherSuite = USUAL_SUITE,
): ExplainedMessage {
  const tree = new Tree();
  const definition = definitionOf(message.type, version, suite);
  tree.header(message);
  let error: string | undefined;
  if (definition === undefined) {
    error = `no message of this type is known in ${version === undefined ? 'TLS' : 'this version'}`;
  } else {
    try {
      decodeMessage(definition, message, tree);
    } catch (thrown) {
      if (!(thrown instanceof DecodeError) && !(thrown instanceof TlsError)) throw thrown;
      error = thrown.message;
    }
  }
  return { name: handshakeTypeName(message.type), fields: tree.fields(), error, isCut: tree.isCut };
}

function definitionOf(
  type: number,
  version: number | undefined,
  suite: CipherSuite,
): Message<unknown> | undefined {
  const own = version === TLS13 ? DEFINITIONS_13 : definitions12(version ?? TLS12, suite);
  return [...COMMON, ...own].find((definition) => definition.type === type);
}

const USUAL_SUITE: CipherSuite = cipherSuite(0xc02b)!;

const COMMON = [clientHello, serverHello, finished] as readonly Message<unknown>[];

const DEFINITIONS_13 = [
  encryptedExtensions,
  certificateRequest13,
  certificate13,
  compressedCertificate,
  certificateVerify,
  newSessionTicket13,
  keyUpdate,
] as readonly Message<unknown>[];

function definitions12(version: number, suite: CipherSuite): readonly Message<unknown>[] {
  const exchange = keyExchangeOf(suite);
  const signing = version >= TLS12 ? 'named' : 'unnamed';
  return [
    helloRequest,
    certificate12,
    certificateStatus,
    serverKeyExchange(exchange.serverParams, isSigned(suite) ? signing : 'none'),
    version >= TLS12 ? certificateRequest12 : certificateRequest11,
    serverHelloDone,
    clientKeyExchange(exchange.clientParams(version as Version)),
    version >= TLS12 ? certificateVerify : certificateVerifyUnnamed,
    newSessionTicket12,
  ] as readonly Message<unknown>[];
}

interface OpenField {
  readonly name: string;
  readonly offset: number;
  readonly fields: ExplainedField[];
}

/** Builds the tree of fields while a codec reads. */
class Tree {
  isCut = false;
  readonly #root: ExplainedField[] = [];
  readonly #open: OpenField[] = [];
  #count = 0;

  header({ type, raw }: RawMessage): void {
    const field = (name: string, offset: number, length: number, text: string): ExplainedField => ({
      name,
      offset,
      length,
      text,
      fields: [],
    });
    this.#root.push(field('type', 0, 1, `${type} (${handshakeTypeName(type)})`));
    this.#root.push(field('length', 1, 3, String(raw.length - HANDSHAKE_HEADER)));
  }

  enter(name: string, offset: number): void {
    this.#open.push({ name, offset: offset + HANDSHAKE_HEADER, fields: [] });
  }

  leave(name: string, _offset: number, length: number, value: unknown): void {
    const { offset, fields } = this.#open.pop()!;
    // An extension is reported with its header, and its body inside by the same name: one field for people.
    const inner = fields.length === 1 && fields[0]!.name === name ? fields[0]! : undefined;
    const own = inner?.fields ?? fields;
    const text = own.length > 0 ? undefined : (inner?.text ?? textOf(value, name, this.#path()));
    this.#add({ name, offset, length, text, fields: own });
  }

  /** Everything so far, with what was open when reading failed. */
  fields(): ExplainedField[] {
    for (let open = this.#open.pop(); open !== undefined; open = this.#open.pop()) {
      if (open.fields.length === 0) continue;
      const last = open.fields.at(-1)!;
      const length = last.offset + last.length - open.offset;
      this.#add({ name: open.name, offset: open.offset, length, text: undefined, fields: open.fields });
    }
    return this.#root;
  }

  #add(field: ExplainedField): void {
    if (++this.#count > MOST_FIELDS) {
      this.isCut = true;
      return;
    }
    (this.#open.at(-1)?.fields ?? this.#root).push(field);
  }

  #path(): string[] {
    return this.#open.map(({ name }) => name);
  }
}

function textOf(value: unknown, name: string, path: readonly string[]): string {
  if (typeof value === 'number') return numberText(value, name, path);
  if (typeof value === 'string') return quoted(value.slice(0, 255));
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `${value.length} items`;
  if (value === null || value === true) return 'present';
  return '';
}

/** A peer's text (Latin-1) without anything that moves a terminal's cursor. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~\xa1-\xac\xae-\xff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function bytesText(value: Uint8Array): string {
  if (value.length === 0) return 'empty';
  if (value.length <= 32) return toHex(value);
  return `${toHex(value.subarray(0, 24))}\u2026 (${value.length} bytes)`;
}

/** A number with the name it has in its registry. The field, or the list it stands in, tells which registry. */
function numberText(value: number, name: string, path: readonly string[]): string {
  const field = name.startsWith('[') ? (path.at(-1) ?? name) : name;
  const registry = REGISTRIES[field];
  if (registry === undefined) return String(value);
  const width = ONE_BYTE.has(field) ? 2 : 4;
  const known = registry(value) ?? (width === 4 && isGrease(value) ? 'GREASE' : undefined);
  const hex = `0x${value.toString(16).padStart(width, '0')}`;
  return known === undefined ? hex : `${hex} ${known}`;
}

/** Fields whose numbers have one byte. */
const ONE_BYTE: ReadonlySet<string> = new Set([
  'legacyCompressionMethods',
  'psk_key_exchange_modes',
  'client_certificate_type',
  'server_certificate_type',
]);

type Registry = (value: number) => string | undefined;

const versions: Registry = (value) =>
  ({ 768: 'SSL 3.0', 769: 'TLS 1.0', 770: 'TLS 1.1', 771: 'TLS 1.2', 772: 'TLS 1.3' })[value];
const suites: Registry = (value) => cipherSuite(value)?.name ?? SIGNALS[value];
const groups: Registry = (value) => groupById(value)?.name;
const schemes: Registry = (value) => signatureScheme(value)?.name;

/** The two that are in use; 1 was OpenPGP's (RFC 7250 §3). */
const certificateTypes: Registry = (value) => ({ 0: 'X.509', 2: 'raw public key' })[value];

const SIGNALS: Readonly<Record<number, string>> = {
  [EMPTY_RENEGOTIATION_INFO_SCSV]: 'TLS_EMPTY_RENEGOTIATION_INFO_SCSV',
  [FALLBACK_SCSV]: 'TLS_FALLBACK_SCSV',
};

const REGISTRIES: Readonly<Record<string, Registry>> = {
  legacyVersion: versions,
  supported_versions: versions,
  cipherSuites: suites,
  cipherSuite: suites,
  supported_groups: groups,
  group: groups,
  namedCurve: groups,
  key_share: groups,
  signature_algorithms: schemes,
  signature_algorithms_cert: schemes,
  supportedSignatureAlgorithms: schemes,
  algorithm: schemes,
  delegated_credential: schemes,
  dcCertVerifyAlgorithm: schemes,
  compress_certificate: (value) => ['zlib', 'brotli', 'zstd'][value - 1],
  client_certificate_type: certificateTypes,
  server_certificate_type: certificateTypes,
  legacyCompressionMethods: (value) => (value === 0 ? 'none' : undefined),
  psk_key_exchange_modes: (value) => ['psk_ke', 'psk_dhe_ke'][value],
};

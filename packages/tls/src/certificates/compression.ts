import { bytesEqual, decode, encode } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { compressCertificate } from '../extensions/certificate-compression.ts';
import { type Flow, perform } from '../flow.ts';
import type { Handshake } from '../handshake/context.ts';
import { nextIs, receive, send } from '../handshake/message-flow.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import { type Certificate13, certificate13 } from '../messages/certificate.ts';
import { type CompressedCertificate, compressedCertificate } from '../messages/compressed-certificate.ts';
import type { Credential } from './credential.ts';
import type { CertificateCompression, CertificateCompressionName } from './types.ts';

/** CertificateCompressionAlgorithm (RFC 8879 §7.3). */
const IDS: Readonly<Record<CertificateCompressionName, number>> = { zlib: 1, brotli: 2, zstd: 3 };

/** Throws `bad-option` on algorithms that have no number, or stand there twice. */
export function checkCompressions(
  algorithms: readonly CertificateCompression[] | undefined,
): readonly CertificateCompression[] {
  if (algorithms === undefined) return NONE;
  algorithms.forEach((algorithm, index) => {
    const { name, id } = algorithm;
    const isKnown = name in IDS ? id === undefined : id !== undefined && id >= 16_384 && id <= 65_535;
    if (!isKnown) throw new TlsError('bad-option', `no certificate compression is called ${name}`);
    if (algorithms.findIndex((other) => idOf(other) === idOf(algorithm)) !== index)
      throw new TlsError('bad-option', `the certificate compression ${name} is listed twice`);
  });
  return algorithms;
}

const NONE: readonly CertificateCompression[] = [];

function idOf({ name, id }: CertificateCompression): number {
  return id ?? IDS[name as CertificateCompressionName];
}

/** Tells the peer what its Certificate may be compressed with. */
export function requestCompression(
  h: Handshake,
  block: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'>,
): void {
  const { compressions } = h.config.features;
  if (compressions.length === 0) return;
  (block as ExtensionBlock<'client_hello'>).set(compressCertificate, compressions.map(idOf));
}

/** Sends our Certificate: compressed, where both sides can and it gets shorter. */
export function* sendCertificate13(
  h: Handshake,
  message: Certificate13,
  credential: Credential,
  requested: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'>,
): Flow<void> {
  const theirs = (requested as ExtensionBlock<'client_hello'>).get(compressCertificate);
  const algorithm =
    theirs === undefined
      ? undefined
      : h.config.features.compressions.find((own) => theirs.includes(idOf(own)));
  if (algorithm === undefined) {
    send(h, certificate13, message);
    return;
  }
  const body = encode(certificate13.codec, message);
  const compressed = yield* compressedForm(credential, algorithm, body);
  if (compressed.length >= body.length) {
    send(h, certificate13, message);
    return;
  }
  note(h, 'sent', algorithm);
  send(h, compressedCertificate, {
    algorithm: idOf(algorithm),
    uncompressedLength: body.length,
    compressedCertificateMessage: compressed,
  });
}

/** The peer's Certificate, compressed or not. */
export function* receiveCertificate13(h: Handshake): Flow<Certificate13> {
  const { compressions } = h.config.features;
  if (compressions.length === 0 || !(yield* nextIs(h, compressedCertificate)))
    return yield* receive(h, certificate13);
  const message = yield* receive(h, compressedCertificate);
  const algorithm = compressions.find((own) => idOf(own) === message.algorithm);
  if (algorithm === undefined)
    throw new TlsError(
      'illegal-parameter',
      `a certificate compressed with algorithm ${message.algorithm}, which was not offered`,
    );
  const body = yield* inflated(h, algorithm, message);
  note(h, 'received', algorithm);
  return decode(certificate13.codec, body);
}

/** RFC 8879 §4, §5: nothing is inflated that could not be taken plain; what does not inflate to its length is refused. */
function* inflated(
  h: Handshake,
  algorithm: CertificateCompression,
  { uncompressedLength: length, compressedCertificateMessage: data }: CompressedCertificate,
): Flow<Uint8Array> {
  const most = h.config.limits.certificateMessage;
  if (length > most)
    throw new TlsError('bad-certificate', `a compressed certificate of ${length} bytes, more than ${most}`);
  const body = yield* perform('decompressCertificate', { algorithm, data, length });
  if (body?.length === length) return body;
  throw new TlsError(
    'bad-certificate',
    `a certificate compressed with ${algorithm.name} does not inflate to the ${length} bytes it states`,
  );
}

function note(h: Handshake, direction: 'sent' | 'received', { name }: CertificateCompression): void {
  const negotiated = negotiatedOf(h);
  negotiated.compression ??= { sent: undefined, received: undefined };
  negotiated.compression[direction] = name;
}

/** What was compressed last, by chain and algorithm: a chain changes only with its OCSP responses. */
interface Compressed {
  readonly body: Uint8Array;
  readonly compressed: Uint8Array;
}

const cache = new WeakMap<readonly Uint8Array[], Map<CertificateCompression, Compressed>>();

function* compressedForm(
  { certificates }: Credential,
  algorithm: CertificateCompression,
  body: Uint8Array,
): Flow<Uint8Array> {
  let forms = cache.get(certificates);
  if (forms === undefined) {
    forms = new Map();
    cache.set(certificates, forms);
  }
  const known = forms.get(algorithm);
  if (known !== undefined && bytesEqual(known.body, body)) return known.compressed;
  const compressed = yield* perform('compressCertificate', { algorithm, data: body });
  forms.set(algorithm, { body, compressed });
  return compressed;
}

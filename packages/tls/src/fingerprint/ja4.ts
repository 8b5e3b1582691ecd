import { toHex, utf8 } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { alpn } from '../extensions/alpn.ts';
import { serverName } from '../extensions/server-names.ts';
import { type HelloFacts, helloFacts } from './hello-facts.ts';

export interface Ja4Options {
  /** What carries the hello. Default `tcp`. */
  readonly transport?: 'tcp' | 'quic' | undefined;
  /** Wire order instead of sorted lists, with SNI and ALPN among the extensions: JA4_o. Default false. */
  readonly originalOrder?: boolean | undefined;
}

/**
 * The JA4 fingerprint of a ClientHello, as `t13d1516h2_8daaf6152771_e5627efa2ab1`: its lists are sorted, so that a
 * client that shuffles its extensions keeps its fingerprint. `message` is the handshake message, header included.
 * Throws `DecodeError` when it is no ClientHello.
 * Source: https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md
 */
export function ja4(provider: CryptoProvider, message: Uint8Array, options: Ja4Options = {}): string {
  const { head, suites, extensions } = parts(message, options);
  const hash = (text: string) =>
    text === '' ? '000000000000' : toHex(provider.digest('sha256', utf8(text))).slice(0, 12);
  return `${head}_${hash(suites)}_${hash(extensions)}`;
}

/** As {@link ja4}, with the lists themselves instead of their hashes: JA4_r, or JA4_ro in the original order. */
export function ja4Text(message: Uint8Array, options: Ja4Options = {}): string {
  const { head, suites, extensions } = parts(message, options);
  return `${head}_${suites}_${extensions}`;
}

function parts(
  message: Uint8Array,
  options: Ja4Options,
): { head: string; suites: string; extensions: string } {
  const facts = helloFacts(message);
  const sorted = options.originalOrder !== true;
  const shown = sorted
    ? facts.extensions.filter((id) => id !== serverName.id && id !== alpn.id)
    : facts.extensions;
  const schemes = facts.signatureSchemes.length > 0 ? `_${hexList(facts.signatureSchemes, false)}` : '';
  const extensions = hexList(shown, sorted);
  return {
    head: headOf(facts, options),
    suites: hexList(facts.cipherSuites, sorted),
    // Without extensions there is nothing to hash, whatever follows.
    extensions: extensions === '' ? '' : `${extensions}${schemes}`,
  };
}

function headOf(facts: HelloFacts, options: Ja4Options): string {
  const transport = options.transport === 'quic' ? 'q' : 't';
  const destination = facts.extensions.includes(serverName.id) ? 'd' : 'i';
  const counts = `${twoDigits(facts.cipherSuites.length)}${twoDigits(facts.extensions.length)}`;
  return `${transport}${versionOf(facts)}${destination}${counts}${protocolOf(facts.firstProtocol)}`;
}

const VERSIONS: Readonly<Record<number, string>> = {
  772: '13',
  771: '12',
  770: '11',
  769: '10',
  768: 's3',
  2: 's2',
  65279: 'd1',
  65277: 'd2',
  65276: 'd3',
};

function versionOf({ supportedVersions, legacyVersion }: HelloFacts): string {
  const version = supportedVersions === undefined ? legacyVersion : Math.max(0, ...supportedVersions);
  return VERSIONS[version] ?? '00';
}

/** The first and the last character; of its hexadecimal form where either is no letter and no digit. */
function protocolOf(protocol: Uint8Array | undefined): string {
  if (protocol === undefined || protocol.length === 0) return '00';
  const ends = [protocol[0]!, protocol.at(-1)!];
  const characters = ends.map((byte) => String.fromCharCode(byte)).join('');
  if (/^[0-9A-Za-z]{2}$/.test(characters)) return characters;
  const hex = toHex(Uint8Array.from(ends));
  return `${hex[0]}${hex[3]}`;
}

function hexList(values: readonly number[], sorted: boolean): string {
  const texts = values.map((value) => value.toString(16).padStart(4, '0'));
  return (sorted ? texts.sort() : texts).join(',');
}

function twoDigits(count: number): string {
  return String(Math.min(count, 99)).padStart(2, '0');
}

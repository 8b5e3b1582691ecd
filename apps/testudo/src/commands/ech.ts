import { toBase64, toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type EchConfig,
  echKeyToPem,
  encodeEchConfigList,
  generateEchKey,
  parseEchConfigList,
  TlsError,
} from '@testudo/tls';
import { type Command, Option } from 'commander';
import { EXIT, type ExitCode, Failure } from '../failure.ts';
import { readEchConfigList } from '../identity/ech-configs.ts';
import { writeNewPrivateFile } from '../identity/private-files.ts';
import type { Io } from '../io.ts';
import { type Style, styleFor } from '../output/style.ts';
import { indent } from '../output/table.ts';
import { shown } from '../output/text.ts';
import { wholeNumber, writeJson, writeLines } from './ca/common.ts';

/** Adds `testudo ech` and its verbs. */
export function addEch(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const ech = program
    .command('ech')
    .summary('keys for Encrypted Client Hello: make them, show them')
    .description(
      'Keys for Encrypted Client Hello (RFC 9849), which hides the name that a client asks for. A private key has mode ' +
        '0600 and is never overwritten.',
    )
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  testudo ech keygen --public-name public.example.com');
  addKeygen(ech, io, finish);
  addShow(ech, io, finish);
}

function addKeygen(ech: Command, io: Io, finish: (code: ExitCode) => void): void {
  ech
    .command('keygen')
    .summary('make a key')
    .description(
      'Makes a key and writes it with its configuration to a PEM file (RFC 9934), as nginx and OpenSSL read it, too. ' +
        'Clients get the configuration from the DNS record of type HTTPS of each name that is to be hidden.',
    )
    .requiredOption(
      '--public-name <name>',
      'the name for all to see; the server needs a certificate for it, too',
    )
    .option('--out <file>', 'where the key goes (default: the public name with .ech.pem)')
    .addOption(new Option('--kem <kind>', 'kind of key').choices(['x25519', 'secp256r1']).default('x25519'))
    .option('--max-name-length <n>', 'length of the longest hidden name: shorter ones are padded to it', byte)
    .option(
      '--config-id <n>',
      'number of the key, different from that of every other key (default: random)',
      byte,
    )
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  testudo ech keygen --public-name public.example.com --out ech.pem --max-name-length 64',
    )
    .action((options: KeygenOptions) => finish(keygen(options, io)));
}

interface KeygenOptions {
  readonly publicName: string;
  readonly out?: string;
  readonly kem: 'x25519' | 'secp256r1';
  readonly maxNameLength?: number;
  readonly configId?: number;
  readonly json?: boolean;
}

function keygen(options: KeygenOptions, io: Io): ExitCode {
  const { publicName, kem, out: file = `${publicName}.ech.pem` } = options;
  const key = withUsage(() =>
    generateEchKey(nodeCrypto, {
      ...{ publicName, kem, configId: options.configId },
      maximumNameLength: options.maxNameLength,
    }),
  );
  const list = encodeEchConfigList([key.config]);
  writeNewPrivateFile(file, echKeyToPem(key));
  const base64 = toBase64(list);
  const configs = parseEchConfigList(list);
  if (options.json) {
    writeJson(io, { file, echConfigList: base64, dns: `ech=${base64}`, configs: configs.map(configData) });
    return EXIT.ok;
  }
  const style = styleFor(io.stdout, io.env);
  writeLines(io, [
    `A new ECH key, number ${configs[0]!.configId}, for names behind ${publicName}: ${style.strong(file)}`,
    '',
    style.strong('ECHConfigList'),
    `  ${base64}`,
    '',
    style.strong('For the DNS'),
    '  In the record of type HTTPS of each name to be hidden (RFC 9848):',
    `  ech=${base64}`,
    '',
    style.strong('Next'),
    `  The server needs certificates for ${publicName} and for the hidden names. To try it:`,
    `  ${io.program} connect HIDDEN-NAME:443 --ech ${base64}`,
  ]);
  return EXIT.ok;
}

function addShow(ech: Command, io: Io, finish: (code: ExitCode) => void): void {
  ech
    .command('show')
    .summary('show what is in a file of keys or an ECHConfigList')
    .description(
      'Shows the configurations in a PEM file or in the base64 of a DNS record; never a private key.',
    )
    .argument('<file-or-base64>', 'a PEM file, or the value of ech= in a DNS record')
    .option('--json', 'the result as JSON')
    .addHelpText('after', '\nExample:\n  testudo ech show ech.pem')
    .action((source: string, options: { readonly json?: boolean }) => finish(show(source, options, io)));
}

function show(source: string, options: { readonly json?: boolean }, io: Io): ExitCode {
  const list = readEchConfigList(source);
  const configs = parseEchConfigList(list);
  if (options.json) {
    writeJson(io, { echConfigList: toBase64(list), configs: configs.map(configData) });
    return EXIT.ok;
  }
  const style = styleFor(io.stdout, io.env);
  if (configs.length === 0)
    writeLines(io, ['No configuration of version 0xfe0d, the one of RFC 9849, is in it.']);
  writeLines(
    io,
    configs.flatMap((config, index) => [
      ...(index > 0 ? [''] : []),
      style.strong(`Key ${config.configId} for names behind ${shown(config.publicName)}`),
      ...indent(configLines(config, style)),
    ]),
  );
  return EXIT.ok;
}

function configLines(config: EchConfig, style: Style): string[] {
  const { suites, ...rest } = configData(config);
  return [
    `${style.faint('kind of key')}     ${rest.kem}`,
    `${style.faint('public key')}      ${rest.publicKey}`,
    `${style.faint('suites')}          ${suites.join(', ')}`,
    `${style.faint('longest name')}    ${rest.maximumNameLength === 0 ? 'not stated' : `${rest.maximumNameLength} bytes`}`,
    ...(rest.problem === null ? [] : [style.bad(`must not be used: ${shown(rest.problem)}`)]),
  ];
}

function configData(config: EchConfig) {
  return {
    configId: config.configId,
    publicName: config.publicName,
    kem: KEMS[config.kem] ?? hex(config.kem),
    publicKey: toHex(config.publicKey),
    suites: config.cipherSuites.map(
      ({ kdf, aead }) => `${KDFS[kdf] ?? hex(kdf)} ${AEADS[aead] ?? hex(aead)}`,
    ),
    maximumNameLength: config.maximumNameLength,
    extensions: config.extensions.map(({ type }) => type),
    problem: config.problem ?? null,
  };
}

const hex = (number: number): string => `0x${number.toString(16).padStart(4, '0')}`;

/** By the numbers of RFC 9180 §7. */
const KEMS: Readonly<Record<number, string>> = {
  16: 'P-256',
  17: 'P-384',
  18: 'P-521',
  32: 'X25519',
  33: 'X448',
};
const KDFS: Readonly<Record<number, string>> = { 1: 'HKDF-SHA256', 2: 'HKDF-SHA384', 3: 'HKDF-SHA512' };
const AEADS: Readonly<Record<number, string>> = {
  1: 'AES-128-GCM',
  2: 'AES-256-GCM',
  3: 'ChaCha20-Poly1305',
};

function byte(text: string): number {
  return wholeNumber(text, 0, 255);
}

/** A wrong option is the user's. */
function withUsage<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    throw new Failure(error.message, EXIT.usage, error);
  }
}

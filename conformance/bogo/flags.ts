/**
 * Flags without a value. A flag is listed when it is carried out, or when what it asks for holds anyway: nothing has to
 * peek where what comes is handed out as it comes.
 */
const SWITCHES = [
  'advertise-empty-npn',
  'allow-false-start-without-alpn',
  'allow-hint-mismatch',
  'async',
  'cbc-record-splitting',
  'check-close-notify',
  'cnsa-202407',
  'cnsa1-202603',
  'cnsa2-202603',
  'decline-alpn',
  'decline-ocsp-callback',
  'defer-alps',
  'enable-early-data',
  'enable-ech-grease',
  'enable-grease',
  'enable-ocsp-stapling',
  'enable-signed-cert-timestamps',
  'expect-accept-early-data',
  'expect-ech-accept',
  'expect-extended-master-secret',
  'expect-hrr',
  'expect-key-usage-invalid',
  'expect-no-ech-name-override',
  'expect-no-ech-retry-configs',
  'expect-no-hrr',
  'expect-no-next-proto',
  'expect-no-offer-early-data',
  'expect-no-peer-cert',
  'expect-no-peer-match-trust-anchor',
  'expect-no-server-name',
  'expect-no-session',
  'expect-no-session-id',
  'expect-not-resumable-across-names',
  'expect-peer-match-trust-anchor',
  'expect-reject-early-data',
  'expect-resumable-across-names',
  'expect-secure-renegotiation',
  'expect-session-id',
  'expect-session-miss',
  'expect-sha256-client-cert',
  'expect-ticket-renewal',
  'expect-ticket-supports-early-data',
  'expect-verify-result',
  'export-traffic-secrets',
  'fail-cert-callback',
  'fail-ddos-callback',
  'fail-early-callback',
  'fail-ocsp-callback',
  'fallback-scsv',
  'false-start',
  'fips-202205',
  'forbid-renegotiation-after-handshake',
  'handshake-never-done',
  'handshake-twice',
  'ignore-rsa-key-usage',
  'implicit-handshake',
  'install-cert-compression-algs',
  'install-ddos-callback',
  'ipv6',
  'is-handshaker-supported',
  'jdk11-workaround',
  'key-update',
  'key-update-before-read',
  'no-key-shares',
  'no-op-extra-handshake',
  'no-server-name-ack',
  'no-ticket',
  'no-tls1',
  'no-tls11',
  'no-tls12',
  'no-tls13',
  'partial-write',
  'peek-then-read',
  'permute-extensions',
  'read-with-unfinished-write',
  'reject-alpn',
  'renegotiate-explicit',
  'renegotiate-freely',
  'renegotiate-ignore',
  'renegotiate-once',
  'renew-ticket',
  'require-any-client-certificate',
  'retain-only-sha256-client-cert',
  'resumption-across-names-enabled',
  'reverify-on-resume',
  'select-empty-alpn',
  'select-empty-next-proto',
  'send-alert',
  'server',
  'server-preference',
  'set-ocsp-in-callback',
  'shim-shuts-down',
  'shim-writes-first',
  'skip-ticket',
  'tls-unique',
  'use-custom-verify-callback',
  'use-early-callback',
  'use-export-context',
  'use-exporter-between-reads',
  'use-ocsp-callback',
  'use-old-client-cert-callback',
  'use-ticket-aead-callback',
  'use-ticket-callback',
  'verify-fail',
  'verify-peer',
  'wpa-202304',
  'write-different-record-sizes',
] as const;

const NUMBERS = [
  'alps-use-new-codepoint',
  'early-write-after-message',
  'expect-cipher',
  'expect-cipher-aes',
  'expect-cipher-no-aes',
  'expect-curve-id',
  'expect-peer-certificate-type',
  'expect-peer-signature-algorithm',
  'expect-selected-credential',
  'expect-ticket-age-skew',
  'expect-total-renegotiations',
  'expect-version',
  'install-one-cert-compression-alg',
  'export-keying-material',
  'max-cert-list',
  'max-send-fragment',
  'max-version',
  'min-version',
  'port',
  'read-size',
  'resume-count',
  'resumption-delay',
] as const;

/** Numbers that may come more than once. */
const NUMBER_LISTS = [
  'accepted-peer-cert-types',
  'available-client-cert-types',
  'curves',
  'ech-is-retry-config',
  'expect-peer-verify-pref',
  'key-shares',
  'server-supported-groups-hint',
  'verify-prefs',
] as const;

const TEXTS = [
  'advertise-alpn',
  'advertise-npn',
  'application-settings',
  'cipher',
  'expect-advertised-alpn',
  'expect-alpn',
  'expect-client-ca-list',
  'expect-early-data-reason',
  'expect-ech-name-override',
  'expect-msg-callback',
  'expect-next-proto',
  'expect-peer-application-settings',
  'expect-peer-cert-file',
  'expect-server-name',
  'export-context',
  'export-label',
  'host-name',
  'psk',
  'psk-identity',
  'select-alpn',
  'select-next-proto',
  'shim-id',
  'srtp-profiles',
  'trust-cert',
  'use-client-ca-list',
] as const;

/** Bytes in base64. */
const BYTES = [
  'ech-config-list',
  'expect-certificate-types',
  'expect-ech-retry-configs',
  'expect-ocsp-response',
  'expect-peer-available-trust-anchors',
  'expect-peer-rpk-sha256',
  'expect-signed-cert-timestamps',
  'requested-trust-anchors',
] as const;

/** Bytes that may come more than once. */
const BYTE_LISTS = ['ech-server-config', 'ech-server-key'] as const;

/** What belongs to the credential named last, or to the unnamed one before the first. */
const CREDENTIAL_FLAGS = {
  'cert-file': 'text',
  'delegated-credential': 'bytes',
  'key-file': 'text',
  'must-match-issuer': 'switch',
  'ocsp-response': 'bytes',
  'psk-importer-context': 'bytes',
  'psk-importer-identity': 'bytes',
  'psk-importer-key': 'bytes',
  'psk-importer-sha256': 'switch',
  'psk-importer-sha384': 'switch',
  'signed-cert-timestamps': 'bytes',
  'signing-prefs': 'numbers',
  'trust-anchor-id': 'bytes',
} as const;

const NEW_CREDENTIALS: Readonly<Record<string, CredentialKind>> = {
  'new-delegated-credential': 'delegated',
  'new-psk-credential': 'psk',
  'new-rpk-credential': 'rpk',
  'new-x509-credential': 'x509',
};

type CredentialKind = 'default' | 'delegated' | 'psk' | 'rpk' | 'x509';
type Kind = 'switch' | 'number' | 'numbers' | 'text' | 'bytes' | 'byteLists';

/** One set of flags by name; what was not given is undefined, false or empty. */
export class Flags {
  readonly #switches = new Set<string>();
  readonly #values = new Map<string, string[]>();

  has(name: (typeof SWITCHES)[number] | 'must-match-issuer' | 'psk-importer-sha384'): boolean {
    return this.#switches.has(name);
  }

  number(name: (typeof NUMBERS)[number]): number | undefined {
    const value = this.#values.get(name)?.at(-1);
    return value === undefined ? undefined : Number(value);
  }

  numbers(name: (typeof NUMBER_LISTS)[number] | 'signing-prefs'): number[] {
    return (this.#values.get(name) ?? []).map(Number);
  }

  text(name: (typeof TEXTS)[number] | 'cert-file' | 'key-file'): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  bytes(name: (typeof BYTES)[number] | keyof typeof CREDENTIAL_FLAGS): Uint8Array | undefined {
    const value = this.#values.get(name)?.at(-1);
    return value === undefined ? undefined : fromBase64(value);
  }

  byteLists(name: (typeof BYTE_LISTS)[number]): Uint8Array[] {
    return (this.#values.get(name) ?? []).map(fromBase64);
  }

  /** @internal */
  set(name: string, value: string | undefined): void {
    if (value === undefined) this.#switches.add(name);
    else this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
  }
}

/** A credential as the flags describe it. */
export class CredentialFlags extends Flags {
  readonly kind: CredentialKind;

  constructor(kind: CredentialKind) {
    super();
    this.kind = kind;
  }
}

/** What holds for one connection. The unnamed credential comes first. */
export class ConnectionFlags extends Flags {
  readonly credentials: CredentialFlags[] = [new CredentialFlags('default')];
}

/** What holds for the first connection, those that resume, and a client after its early data was refused. */
export interface ShimFlags {
  readonly initial: ConnectionFlags;
  readonly resume: ConnectionFlags;
  readonly retry: ConnectionFlags;
}

/** Thrown for a flag that the shim does not know: the runner then counts the test as not implemented. */
export class UnknownFlag extends Error {}

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...SWITCHES.map((name) => [name, 'switch'] as const),
  ...NUMBERS.map((name) => [name, 'number'] as const),
  ...NUMBER_LISTS.map((name) => [name, 'numbers'] as const),
  ...TEXTS.map((name) => [name, 'text'] as const),
  ...BYTES.map((name) => [name, 'bytes'] as const),
  ...BYTE_LISTS.map((name) => [name, 'byteLists'] as const),
]);

/** Flags as the runner gives them: `-name`, `-name value`, and with `-on-initial`, `-on-resume` or `-on-retry` before the name. */
export function parseFlags(argv: readonly string[]): ShimFlags {
  const flags: ShimFlags = {
    initial: new ConnectionFlags(),
    resume: new ConnectionFlags(),
    retry: new ConnectionFlags(),
  };
  for (let index = 0; index < argv.length; index++) {
    const { name, wanted, isElsewhere } = splitPrefix(argv[index]!);
    const all = wanted === undefined ? [flags.initial, flags.resume, flags.retry] : [flags[wanted]];
    const targets = isElsewhere ? [] : all;
    const credential = NEW_CREDENTIALS[name];
    if (credential !== undefined) {
      for (const target of targets) target.credentials.push(new CredentialFlags(credential));
      continue;
    }
    const ofCredential = CREDENTIAL_FLAGS[name as keyof typeof CREDENTIAL_FLAGS];
    const kind = ofCredential ?? KINDS.get(name);
    if (kind === undefined) throw new UnknownFlag(`unknown flag ${argv[index]}`);
    const value = kind === 'switch' ? undefined : argv[++index];
    if (kind !== 'switch' && value === undefined) throw new Error(`${argv[index - 1]} needs a value`);
    for (const target of targets) {
      (ofCredential === undefined ? target : target.credentials.at(-1)!).set(name, value);
    }
  }
  return flags;
}

/** What is on the handshaker is for a process that BoringSSL moves handshakes to; here there is none. */
function splitPrefix(argument: string): {
  name: string;
  wanted: keyof ShimFlags | undefined;
  isElsewhere: boolean;
} {
  const match = /^-(?:on-(shim|handshaker)-)?(?:on-(initial|resume|retry)-)?(.*)$/.exec(argument);
  if (match === null) throw new UnknownFlag(`not a flag: ${argument}`);
  return {
    name: match[3]!,
    wanted: match[2] as keyof ShimFlags | undefined,
    isElsewhere: match[1] === 'handshaker',
  };
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

import { nodeCrypto } from '@testudo/crypto/node';
import {
  type ClientOptions,
  type CommonOptions,
  type CredentialRequest,
  cipherSuite,
  clientConfig,
  groupById,
  MemorySessionStore,
  type ServerOptions,
  signatureScheme,
  TicketKeys,
  type TicketSealer,
  TlsError,
  type VersionName,
  versionName,
} from '@testudo/tls';
import { legacy, npnClient, npnServer, ssl2Hello } from '@testudo/tls/legacy';
import { certificateCompressions } from './certificate-compressions.ts';
import { suitesFor } from './cipher-list.ts';
import { fitsRequest, loadPsks, matchingIssuer, type ShimCredential } from './credentials.ts';
import { type ConnectionFlags, UnknownFlag } from './flags.ts';
import { keyMisuse } from './key-usage.ts';
import type { Notes } from './notes.ts';
import { policyOf } from './policies.ts';
import { certificateTypes } from './raw-public-keys.ts';
import { asyncIf, sameBytes, splitIdentifiers, splitNames, splitProtocols } from './values.ts';

/** What lasts for all connections of one test. */
export class SharedState {
  /** Milliseconds by which the clock is ahead. */
  clockAhead = 0;
  readonly #start = Date.now();
  /** It stands still but for `-resumption-delay`: the runner counts milliseconds. */
  readonly now = (): number => this.#start + this.clockAhead;
  readonly tickets = new TicketKeys(nodeCrypto, { now: this.now });
  readonly sessions = new MemorySessionStore({ now: this.now });
}

/** BoringSSL verifies these, in this order. */
const VERIFY_PREFERENCES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201];
const ECDSA_SHA1 = 0x0203;
/** What only clients sign with. */
const CLIENT_PKCS1 = 0x0420;
/** BoringSSL's own number for what RSA signs before TLS 1.2. */
const MD5_AND_SHA1 = 0xff01;
const DEFAULT_GROUPS = [0x11ec, 0x001d, 0x0017, 0x0018];
/** Bytes of early data that BoringSSL's server takes. */
const MAX_EARLY_DATA = 14_336;

export function clientOptions(
  flags: ConnectionFlags,
  credentials: readonly ShimCredential[],
  shared: SharedState,
  notes: Notes,
): ClientOptions {
  const psks = [...loadPsks(flags).map(({ psk }) => psk), ...plainPsk(flags)];
  return {
    ...commonOptions(flags, shared),
    verifyCertificate: (request) => {
      checkStapling(flags, request.ocspResponse, notes);
      const misuse = keyMisuse(flags, request, notes);
      if (misuse !== undefined) return { accepted: false, error: misuse };
      if (flags.has('fail-ocsp-callback')) return { accepted: false, error: badStapling() };
      const now = notes.verifierFlags ?? flags;
      return asyncIf(flags.has('async'), verdict(now, verifies(now)));
    },
    ...(flags.text('advertise-alpn') === undefined
      ? {}
      : { alpnProtocols: splitProtocols(flags.text('advertise-alpn')!) }),
    keyShareGroups: shares(flags).map(groupName),
    credentials: (request) => {
      checkRequest(flags, request, notes);
      if (flags.has('fail-cert-callback')) throw new TlsError('internal-error', 'CERT_CB_ERROR');
      const matching = matchingIssuer(credentials, request.certificateAuthorities);
      if (matching.length > 0 && !matching.some((each) => fitsRequest(each, request, notes.version)))
        throw new TlsError('no-common-signature-scheme', 'no credential is what the server asks for');
      return asyncIf(flags.has('async'), matching);
    },
    ...certificateTypes(flags),
    certificateCompression: certificateCompressions(flags),
    ...(psks.length > 0 ? { psks } : {}),
    falseStart: falseStart(flags),
    ...clientNpn(flags),
    fallback: flags.has('fallback-scsv'),
    sessionTickets: !flags.has('no-ticket'),
    trustAnchors: splitIdentifiers(flags.bytes('requested-trust-anchors')),
    requestOcsp: flags.has('enable-ocsp-stapling'),
    requestTimestamps: flags.has('enable-signed-cert-timestamps'),
    grease: flags.has('enable-grease'),
    ...(flags.has('permute-extensions') ? { extensionOrder: 'shuffle' as const } : {}),
    ...echOptions(flags),
  };
}

export function serverOptions(
  flags: ConnectionFlags,
  credentials: readonly ShimCredential[],
  shared: SharedState,
  notes: Notes,
): ServerOptions {
  const psks = [...loadPsks(flags).map(({ psk }) => psk), ...plainPsk(flags)];
  const hint = flags.text('psk-identity');
  const authorities = splitNames(flags.text('use-client-ca-list'));
  return {
    ...commonOptions(flags, shared),
    credentials: (hello) => {
      checkHello(flags, hello.serverName, hello.signatureSchemes, notes);
      refuse(flags);
      return asyncIf(flags.has('async'), matchingIssuer(credentials, hello.certificateAuthorities));
    },
    ...(psks.length > 0
      ? { findPsk: ({ identity }) => psks.find((psk) => Buffer.compare(psk.identity, identity) === 0) }
      : {}),
    ...(hint === undefined || hint === '' ? {} : { pskIdentityHint: Buffer.from(hint) }),
    ...alpnChoice(flags, notes),
    ssl2Hello,
    resumptionAcrossNames: flags.has('resumption-across-names-enabled'),
    sessionsKeepCertificateHash: flags.has('retain-only-sha256-client-cert'),
    ...serverNpn(flags),
    java11Workaround: flags.has('jdk11-workaround'),
    acknowledgeServerName: !flags.has('no-server-name-ack'),
    clientCertificate: clientCertificate(flags),
    ...certificateTypes(flags),
    certificateCompression: certificateCompressions(flags),
    verifyCertificate: (request) => {
      const misuse = keyMisuse(flags, request, notes);
      if (misuse !== undefined) return { accepted: false, error: misuse };
      return asyncIf(flags.has('async'), verdict(flags, true));
    },
    ...(authorities.length > 0 ? { certificateAuthorities: authorities } : {}),
    tickets: flags.has('no-ticket') ? false : refusing(flags, shared, notes),
    sessionStore: {
      get: (id) => shared.sessions.get(id),
      set: (id, session) => {
        notes.storedSession = true;
        shared.sessions.set(id, session);
      },
    },
    ...(flags.has('enable-early-data')
      ? { earlyData: { maxBytes: MAX_EARLY_DATA, ageTolerance: 60_000 } }
      : {}),
    // A list with equally good suites is followed, too.
    preferServerOrder:
      flags.has('server-preference') ||
      flags.has('cnsa-202407') ||
      flags.text('cipher')?.includes('[') === true,
    // BoringSSL's servers always do.
    grease: true,
    ...echKeys(flags),
  };
}

function commonOptions(
  flags: ConnectionFlags,
  shared: SharedState,
): CommonOptions & ReturnType<typeof applicationSettings> {
  const policy = policyOf(flags);
  const fragment = flags.number('max-send-fragment');
  const certificates = flags.number('max-cert-list');
  return {
    provider: nodeCrypto,
    legacy,
    ...versionRange(flags),
    cipherSuites:
      policy === undefined
        ? strongestFirst(flags, suitesFor(flags.text('cipher'), flags.text('psk') !== undefined))
        : policy.suites.map((id) => cipherSuite(id)!.name),
    groups: groups(flags).map(groupName),
    signatureSchemes: schemeNames([
      ...verifyPreferences(flags),
      ...(onlySigns(flags) ? [ECDSA_SHA1] : []),
      ...(flags.has('server') ? [] : [CLIENT_PKCS1]),
    ]),
    now: shared.now,
    dangerouslyNoRecordSplitting: !flags.has('cbc-record-splitting'),
    encryptThenMac: false,
    ...(fragment === undefined ? {} : { maxFragmentLength: fragment }),
    ...(certificates === undefined ? {} : { maxCertificateMessage: certificates }),
    // BoringSSL says nothing, or ends it.
    ...(flags.has('renegotiate-ignore') ? {} : { maxRefusedRenegotiations: 0 }),
    // A HelloRequest is answered at once: what BoringSSL leaves to a call of the application.
    ...(renegotiatesFreely(flags) ? { renegotiation: { limit: 100 } } : {}),
    ...(flags.has('renegotiate-once') ? { renegotiation: { limit: 1 } } : {}),
    ...applicationSettings(flags),
  };
}

/** `protocol,settings`. Whether they come early or with the choice of a protocol is the same here. */
function applicationSettings(
  flags: ConnectionFlags,
): Pick<ClientOptions, 'applicationSettings' | 'applicationSettingsCodePoints'> {
  const given = flags.text('application-settings');
  if (given === undefined) return {};
  const comma = given.indexOf(',');
  return {
    applicationSettings: { [given.slice(0, comma)]: Buffer.from(given.slice(comma + 1)) },
    applicationSettingsCodePoints: [flags.number('alps-use-new-codepoint') === 0 ? 17_513 : 17_613],
  };
}

/** With a policy that wants it, AES with 256 bits goes before all others of TLS 1.3. */
function strongestFirst(flags: ConnectionFlags, suites: readonly string[]): readonly string[] {
  const first = 'TLS_AES_256_GCM_SHA384';
  return flags.has('cnsa-202407') ? [first, ...suites.filter((name) => name !== first)] : suites;
}

/** BoringSSL does not while it shuts down. */
function renegotiatesFreely(flags: ConnectionFlags): boolean {
  const may = flags.has('renegotiate-freely') || flags.has('renegotiate-explicit');
  return may && !flags.has('shim-shuts-down');
}

/** A server that never verifies may have what it only signs with. */
function onlySigns(flags: ConnectionFlags): boolean {
  return flags.has('server') && clientCertificate(flags) === 'none';
}

function verifyPreferences(flags: ConnectionFlags): readonly number[] {
  const given = flags.numbers('verify-prefs');
  const prefs = policyOf(flags)?.signatureSchemes ?? (given.length > 0 ? given : VERIFY_PREFERENCES);
  return prefs.filter((id) => id !== MD5_AND_SHA1);
}

function schemeNames(ids: readonly number[]): string[] {
  return ids.map((id) => {
    const scheme = signatureScheme(id);
    if (scheme === undefined) throw new UnknownFlag(`signature scheme 0x${id.toString(16)}`);
    return scheme.name;
  });
}

function groups(flags: ConnectionFlags): readonly number[] {
  const given = flags.numbers('curves');
  return policyOf(flags)?.groups ?? (given.length > 0 ? given : DEFAULT_GROUPS);
}

/** As BoringSSL does: for the first group, and for the first one of the other kind, with ML-KEM or without. */
function shares(flags: ConnectionFlags): readonly number[] {
  const all = groups(flags);
  const hint = flags.numbers('server-supported-groups-hint');
  const hinted = all.find((id) => hint.includes(id));
  if (hinted !== undefined) return [hinted];
  const given = flags.numbers('key-shares');
  if (given.length > 0 || flags.has('no-key-shares')) return given;
  const second = all.find((id) => isPostQuantum(id) !== isPostQuantum(all[0]!));
  return second === undefined ? all.slice(0, 1) : [all[0]!, second];
}

function isPostQuantum(id: number): boolean {
  const kind = groupById(id)?.kind;
  return kind === 'hybrid' || kind === 'kem';
}

function groupName(id: number): string {
  const group = groupById(id);
  if (group === undefined) throw new UnknownFlag(`group 0x${id.toString(16)}`);
  return group.name;
}

/** As BoringSSL does: from the lowest version that is on, up to the first one that is off. */
function versionRange(flags: ConnectionFlags): { minVersion: VersionName; maxVersion: VersionName } {
  const off = [flags.has('no-tls1'), flags.has('no-tls11'), flags.has('no-tls12'), flags.has('no-tls13')];
  const min = policyOf(flags)?.minVersion ?? flags.number('min-version') ?? 0x0301;
  const max = flags.number('max-version') ?? 0x0304;
  const isOn = (version: number) => version >= min && version <= max && !off[version - 0x0301];
  const versions = [0x0301, 0x0302, 0x0303, 0x0304];
  const first = versions.findIndex(isOn);
  if (first < 0) throw new Error(':NO_SUPPORTED_VERSIONS_ENABLED:');
  const end = versions.findIndex((version, index) => index > first && !isOn(version));
  const last = versions[(end < 0 ? versions.length : end) - 1]!;
  return {
    minVersion: versionName(versions[first]!) as VersionName,
    maxVersion: versionName(last) as VersionName,
  };
}

export function clientCertificate(flags: ConnectionFlags): 'none' | 'request' | 'require' {
  if (flags.has('verify-peer')) return 'request';
  return flags.has('require-any-client-certificate') ? 'require' : 'none';
}

/** A client verifies always, but only gives up where it was told to. */
function verifies(flags: ConnectionFlags): boolean {
  return flags.has('verify-peer') || flags.has('require-any-client-certificate');
}

function verdict(flags: ConnectionFlags, isStrict: boolean): { accepted: boolean; error?: Error } {
  if (!flags.has('verify-fail')) return { accepted: true };
  const code = flags.has('use-custom-verify-callback') ? 'certificate-unknown' : 'client-certificate-missing';
  return { accepted: !isStrict, error: new TlsError(code, 'CERTIFICATE_VERIFY_FAILED') };
}

/** The callbacks of BoringSSL that refuse a ClientHello. */
function refuse(flags: ConnectionFlags): void {
  if (flags.has('fail-early-callback'))
    throw new TlsError('no-common-cipher-suite', 'CONNECTION_REJECTED by the early callback');
  if (flags.has('fail-ddos-callback'))
    throw new TlsError('internal-error', 'CONNECTION_REJECTED by the callback against floods');
  if (flags.has('fail-cert-callback')) throw new TlsError('internal-error', 'CERT_CB_ERROR');
  if (flags.has('fail-ocsp-callback')) throw new TlsError('internal-error', 'OCSP_CB_ERROR');
}

/** A resumption has no certificate to choose, and is refused all the same. */
function refusing(flags: ConnectionFlags, { tickets, now }: SharedState, notes: Notes): TicketSealer {
  return {
    seal: (session) => (flags.has('skip-ticket') ? new Uint8Array(0) : tickets.seal(session)),
    open(ticket) {
      if (flags.has('fail-ddos-callback')) refuse(flags);
      const session = tickets.open(ticket);
      notes.opened ??= session && { session, at: now() };
      return asyncIf(flags.has('async'), session);
    },
  };
}

function badStapling(): TlsError {
  return new TlsError('bad-certificate-status', 'OCSP_CB_ERROR');
}

/** A key of TLS 1.2 (RFC 4279). */
function plainPsk(flags: ConnectionFlags) {
  const key = flags.text('psk');
  if (key === undefined) return [];
  return [{ identity: Buffer.from(flags.text('psk-identity') ?? ''), key: Buffer.from(key) }];
}

function alpnChoice(flags: ConnectionFlags, notes: Notes): Pick<ServerOptions, 'alpnProtocols'> {
  const selected = flags.has('select-empty-alpn') ? '' : flags.text('select-alpn');
  if (flags.has('reject-alpn')) return { alpnProtocols: () => undefined };
  if (flags.has('decline-alpn') || selected === undefined) return {};
  return {
    alpnProtocols: (hello) => {
      const expected = flags.text('expect-advertised-alpn');
      if (expected !== undefined && splitProtocols(expected).join() !== hello.alpnProtocols.join())
        notes.complaints.push('other application protocols were offered than expected');
      return selected === '' || hello.alpnProtocols.includes(selected) ? selected : undefined;
    },
  };
}

/** A second call for the handshake waits for its end. */
function falseStart(flags: ConnectionFlags): ClientOptions['falseStart'] {
  if (!flags.has('false-start') || flags.has('handshake-twice')) return false;
  return flags.has('allow-false-start-without-alpn') ? 'any-server' : true;
}

function clientNpn(flags: ConnectionFlags): Pick<ClientOptions, 'npn'> {
  const selected = flags.has('select-empty-next-proto') ? '' : flags.text('select-next-proto');
  return selected === undefined ? {} : { npn: npnClient(() => selected) };
}

function serverNpn(flags: ConnectionFlags): Pick<ServerOptions, 'npn'> {
  const protocols = flags.has('advertise-empty-npn') ? '' : flags.text('advertise-npn');
  return protocols === undefined ? {} : { npn: npnServer(splitProtocols(protocols)) };
}

/** BoringSSL goes on without ECH where no configuration can be used; here that is for the application to decide. */
function echOptions(flags: ConnectionFlags): Pick<ClientOptions, 'ech'> {
  const configs = flags.bytes('ech-config-list');
  if (configs !== undefined && isUsable(configs)) return { ech: { configs } };
  return flags.has('enable-ech-grease') ? { ech: 'grease' } : {};
}

function isUsable(configs: Uint8Array): boolean {
  try {
    clientConfig({ provider: nodeCrypto, verifyCertificate: () => ({ accepted: true }), ech: { configs } });
    return true;
  } catch (error) {
    if (error instanceof TlsError && error.message.includes('no configuration can be used')) return false;
    throw error;
  }
}

function echKeys(flags: ConnectionFlags): Pick<ServerOptions, 'echKeys'> {
  const keys = flags.byteLists('ech-server-key');
  const isRetry = flags.numbers('ech-is-retry-config');
  const configs = flags.byteLists('ech-server-config');
  if (configs.length === 0) return {};
  return {
    echKeys: configs.map((config, index) => ({
      config,
      privateKey: keys[index]!,
      isRetry: isRetry[index] === 1,
    })),
  };
}

function checkStapling(flags: ConnectionFlags, ocspResponse: Uint8Array | undefined, notes: Notes): void {
  if (flags.bytes('expect-ocsp-response') !== undefined && ocspResponse === undefined)
    notes.complaints.push('the verifier got no OCSP response');
}

function checkHello(
  flags: ConnectionFlags,
  serverName: string | undefined,
  schemes: readonly number[],
  notes: Notes,
): void {
  const expected = flags.text('expect-server-name');
  if (expected !== undefined && expected !== serverName)
    notes.complaints.push(`the client named ${serverName}, not ${expected}`);
  if (flags.has('expect-no-server-name') && serverName !== undefined)
    notes.complaints.push(`the client named ${serverName}`);
  checkSchemes(flags, schemes, notes);
}

function checkRequest(flags: ConnectionFlags, request: CredentialRequest, notes: Notes): void {
  const { certificateAuthorities: authorities, signatureSchemes, keyTypes } = request;
  const expected = flags.text('expect-client-ca-list');
  if (expected !== undefined && Buffer.concat(splitNames(expected)).compare(Buffer.concat(authorities)) !== 0)
    notes.complaints.push('other authorities were named than expected');
  const types = flags.bytes('expect-certificate-types');
  if (types !== undefined && !sameBytes(types, Uint8Array.from(keyTypes ?? [])))
    notes.complaints.push('other kinds of certificates were asked for than expected');
  checkSchemes(flags, signatureSchemes, notes);
}

function checkSchemes(flags: ConnectionFlags, schemes: readonly number[], notes: Notes): void {
  const expected = flags.numbers('expect-peer-verify-pref');
  if (expected.length > 0 && expected.join() !== schemes.join())
    notes.complaints.push(`the peer verifies ${schemes.join()}, not ${expected.join()}`);
}

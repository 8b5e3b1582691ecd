import { invalidValue, wrongType } from '../errors/arguments.ts';

/**
 * Where this door can be stricter than `node:tls`. Each switch is off by default, so that programs get the verdicts and
 * the events of the Node that runs; the option `strict: true`, or `TESTUDO_STRICT=1` in the environment, turns all of them on.
 */
export interface Strictness {
  /**
   * An end of the transport without close_notify is the error `ERR_TESTUDO_TRUNCATED` (RFC 9846 §6.1). Off: it is 'end', as in
   * Node, and the event 'truncated' tells of it.
   */
  readonly closeNotify: boolean;
  /** Only subjectAltName says for whom a certificate is (RFC 9525). Off: as `tls.checkServerIdentity` of Node has it. */
  readonly subjectAltName: boolean;
  /**
   * Chains are judged by RFC 5280 and the profile of `@testudo/x509`, and keys and hashes by its limits, whatever the list of
   * ciphers says. Off: by OpenSSL's rules, at the security level of `ciphers` or else of the Node that runs.
   */
  readonly certificates: boolean;
  /** A certificate that is refused is refused within the handshake, and the peer gets the alert. Off: after it, as in Node. */
  readonly verdictInHandshake: boolean;
  /** Without `ciphers`, a client offers suites with forward secrecy and an AEAD only. Off: it offers those of Node. */
  readonly cipherSuites: boolean;
  /** Without the option `renegotiation`, nothing is renegotiated: the peer is told no. Off: up to TLS 1.2 it is, as in Node. */
  readonly renegotiation: boolean;
}

/** The option: all switches, none of them, or some; those left out are as the environment has them. */
export type StrictOption = boolean | { readonly [Switch in keyof Strictness]?: boolean | undefined };

/** What the option says; undefined is what the environment says. Throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`. */
export function strictnessOf(option: StrictOption | null | undefined): Strictness {
  if (option === true) return ALL;
  if (option === false) return NONE;
  const others = process.env['TESTUDO_STRICT'] === '1' ? ALL : NONE;
  if (option === undefined || option === null) return others;
  if (typeof option !== 'object') {
    throw wrongType('options.strict', 'of type boolean or an instance of Object', option);
  }
  const chosen = { ...others };
  for (const [name, isOn] of Object.entries(option)) {
    // A switch that is misspelt would be off without a word.
    if (!isSwitch(name)) throw invalidValue('options.strict', `has no setting ${name}`, option);
    if (isOn === undefined) continue;
    if (typeof isOn !== 'boolean') throw wrongType(`options.strict.${name}`, 'of type boolean', isOn);
    chosen[name] = isOn;
  }
  return chosen;
}

/** The same text for the same switches: contexts and connections are shared by it. */
export function strictnessKey(strictness: Strictness): string {
  return SWITCHES.filter((name) => strictness[name]).join('+');
}

const NONE = {
  closeNotify: false,
  subjectAltName: false,
  certificates: false,
  verdictInHandshake: false,
  cipherSuites: false,
  renegotiation: false,
} as const satisfies Strictness;

const ALL: Strictness = {
  closeNotify: true,
  subjectAltName: true,
  certificates: true,
  verdictInHandshake: true,
  cipherSuites: true,
  renegotiation: true,
};

const SWITCHES = Object.keys(NONE) as readonly (keyof Strictness)[];

function isSwitch(name: string): name is keyof Strictness {
  return (SWITCHES as readonly string[]).includes(name);
}

import { preferIssuedBy } from '../certificates/choice-by-authorities.ts';
import type { CertificateVerdict } from '../certificates/verdict.ts';
import { TlsError } from '../errors.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { Services } from '../requests.ts';
import { MemoryReplayGuard } from '../sessions/replay-guard.ts';

/** Serves a client's handshake from its options. */
export function clientServices(options: ClientOptions): Services {
  const { credentials, psks } = options;
  return {
    ...NO_SERVICES,
    sign: ({ credential, algorithm, data }) => signed(() => credential.sign(algorithm, data)),
    verifyCertificate: verified(options.verifyCertificate),
    ...(options.verifyRawPublicKey ? { verifyRawPublicKey: verified(options.verifyRawPublicKey) } : {}),
    chooseClientCredential: (request) =>
      typeof credentials === 'function'
        ? credentials(request)
        : preferIssuedBy(credentials ?? [], request.certificateAuthorities),
    choosePsks: (request) => (typeof psks === 'function' ? psks(request) : (psks ?? [])),
  };
}

/** Serves a server's handshake from its options. */
export function serverServices(options: ServerOptions): Services {
  const { credentials, alpnProtocols, tickets, sessionStore, verifyCertificate, findPsk } = options;
  return {
    ...NO_SERVICES,
    sign: ({ credential, algorithm, data }) => signed(() => credential.sign(algorithm, data)),
    chooseCredentials: (hello) => {
      if (typeof credentials === 'function') return credentials(hello);
      return credentials.length === 0 ? undefined : preferIssuedBy(credentials, hello.certificateAuthorities);
    },
    chooseProtocol: (hello) => {
      if (typeof alpnProtocols === 'function') return alpnProtocols(hello);
      return alpnProtocols?.find((protocol) => hello.alpnProtocols.includes(protocol));
    },
    // Why a decryption failed must not show: the flow goes on as if it had not.
    decryptRsa: ({ credential, ciphertext }) => withoutErrors(() => credential.decryptRsa?.(ciphertext)),
    ...(findPsk ? { findPsk } : {}),
    ...(options.earlyData ? { admitEarlyData: earlyDataAdmission(options) } : {}),
    ...(verifyCertificate ? { verifyCertificate: verified(verifyCertificate) } : {}),
    ...(options.verifyRawPublicKey ? { verifyRawPublicKey: verified(options.verifyRawPublicKey) } : {}),
    ...(tickets
      ? { openTicket: (ticket) => tickets.open(ticket), sealTicket: (session) => tickets.seal(session) }
      : {}),
    ...(sessionStore
      ? {
          findSession: (id) => sessionStore.get(id),
          storeSession: ({ id, session }) => sessionStore.set(id, session) as undefined | Promise<undefined>,
        }
      : {}),
  };
}

/** Once by the guard, and only if the application wants it. The guard is asked last: it remembers. */
function earlyDataAdmission({ earlyData, now }: ServerOptions): Services['admitEarlyData'] {
  const guard = earlyData?.replayGuard ?? new MemoryReplayGuard(now === undefined ? {} : { now });
  return ({ info, id, expiresAt }) => {
    const wanted = earlyData?.accept?.(info) ?? true;
    if (wanted instanceof Promise) return wanted.then((yes) => yes && guard.admit(id, expiresAt));
    return wanted && guard.admit(id, expiresAt);
  };
}

const missing = (what: string) => (): never => {
  throw new TlsError('internal-error', `${what} is needed, but nothing here can do it`);
};

const NO_SERVICES: Services = {
  sign: missing('a signature'),
  decryptRsa: missing('a decryption'),
  verifyCertificate: () => ({ accepted: false, error: ONLY_RAW_PUBLIC_KEYS }),
  verifyRawPublicKey: missing('a verdict on a raw public key'),
  compressCertificate: ({ algorithm, data }) => algorithm.compress(data),
  decompressCertificate: ({ algorithm, data, length }) =>
    withoutErrors(() => algorithm.decompress(data, length)),
  chooseCredentials: missing('a credential'),
  chooseProtocol: () => undefined,
  chooseClientCredential: () => [],
  choosePsks: () => [],
  findPsk: () => undefined,
  admitEarlyData: () => false,
  openTicket: () => undefined,
  sealTicket: missing('a ticket'),
  findSession: () => undefined,
  storeSession: () => undefined,
};

const ONLY_RAW_PUBLIC_KEYS = new TlsError(
  'certificate-unsupported',
  'the peer sent an X.509 certificate, but only raw public keys are accepted here',
);

/** A signer's failure is ours, and its message may name keys and hosts: the peer learns nothing of it. */
function signed(sign: () => Uint8Array | Promise<Uint8Array>): Uint8Array | Promise<Uint8Array> {
  const failed = (error: unknown): never => {
    const text = error instanceof Error ? error.message : String(error);
    throw new TlsError('signing-failed', `the private key could not sign: ${text}`, { cause: error });
  };
  try {
    const signature = sign();
    return signature instanceof Promise ? signature.catch(failed) : signature;
  } catch (error) {
    return failed(error);
  }
}

/** Undefined in place of an error. */
function withoutErrors(
  act: () => Uint8Array | undefined | Promise<Uint8Array | undefined>,
): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  try {
    const answer = act();
    return answer instanceof Promise ? answer.catch(() => undefined) : answer;
  } catch {
    return undefined;
  }
}

/** A verifier that fails has not accepted. */
function verified<T>(
  verifier: (request: T) => CertificateVerdict | Promise<CertificateVerdict>,
): (request: T) => CertificateVerdict | Promise<CertificateVerdict> {
  const failed = (error: unknown) => ({
    accepted: false,
    error: error instanceof Error ? error : new Error(String(error)),
  });
  return (request) => {
    try {
      const verdict = verifier(request);
      return verdict instanceof Promise ? verdict.catch(failed) : verdict;
    } catch (error) {
      return failed(error);
    }
  };
}

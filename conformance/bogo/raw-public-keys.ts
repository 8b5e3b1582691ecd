import { createHash } from 'node:crypto';
import { type CertificateType, type RawPublicKeyVerifier, TlsError } from '@testudo/tls';
import { type ConnectionFlags, UnknownFlag } from './flags.ts';
import { asyncIf, sameBytes } from './values.ts';

interface CertificateTypeOptions {
  serverCertificateTypes?: CertificateType[];
  clientCertificateTypes?: CertificateType[];
  verifyRawPublicKey?: RawPublicKeyVerifier;
}

/** Which certificate types (RFC 7250) are taken and shown, for client and server. */
export function certificateTypes(flags: ConnectionFlags): CertificateTypeOptions {
  const accepted = flags.numbers('accepted-peer-cert-types').map(typeName);
  const given = flags.numbers('available-client-cert-types').map(typeName);
  const available = given.length > 0 ? given : typesOfCredentials(flags);
  const takesKeys = accepted.includes('raw-public-key');
  const isServer = flags.has('server');
  const [server, client] = isServer ? [[], accepted] : [accepted, available];
  return {
    ...(server.length > 0 ? { serverCertificateTypes: server } : {}),
    ...(client.length > 0 ? { clientCertificateTypes: client } : {}),
    ...(takesKeys ? { verifyRawPublicKey: verifier(flags) } : {}),
  };
}

/** In the order in which they are named first. */
function typesOfCredentials({ credentials }: ConnectionFlags): CertificateType[] {
  const shown = credentials.filter(({ kind }) => kind === 'rpk' || kind === 'x509');
  return [...new Set(shown.map(({ kind }) => (kind === 'rpk' ? 'raw-public-key' : 'x509')))];
}

function verifier(flags: ConnectionFlags): RawPublicKeyVerifier {
  return ({ key }) => {
    const expected = flags.bytes('expect-peer-rpk-sha256');
    const actual = createHash('sha256').update(key.spki).digest();
    const isRight = expected === undefined || sameBytes(expected, actual);
    if (isRight && !flags.has('verify-fail')) return asyncIf(flags.has('async'), { accepted: true });
    return { accepted: false, error: new TlsError('certificate-unknown', 'CERTIFICATE_VERIFY_FAILED') };
  };
}

function typeName(code: number): CertificateType {
  if (code === 0) return 'x509';
  if (code === 2) return 'raw-public-key';
  throw new UnknownFlag(`certificate type ${code}`);
}

import { Buffer } from 'node:buffer';
import type { EventEmitter } from 'node:events';
import { Certificate } from '@testudo/x509';
import type { Credential } from '../../certificates/credential.ts';
import { statusRequest } from '../../extensions/certificate-status.ts';
import { clientHello } from '../../messages/client-hello.ts';
import { decodeMessage } from '../../messages/handshake-type.ts';
import type { ClientHelloInfo } from '../../requests.ts';
import { signatureScheme } from '../../signature-schemes.ts';
import { checkBytes } from '../errors/arguments.ts';
import { answering, callOut } from '../errors/user-error.ts';
import type { EngineSocket } from '../socket/engine-socket.ts';

/** Gives a server's credentials the OCSP responses that are to go with them. */
export type Stapler = (
  hello: ClientHelloInfo,
  credentials: readonly Credential[],
) => readonly Credential[] | Promise<readonly Credential[]>;

/**
 * Asks those who listen to 'OCSPRequest', as Node: with the certificate that this client will be shown and its issuer
 * (null when that is not in the chain), both DER. No response leaves the handshake without one; an error ends it.
 */
export function stapler(server: EventEmitter, socket: EngineSocket): Stapler {
  return (hello, credentials) => {
    if (!asksForStatus(hello)) return credentials;
    const shown = credentials.find((candidate) => fits(candidate, hello));
    const leaf = shown?.certificates[0];
    if (shown === undefined || leaf === undefined) return credentials;
    return new Promise((resolve, reject) => {
      const take = (response: Uint8Array | null | undefined): void => {
        if (!response) {
          resolve(credentials);
          return;
        }
        checkBytes('response', response);
        const stapled: Credential = { ...shown, ocspResponse: new Uint8Array(response) };
        resolve(credentials.map((one) => (one === shown ? stapled : one)));
      };
      const answer = answering('OCSPRequest', socket, take, reject);
      const issuer = issuerOf(leaf, shown.certificates);
      callOut('OCSPRequest', () => server.emit('OCSPRequest', Buffer.from(leaf), issuer, answer), reject);
    });
  };
}

function asksForStatus({ message }: ClientHelloInfo): boolean {
  const { extensions } = decodeMessage(clientHello, { type: clientHello.type, raw: message });
  return extensions.has(statusRequest);
}

/** The engine takes the first credential that has a scheme the client knows. */
function fits(candidate: Credential, hello: ClientHelloInfo): boolean {
  return hello.signatureSchemes.some((id) => {
    const scheme = signatureScheme(id);
    const [version] = hello.supportedVersions;
    return scheme?.fits(candidate.keyKind, version as never) === true;
  });
}

function issuerOf(leaf: Uint8Array, chain: readonly Uint8Array[]): Buffer | null {
  const { issuer, isSelfIssued } = Certificate.parse(leaf);
  if (isSelfIssued) return Buffer.from(leaf);
  const found = chain.slice(1).find((der) => Certificate.parse(der).subject.key === issuer.key);
  return found === undefined ? null : Buffer.from(found);
}

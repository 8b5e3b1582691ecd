import type { KeyKind } from '@testudo/crypto';
import type { Message } from '../../messages/handshake-type.ts';
import { type ServerKeyExchange, serverKeyExchange } from '../../messages/key-exchange.ts';
import type { CipherSuite } from '../../suites/index.ts';
import type { Terms } from '../terms.ts';
import { keyExchangeOf } from './index.ts';

/** ServerKeyExchange as the suite and the version have it. */
export function keyExchangeMessage({ rules, suite }: Terms): Message<ServerKeyExchange> {
  const named = rules.namesSignatureSchemes ? 'named' : 'unnamed';
  return serverKeyExchange(keyExchangeOf(suite).serverParams, isSigned(suite) ? named : 'none');
}

/** Whether a server with this suite has a certificate to show. */
export function showsCertificate(suite: CipherSuite): boolean {
  return suite.authentication !== 'psk' && suite.authentication !== 'anon';
}

/** Who shares a key with the client, or shows it nothing, must not ask for its certificate (RFC 4279 §2, RFC 5246 §7.4.4). */
export function mayAskForCertificate(suite: CipherSuite): boolean {
  return showsCertificate(suite) && suite.keyExchange !== 'RSA_PSK';
}

/** A session does not tell the name of a shared key, so who resumed one could not be told from others. */
export function isResumable({ keyExchange }: CipherSuite): boolean {
  return !keyExchange.endsWith('PSK');
}

/** An ephemeral exchange is signed by the key in the certificate. */
export function isSigned(suite: CipherSuite): boolean {
  return showsCertificate(suite) && (suite.keyExchange === 'ECDHE' || suite.keyExchange === 'DHE');
}

/** Whether a certificate's key does what the suite asks of it. EdDSA keys go with ECDSA suites (RFC 8422 §2.1). */
export function keyFitsSuite(key: KeyKind, suite: CipherSuite): boolean {
  switch (suite.authentication) {
    case 'rsa':
      return key.type === 'rsa' || (key.type === 'rsa-pss' && isSigned(suite));
    case 'ecdsa':
      return key.type === 'ec' || key.type === 'ed25519' || key.type === 'ed448';
    case 'dsa':
      return key.type === 'dsa';
    default:
      return false;
  }
}

import type { Scratch } from './scratch.ts';

/** A key on P-256, for `openssl req`. */
export const EC_KEY: readonly string[] = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** Makes certificates with the program `openssl` in a scratch folder: NAME.pem with NAME.key, for /CN=NAME unless it is said. */
export interface OpensslCa {
  /** A self-signed certificate. */
  selfSigned(name: string, key?: readonly string[], ...more: readonly string[]): void;
  /** A new key, and a request for it: NAME.csr. */
  request(name: string, key?: readonly string[], commonName?: string): void;
  /** A certificate for the request NAME.csr, by the CA `by`, with these lines of extensions; without any it is of version 1. */
  sign(name: string, by: string, extensions: string, ...more: readonly string[]): void;
}

/** To be called in the body of a suite whose folder it is. */
export function opensslCa(scratch: Scratch): OpensslCa {
  const openssl = (...args: readonly string[]): void => void scratch.run('openssl', ...args);
  const request = (key: readonly string[], name: string, commonName: string): readonly string[] => [
    ...['req', ...key, '-nodes', '-keyout', `${name}.key`, '-subj', `/CN=${commonName}`],
  ];
  return {
    selfSigned(name, key = EC_KEY, ...more) {
      openssl(...request(key, name, name), '-x509', '-out', `${name}.pem`, '-days', '30', ...more);
    },
    request(name, key = EC_KEY, commonName = name) {
      openssl(...request(key, name, commonName), '-new', '-out', `${name}.csr`);
    },
    sign(name, by, extensions, ...more) {
      scratch.write(`${name}.ext`, extensions);
      openssl(
        ...[
          'x509',
          '-req',
          '-in',
          `${name}.csr`,
          '-CA',
          `${by}.pem`,
          '-CAkey',
          `${by}.key`,
          '-CAcreateserial',
        ],
        ...['-out', `${name}.pem`, '-days', '20'],
        ...(extensions === '' ? [] : ['-extfile', `${name}.ext`]),
        ...more,
      );
    },
  };
}

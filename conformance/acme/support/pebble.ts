import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';
import { folderWith } from '#app/testing';
import { freePort, Program } from '../../interop/support/program.ts';

/** Pebble, the test server of Let's Encrypt, with a DNS of its own in which every name is 127.0.0.1. */
export interface Pebble {
  readonly directory: string;
  /** File with the CA of its HTTPS. */
  readonly ca: string;
  /** Where it comes to look for challenges. */
  readonly ports: { readonly http: number; readonly tls: number };
  /** The root of what it issues, PEM. */
  root(): Promise<string>;
  stop(): Promise<void>;
  readonly program: Program;
}

export interface PebbleOptions {
  readonly ports?: { readonly http: number; readonly tls: number };
  /** Percent of good nonces that it refuses. Default 0. */
  readonly refusedNonces?: number;
  /** By their IDs; with them it wants an external account. */
  readonly macKeys?: Readonly<Record<string, string>>;
  /** Seconds for which its certificates are good. */
  readonly validity?: number;
}

export async function startPebble(options: PebbleOptions = {}): Promise<Pebble> {
  const folder = folderWith();
  const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'for the directory' });
  const issued = authority.issue({ purpose: 'server', names: ['localhost', '127.0.0.1'] });
  const file = (name: string, content: string): string => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const ca = file('ca.pem', certificateToPem(authority.certificate));
  const ports = options.ports ?? { http: await freePort(), tls: await freePort() };
  const [port, management, dns, dnsManagement] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const names = new Program('pebble-challtestsrv', [
    ...['-management', `127.0.0.1:${dnsManagement}`, '-dns01', `127.0.0.1:${dns}`],
    ...['-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', '-http01', '', '-https01', '', '-tlsalpn01', ''],
  ]);
  await names.expect(/Starting management server/i);
  const configuration = {
    pebble: {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: file('cert.pem', certificateToPem(issued.certificate)),
      privateKey: file('key.pem', privateKeyToPem(issued.privateKey!)),
      httpPort: ports.http,
      tlsPort: ports.tls,
      ocspResponderURL: '',
      externalAccountBindingRequired: options.macKeys !== undefined,
      externalAccountMACKeys: options.macKeys ?? {},
      ...(options.validity === undefined ? {} : { certificateValidityPeriod: options.validity }),
    },
  };
  const config = file('pebble.json', JSON.stringify(configuration));
  const program = new Program('pebble', ['-strict', '-config', config, '-dnsserver', `127.0.0.1:${dns}`], {
    env: {
      ...process.env,
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_WFE_NONCEREJECT: String(options.refusedNonces ?? 0),
      PEBBLE_AUTHZREUSE: '0',
    },
  });
  await program.expect(/ACME directory available at/);
  return {
    directory: `https://localhost:${port}/dir`,
    ca,
    ports,
    program,
    root: () => fetchText(`https://localhost:${management}/roots/0`, certificateToPem(authority.certificate)),
    async stop() {
      await program.stop();
      await names.stop();
    },
  };
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

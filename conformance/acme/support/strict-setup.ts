import { readdirSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { connectTls, TestClock } from '#app/testing';
import { freePort } from '../../interop/support/program.ts';
import { StrictCa } from './strict-ca.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** A CA, and where it looks. */
export async function startCa(): Promise<{ ca: StrictCa; tls: number; http: number }> {
  const ports = { tls: await freePort(), http: await freePort() };
  return { ca: await new StrictCa(ports).listen(), ...ports };
}

/** A clock for the gateway and the CA. */
export function clockFor(ca: StrictCa): { clock: TestClock; random: () => number } {
  const clock = new TestClock();
  ca.now = () => clock.now();
  return { clock, random: () => 0.5 };
}

/** One listener with a certificate for these names. */
export const listener = (port: number, names = 'one.test'): string =>
  `listeners: [{ listen: "127.0.0.1:${port}", certificate: acme, names: [${names}], echo: true }]`;

/** What the gateway shows now. */
export async function shown(
  port: number,
  servername = 'one.test',
): Promise<{ serial: string; issuer: string }> {
  const socket = await connectTls(port, { servername, rejectUnauthorized: false });
  const { serialNumber, issuer } = socket.getPeerCertificate();
  socket.destroy();
  return { serial: serialNumber, issuer: String(issuer.CN) };
}

export function request(
  port: number,
  path: string,
  host = 'one.test',
): Promise<{ status: number; location: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode!, location: String(response.headers.location) });
    }).on('error', reject);
  });
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

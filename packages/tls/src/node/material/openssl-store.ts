import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { flag } from '../as-node/command-line.ts';

/** Whether the program was started with `--use-openssl-ca`. */
export function usesOpensslStore(): boolean {
  return flag('--use-openssl-ca');
}

/**
 * The texts in which OpenSSL looks for roots: the file that SSL_CERT_FILE names, and the files with hashes for names in
 * the directories of SSL_CERT_DIR, or else those of Linux distributions. What cannot be read is left out, as OpenSSL does.
 */
export function opensslStore(): string[] {
  const file = process.env['SSL_CERT_FILE'] ?? '/etc/ssl/cert.pem';
  const directories = process.env['SSL_CERT_DIR'] ?? '/etc/ssl/certs';
  return [file, ...directories.split(':').flatMap(hashedFiles)].flatMap(read);
}

function hashedFiles(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name));
    return names.map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function read(file: string): string[] {
  try {
    return [readFileSync(file, 'latin1')];
  } catch {
    return [];
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect } from 'vitest';
import { connectTls, folderWith } from '#app/testing';
import { cleanUp } from '../interop/support/clean-up.ts';

const PROGRAM = resolve(import.meta.dirname, '../../apps/testudo/bin/testudo.mjs');

/** `testudo up` as a process of its own, for real signals; it does not outlive the test. */
export class GatewayProcess {
  readonly folder: string = folderWith();
  readonly file: string = join(this.folder, 'testudo.yaml');
  child!: ChildProcess;
  out = '';
  log = '';

  /** Writes the configuration. */
  write(...listeners: string[]): void {
    writeFileSync(
      this.file,
      `data: ./data\ndrain: 1m\nlisteners:\n${listeners.map((one) => `  - { ${one} }\n`).join('')}`,
    );
  }

  async start(): Promise<void> {
    this.child = spawn(process.execPath, [PROGRAM, 'up', '--config', this.file]);
    cleanUp(() => void this.child.kill('SIGKILL'));
    this.child.stdout!.on('data', (chunk) => {
      this.out += chunk;
    });
    this.child.stderr!.on('data', (chunk) => {
      this.log += chunk;
    });
    await expect.poll(() => this.out, { timeout: 30_000 }).toContain('Ctrl+C ends it');
  }

  /** Sends SIGHUP, and waits until the log says what became of it. */
  async reload(): Promise<string> {
    const before = this.log.length;
    this.child.kill('SIGHUP');
    const added = (): string => this.log.slice(before);
    await expect
      .poll(added, { timeout: 30_000 })
      .toMatch(/"msg":"configuration and certificates (reloaded|not reloaded)/);
    return added();
  }

  /** A client that trusts the local CA. */
  connect(port: number): Promise<TLSSocket> {
    return connectTls(port, { ca: readFileSync(join(this.folder, 'data', 'ca.pem')) });
  }
}

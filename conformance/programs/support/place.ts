import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp } from '../../interop/support/clean-up.ts';
import type { Identity } from '../../interop/support/identities.ts';

export const isRoot: boolean = process.getuid?.() === 0;

/** Where a server keeps everything; it belongs to `user` when we are root, since most refuse to be that. */
export class Place {
  readonly folder: string;
  readonly cert: string;
  readonly key: string;
  readonly user: string;
  readonly ids: { uid?: number; gid?: number };

  constructor(name: string, user: string, identity: Identity) {
    this.user = isRoot ? user : process.env['USER'] || String(process.getuid?.());
    this.ids = isRoot ? { uid: id(user, '-u'), gid: id(user, '-g') } : {};
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`));
    cleanUp(() => rmSync(this.folder, { recursive: true, force: true }));
    this.cert = this.path('cert.pem');
    this.key = this.path('key.pem');
    copyFileSync(identity.cert, this.cert);
    copyFileSync(identity.key, this.key);
    chmodSync(this.key, 0o600);
    for (const path of [this.folder, this.cert, this.key]) this.give(path);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  give(path: string): void {
    const { uid, gid } = this.ids;
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  }

  makeFolder(name: string): string {
    const path = this.path(name);
    mkdirSync(path, { mode: 0o700 });
    this.give(path);
    return path;
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    this.give(this.path(name));
    return this.path(name);
  }
}

function id(user: string, which: '-u' | '-g'): number {
  return Number(execFileSync('id', [which, user], { encoding: 'utf8' }));
}

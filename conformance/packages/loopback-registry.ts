import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { npm, tarballName } from '../../scripts/packages/pack.mjs';
import { type Manifest, manifestOf } from './outsiders.ts';

export interface LoopbackRegistry {
  readonly url: string;
  close(): void;
}

interface Published {
  readonly manifest: Manifest;
  readonly file: string;
}

/** A registry on loopback that has the packages in `places`, as they are installed here, and no others. */
export async function loopbackRegistry(places: readonly string[], folder: string): Promise<LoopbackRegistry> {
  await npm(['pack', ...places, '--ignore-scripts', '--pack-destination', folder], folder);
  const all = places.map((place) => {
    const manifest = manifestOf(place);
    return { manifest, file: join(folder, tarballName(manifest)) };
  });
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const file = all.find((one) => one.file.endsWith(`/${path}`));
    if (file !== undefined) return response.end(readFileSync(file.file));
    const versions = all.filter(({ manifest }) => manifest.name === path);
    if (versions.length === 0) response.statusCode = 404;
    return response.end(JSON.stringify(documentOf(path, versions, urlOf(server))));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: urlOf(server),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What a registry says of a package: each version's manifest, and where its tarball is. */
function documentOf(name: string, versions: readonly Published[], url: string): object {
  const entries = versions.map(({ manifest, file }) => {
    const sum = createHash('sha512').update(readFileSync(file)).digest('base64');
    const dist = { tarball: `${url}${file.slice(file.lastIndexOf('/') + 1)}`, integrity: `sha512-${sum}` };
    return [manifest.version, { ...manifest, dist }] as const;
  });
  return { name, 'dist-tags': { latest: entries.at(-1)?.[0] }, versions: Object.fromEntries(entries) };
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

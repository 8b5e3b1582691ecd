// Loads a TypeScript file, with the packages' sources, through the Vite that Vitest brings along.

import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** @param {URL} url of the file. The module, and `close`, without which the process does not end. */
export async function load(url) {
  const conditions = ['testudo-source', 'module', 'node', 'import', 'default'];
  const server = await createServer({
    configFile: false,
    root: fileURLToPath(new URL('../..', import.meta.url)),
    logLevel: 'error',
    appType: 'custom',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
    resolve: { conditions },
    ssr: { noExternal: [/^@testudo\//], resolve: { conditions } },
  });
  const module = await server.ssrLoadModule(fileURLToPath(url));
  return { ...module, close: () => server.close() };
}

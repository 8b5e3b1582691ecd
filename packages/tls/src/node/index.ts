/** `node:tls` over this package's engine: `import tls from '@testudo/tls/node'`, or by name. */
export * from './door.ts';
export * as default from './door.ts';

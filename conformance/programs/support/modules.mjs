// What a program imports: Node's own modules, or where it asks for ours by name, those.

const byImport = process.env.TLS_BY === 'import';

export const tls = (await import(byImport ? '@testudo/tls/node' : 'node:tls')).default;
export const https = (await import(byImport ? '@testudo/tls/https' : 'node:https')).default;
export const http2 = (await import(byImport ? '@testudo/tls/http2' : 'node:http2')).default;
export { byImport };

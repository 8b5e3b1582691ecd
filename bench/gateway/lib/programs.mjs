import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram } from './process-tree.mjs';

/** What the others are held against. */
export const REFERENCE = 'haproxy';

const TESTUDO = fileURLToPath(new URL('../../../apps/testudo/bin/testudo.mjs', import.meta.url));
const TEN_LINES = fileURLToPath(new URL('../ten-lines.mjs', import.meta.url));
/** Where Debian puts it, as part of libnginx-mod-stream. */
const NGINX_STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so';

const SUITE = 'TLS_AES_128_GCM_SHA256';
const GROUP = 'X25519';

/**
 * The programs, each with one worker and, where it has them, one thread. `modes`: whether it speaks HTTP with the server
 * behind (`proxy`), or passes bytes on (`forward`). `start` gets `{ mode, port, backend, pem, folder }`, where `pem` holds
 * certificate and key, and answers with the command to run.
 */
export const PROGRAMS = [
  {
    name: 'haproxy',
    package: 'haproxy',
    command: '/usr/sbin/haproxy',
    version: ['-v'],
    modes: ['proxy', 'forward'],
    start(options) {
      return ['-db', '-f', written(options, 'haproxy.cfg', haproxyConfig(options))];
    },
  },
  {
    name: 'testudo',
    command: process.execPath,
    version: ['--version'],
    modes: ['proxy', 'forward'],
    start(options) {
      const config = written(options, 'testudo.yaml', testudoConfig(options));
      return [TESTUDO, 'up', '--config', config, '--data', join(options.folder, 'data')];
    },
    nodeOptions: true,
  },
  {
    name: 'ten-lines',
    command: process.execPath,
    version: ['--version'],
    modes: ['proxy'],
    start({ port, backend, pem }) {
      const limits = { minVersion: 'TLSv1.3', ciphers: SUITE, ecdhCurve: GROUP };
      return [TEN_LINES, String(port), String(backend), pem, JSON.stringify(limits)];
    },
    nodeOptions: true,
  },
  {
    name: 'nginx',
    package: 'nginx',
    command: '/usr/sbin/nginx',
    version: ['-v'],
    modes: existsSync(NGINX_STREAM) ? ['proxy', 'forward'] : ['proxy'],
    lacks: 'libnginx-mod-stream is not installed',
    start: (options) => nginxArguments(options, nginxConfig(options)),
  },
  {
    name: 'stunnel',
    package: 'stunnel4',
    command: '/usr/bin/stunnel4',
    version: ['-version'],
    modes: ['forward'],
    start: (options) => [written(options, 'stunnel.conf', stunnelConfig(options))],
  },
  {
    name: 'hitch',
    package: 'hitch',
    command: '/usr/sbin/hitch',
    version: ['--version'],
    modes: ['forward'],
    start: (options) => [`--config=${written(options, 'hitch.conf', hitchConfig(options))}`],
  },
];

/** Starts one. */
export function start({ name, command, start, nodeOptions }, { profile, ...options }) {
  const more =
    nodeOptions && profile !== undefined ? ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`] : [];
  return startProgram(name, command, [...more, ...start(options)], { cwd: options.folder });
}

/** What it says its version is; undefined where it is not installed. */
export function versionOf({ command, version }) {
  const { error, stdout, stderr } = spawnSync(command, version, { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  return /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}

/** An nginx that answers each request with 100 bytes, in front of nothing. */
export function startAnsweringNginx({ port, folder }) {
  const inside = `server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { default_type text/plain; return 200 "${'testudo '.repeat(13).slice(0, 100)}"; }
  }`;
  const args = nginxArguments({ folder }, nginxFrame(folder, `http { ${HTTP_FRAME(folder)} ${inside} }`));
  return startProgram('the server behind', '/usr/sbin/nginx', args, { cwd: folder });
}

function written({ folder }, name, text) {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Where it is, nginx's workers could not read its folder, and hitch refuses workers that are. */
function isRoot() {
  return process.getuid() === 0;
}

function nginxArguments(options, text) {
  return ['-e', 'stderr', '-p', options.folder, '-c', written(options, 'nginx.conf', text)];
}

function nginxFrame(folder, body, modules = '') {
  return `${modules}
${isRoot() ? 'user root;' : ''}
daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 16384; }
${body}
`;
}

/** No limit that would end a connection, no log, and no file for what a buffer does not hold. */
const HTTP_FRAME = (folder) => `
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on; client_max_body_size 0;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;`;

function nginxConfig({ mode, port, backend, pem, folder }) {
  const tls = `listen 127.0.0.1:${port} ssl backlog=4096;
    ssl_certificate ${pem}; ssl_certificate_key ${pem}; ssl_protocols TLSv1.3; ssl_ecdh_curve ${GROUP};
    ssl_conf_command Ciphersuites ${SUITE};`;
  if (mode === 'forward')
    return nginxFrame(
      folder,
      `stream { server { ${tls} proxy_pass 127.0.0.1:${backend}; } }`,
      `load_module ${NGINX_STREAM};`,
    );
  return nginxFrame(
    folder,
    `http { ${HTTP_FRAME(folder)}
  upstream behind { server 127.0.0.1:${backend}; keepalive 64; keepalive_requests 1000000000; }
  server { ${tls}
    location / {
      proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https;
      proxy_request_buffering off; proxy_max_temp_file_size 0;
    }
  } }`,
  );
}

function haproxyConfig({ mode, port, backend, pem }) {
  const isProxy = mode === 'proxy';
  return `global
  nbthread 1
  maxconn 9000
defaults
  mode ${isProxy ? 'http' : 'tcp'}
  timeout connect 10s
  timeout client 10m
  timeout server 10m
  ${isProxy ? 'timeout http-keep-alive 10m\n  http-reuse always\n  option forwardfor' : ''}
frontend front
  bind 127.0.0.1:${port} backlog 4096 ssl crt ${pem} ssl-min-ver TLSv1.3 ciphersuites ${SUITE} curves ${GROUP}
  ${isProxy ? 'http-request set-header X-Forwarded-Proto https' : ''}
  default_backend behind
backend behind
  server one 127.0.0.1:${backend}
`;
}

function testudoConfig({ mode, port, backend, pem }) {
  return `listeners:
  - listen: "127.0.0.1:${port}"
    certificate: ${pem}
    key: ${pem}
    minVersion: TLSv1.3
    cipherSuites: [${SUITE}]
    groups: [x25519]
    ${mode === 'proxy' ? `proxy: http://127.0.0.1:${backend}` : `forward: 127.0.0.1:${backend}`}
`;
}

function stunnelConfig({ port, backend, pem, folder }) {
  return `foreground = yes
pid =
debug = err
output = ${folder}/stunnel.log
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[front]
accept = 127.0.0.1:${port}
connect = 127.0.0.1:${backend}
cert = ${pem}
sslVersionMin = TLSv1.3
ciphersuites = ${SUITE}
curves = ${GROUP}
TIMEOUTidle = 600
`;
}

function hitchConfig({ port, backend, pem }) {
  return `frontend = "[127.0.0.1]:${port}"
backend = "[127.0.0.1]:${backend}"
pem-file = "${pem}"
workers = 1
backlog = 4096
daemon = off
log-level = 0
${isRoot() ? 'user = "nobody"' : ''}
tls-protos = TLSv1.3
ciphersuites = "${SUITE}"
ecdh-curve = "${GROUP}"
`;
}

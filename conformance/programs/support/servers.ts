import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../../interop/support/identities.ts';
import { freePort, Program, startOnFreePort } from '../../interop/support/program.ts';
import { isRoot, Place } from './place.ts';

// Servers from Debian's packages, each with TLS, in a folder of its own that is removed afterwards.

/** The port, for TLS only. */
export async function startRedis(identity: Identity): Promise<number> {
  const place = new Place('redis', 'nobody', identity);
  const tls = ['--tls-cert-file', place.cert, '--tls-key-file', place.key, '--tls-ca-cert-file', place.cert];
  const where = [
    '--bind',
    '127.0.0.1',
    '--dir',
    place.folder,
    '--save',
    '',
    '--appendonly',
    'no',
    '--port',
    '0',
  ];
  const start = (port: number) =>
    new Program(
      'redis-server',
      [...where, ...tls, '--tls-auth-clients', 'no', '--tls-port', String(port)],
      place.ids,
    );
  return (await startOnFreePort(start, /Ready to accept connections/)).port;
}

/** The port, for TLS only. */
export async function startMosquitto(identity: Identity): Promise<number> {
  const place = new Place('mosquitto', 'nobody', identity);
  const start = (port: number) => {
    const lines = [`listener ${port} 127.0.0.1`, `certfile ${place.cert}`, `keyfile ${place.key}`];
    const config = place.write('conf', `${lines.join('\n')}\nallow_anonymous true\npersistence false\n`);
    return new Program('mosquitto', ['-c', config], place.ids);
  };
  return (await startOnFreePort(start, /mosquitto version \S+ running/)).port;
}

/** The port; the user `postgres` needs no password, and TLS is there for who asks. */
export async function startPostgres(identity: Identity): Promise<number> {
  const place = new Place('postgres', 'nobody', identity);
  const programs = newestFolder('/usr/lib/postgresql', 'bin');
  const data = place.path('data');
  const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--no-locale', '-E', 'UTF8'];
  execFileSync(join(programs, 'initdb'), init, { ...place.ids, cwd: place.folder, stdio: 'pipe' });
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    ssl: 'on',
    ssl_cert_file: place.cert,
    ssl_key_file: place.key,
  };
  const start = (port: number) =>
    new Program(
      { path: join(programs, 'postgres') },
      ['-D', data, '-p', String(port), ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])],
      { ...place.ids, stopSignal: 'SIGINT' },
    );
  return (await startOnFreePort(start, /ready to accept connections/)).port;
}

/** The port; every user is taken, and TLS is there for who asks. */
export async function startMariadb(identity: Identity): Promise<number> {
  const place = new Place('mariadb', 'nobody', identity);
  const start = (port: number) =>
    new Program(
      'mariadbd',
      [
        ...['--no-defaults', '--skip-grant-tables', '--skip-networking=0', '--bind-address=127.0.0.1'],
        ...[`--datadir=${place.folder}`, `--socket=${place.path('socket')}`, `--port=${port}`],
        ...[`--ssl-cert=${place.cert}`, `--ssl-key=${place.key}`, '--innodb-flush-log-at-trx-commit=0'],
      ],
      { ...place.ids, stopSignal: 'SIGTERM' },
    );
  return (await startOnFreePort(start, /ready for connections/)).port;
}

/** Ports with STARTTLS and with TLS at once; `somebody` has the password `secret`. */
export async function startDovecot(identity: Identity): Promise<{ imap: number; imaps: number }> {
  const place = new Place('dovecot', 'nobody', identity);
  const imaps = await freePort();
  const [mail, base] = [place.makeFolder('mail'), place.path('run')];
  const { uid = process.getuid?.(), gid = process.getgid?.() } = place.ids;
  // Its parts talk through sockets in its base folder, which they must reach.
  chmodSync(place.folder, 0o755);
  const start = (imap: number) => {
    const config = `
protocols = imap
base_dir = ${base}
log_path = /dev/stderr
listen = 127.0.0.1
ssl = required
ssl_cert = <${place.cert}
ssl_key = <${place.key}
mail_location = maildir:${mail}
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = ${isRoot ? 'dovecot' : place.user}
default_login_user = ${isRoot ? 'dovenull' : place.user}
${isRoot ? '' : `default_internal_group = ${nameOfGroup()}`}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${mail}
}
service imap-login {
  ${isRoot ? '' : 'chroot ='}
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = ${imaps}
    ssl = yes
  }
}
service anvil {
  ${isRoot ? '' : 'chroot ='}
}
service stats {
  ${isRoot ? '' : 'chroot ='}
}
`;
    return new Program('dovecot', ['-F', '-c', place.write('conf', config)], { stopSignal: 'SIGTERM' });
  };
  const { port: imap } = await startOnFreePort(start, /starting up for imap/);
  return { imap, imaps };
}

function nameOfGroup(): string {
  return execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
}

function newestFolder(parent: string, inside: string): string {
  const version = readdirSync(parent)
    .sort((a, b) => Number(a) - Number(b))
    .at(-1)!;
  return join(parent, version, inside);
}

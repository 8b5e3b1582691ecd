import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Identity } from '../../interop/support/identities.ts';
import { freePort, Program, startOnFreePort } from '../../interop/support/program.ts';
import { isRoot, Place } from './place.ts';

// Servers from Debian's packages that begin in the clear and go on in TLS, each in a folder of its own.

/** The port; anybody may upload to the folder `up`, and data connections must resume the session. */
export async function startVsftpd(identity: Identity): Promise<number> {
  const place = new Place('vsftpd', 'nobody', identity);
  chmodSync(place.folder, 0o755);
  const top = place.path('top');
  mkdirSync(top, { mode: 0o555 });
  const up = place.makeFolder('top/up');
  chmodSync(up, 0o777);
  mkdirSync(place.path('empty'), { mode: 0o555 });
  const config = place.path('conf');
  const start = (port: number) => {
    // Not given away: it must belong to who starts the server.
    writeFileSync(
      config,
      `
listen=YES
listen_address=127.0.0.1
listen_port=${port}
background=NO
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
anon_root=${top}
write_enable=YES
anon_upload_enable=YES
anon_umask=022
ftp_username=ftp
nopriv_user=nobody
secure_chroot_dir=${place.path('empty')}
seccomp_sandbox=NO
run_as_launching_user=${isRoot ? 'NO' : 'YES'}
ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
require_ssl_reuse=YES
ssl_tlsv1=YES
ssl_ciphers=HIGH
rsa_cert_file=${place.cert}
rsa_private_key_file=${place.key}
`,
    );
    return new Program('vsftpd', [config], { stopSignal: 'SIGTERM' });
  };
  const port = await freePort();
  const program = start(port);
  await untilItListens(port, program);
  return port;
}

/** Ports with STARTTLS and with TLS at once; whoever comes without a name is let in. */
export async function startProsody(identity: Identity): Promise<{ port: number; direct: number }> {
  const place = new Place('prosody', 'nobody', identity);
  const direct = await freePort();
  const start = (port: number) => {
    const config = place.write(
      'conf.lua',
      `
data_path = "${place.makeFolder(`data${port}`)}"
pidfile = "${place.path('pid')}"
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { ${direct} }
s2s_ports = {}
http_ports = {}
https_ports = {}
component_ports = {}
modules_enabled = { "roster", "saslauth", "tls", "disco" }
modules_disabled = { "s2s" }
c2s_require_encryption = true
run_as_root = true
log = { info = "*console" }
ssl = { certificate = "${place.cert}", key = "${place.key}" }
c2s_direct_tls_ssl = { certificate = "${place.cert}", key = "${place.key}" }
VirtualHost "localhost"
  authentication = "anonymous"
`,
    );
    return new Program('prosody', ['-F', '--config', config], { ...place.ids, stopSignal: 'SIGTERM' });
  };
  const { port } = await startOnFreePort(start, /Activated service 'c2s_direct_tls'/);
  return { port, direct };
}

/** Ports with StartTLS and with TLS at once; `cn=admin,dc=example,dc=org` has the password `secret`. */
export async function startSlapd(identity: Identity): Promise<{ ldap: number; ldaps: number }> {
  const place = new Place('slapd', 'nobody', identity);
  const ldaps = await freePort();
  const data = place.makeFolder('data');
  const start = (ldap: number) => {
    const config = place.write(
      'conf',
      `
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${place.path('pid')}
TLSCertificateFile ${place.cert}
TLSCertificateKeyFile ${place.key}
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw secret
directory ${data}
`,
    );
    const urls = `ldap://127.0.0.1:${ldap} ldaps://127.0.0.1:${ldaps}`;
    return new Program('slapd', ['-f', config, '-h', urls, '-d', '256'], {
      ...place.ids,
      stopSignal: 'SIGTERM',
    });
  };
  const { port: ldap } = await startOnFreePort(start, /slapd starting/);
  return { ldap, ldaps };
}

/** The port; it speaks first, and then only TLS. */
export async function startNats(identity: Identity): Promise<number> {
  const place = new Place('nats', 'nobody', identity);
  const start = (port: number) =>
    new Program(
      'nats-server',
      ['-a', '127.0.0.1', '-p', String(port), '--tls', '--tlscert', place.cert, '--tlskey', place.key],
      { ...place.ids, stopSignal: 'SIGTERM' },
    );
  return (await startOnFreePort(start, /Server is ready/)).port;
}

/** For one that says nothing: asks until it is there, or has ended. */
async function untilItListens(port: number, program: Program): Promise<void> {
  let ended = false;
  void program.exit().then(() => {
    ended = true;
  });
  while (!(await answers(port))) {
    if (ended) throw new Error(`it ended before it listened: ${program.output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

import type { TrustedRoot } from './stores.ts';

/** How to trust a root in one place, and how to take that back. */
export interface Instruction {
  readonly where: string;
  /** Commands, or what to click. */
  readonly trust: readonly string[];
  readonly undo: readonly string[];
}

/** For each kind of system and program that keeps its own list of roots. `file` is the root, PEM. */
export function trustInstructions(file: string, { name, nickname }: TrustedRoot): Instruction[] {
  const pem = shellWord(file);
  const windows = `"${file}"`;
  const debian = `/usr/local/share/ca-certificates/${name}.crt`;
  const fedora = `/etc/pki/ca-trust/source/anchors/${name}.pem`;
  const nss = (database: string): Pick<Instruction, 'trust' | 'undo'> => ({
    trust: [`certutil -A -d ${database} -n ${shellWord(nickname)} -t C,, -i ${pem}`],
    undo: [`certutil -D -d ${database} -n ${shellWord(nickname)}`],
  });
  return [
    {
      where: 'Debian, Ubuntu',
      trust: [`sudo cp ${pem} ${debian}`, 'sudo update-ca-certificates'],
      undo: [`sudo rm ${debian}`, 'sudo update-ca-certificates --fresh'],
    },
    {
      where: 'Fedora, RHEL',
      trust: [`sudo cp ${pem} ${fedora}`, 'sudo update-ca-trust'],
      undo: [`sudo rm ${fedora}`, 'sudo update-ca-trust'],
    },
    {
      where: 'Alpine',
      trust: ['apk add ca-certificates', `cp ${pem} ${debian}`, 'update-ca-certificates'],
      undo: [`rm ${debian}`, 'update-ca-certificates --fresh'],
    },
    {
      where: 'Arch',
      trust: [`sudo trust anchor --store ${pem}`],
      undo: [`sudo trust anchor --remove ${pem}`],
    },
    {
      where: 'macOS',
      trust: [`sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${pem}`],
      undo: [`sudo security remove-trusted-cert -d ${pem}`],
    },
    {
      where: 'Windows (as administrator)',
      trust: [`certutil -addstore -f Root ${windows}`],
      undo: ['certmgr.msc: Trusted Root Certification Authorities, Certificates, delete it'],
    },
    { where: 'Chromium, Chrome on Linux', ...nss('sql:$HOME/.pki/nssdb') },
    {
      where: 'Firefox',
      trust: [
        'Settings, Privacy & Security, View Certificates, Authorities, Import; or, with PROFILE from about:profiles:',
        ...nss('sql:PROFILE').trust,
      ],
      undo: nss('sql:PROFILE').undo,
    },
    {
      where: 'Java',
      trust: [`keytool -importcert -noprompt -cacerts -storepass changeit -alias ${name} -file ${pem}`],
      undo: [`keytool -delete -cacerts -storepass changeit -alias ${name}`],
    },
    {
      where: 'Node.js',
      trust: [`export NODE_EXTRA_CA_CERTS=${pem}`],
      undo: ['unset NODE_EXTRA_CA_CERTS'],
    },
    {
      where: 'curl, testudo connect',
      trust: [`curl --cacert ${pem} https://\u2026`, `testudo connect --ca ${pem} \u2026`],
      undo: [],
    },
  ];
}

/** A word of a shell's command line: quoted where it must be. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

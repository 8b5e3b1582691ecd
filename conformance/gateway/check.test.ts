import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { main, testIo } from '#app/testing';
import { EC_KEY, opensslCa } from '../support/openssl-ca.ts';
import { withPrograms } from '../support/programs.ts';
import { useScratch } from '../support/scratch.ts';

// `testudo up --check` on what operators have on their disks: certificates by OpenSSL, in all the wrong ways.

withPrograms('openssl')('up --check', () => {
  const scratch = useScratch('up-check');
  const { selfSigned, request, sign } = opensslCa(scratch);

  /** The files, one behind the other. */
  const joined = (...names: string[]): string => names.map((name) => scratch.text(name)).join('');
  const NAMES = 'subjectAltName=DNS:localhost\n';
  const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n';

  function prepare(): void {
    selfSigned('root');
    selfSigned('stranger');
    request('middle');
    sign('middle', 'root', CA);
    // A CA of the same name with another key.
    request('double', EC_KEY, 'middle');
    sign('double', 'root', CA);
    request('leaf');
    sign('leaf', 'middle', NAMES);
  }

  /** What is said of a certificate and a key, each a file or the content of one. */
  async function checked(certificate: string, key: string | Uint8Array = scratch.text('leaf.key')) {
    scratch.write(
      'testudo.yaml',
      'listeners: [{ name: web, listen: "127.0.0.1:0", certificate: cert.pem, key: key.pem, echo: true }]',
    );
    scratch.write('cert.pem', certificate);
    writeFileSync(scratch.path('key.pem'), key, { mode: 0o600 });
    return check();
  }

  async function check() {
    const io = testIo();
    const code = await main(['up', '--check', '--config', scratch.path('testudo.yaml')], io);
    return { code, said: io.err().replaceAll(scratch.path('x').slice(0, -1), ''), out: io.out() };
  }

  test('the order of certificates, and what belongs to them', async () => {
    prepare();
    const good = joined('leaf.pem', 'middle.pem');
    expect(await checked(good)).toMatchObject({ code: 0, said: '' });
    expect(await checked(joined('leaf.pem', 'middle.pem', 'root.pem'))).toMatchObject({ code: 0, said: '' });
    for (const [text, code, message] of [
      [joined('middle.pem', 'leaf.pem'), 1, 'the one for the key key.pem has to come first'],
      [
        joined('leaf.pem', 'root.pem', 'middle.pem'),
        1,
        'the certificates are in the wrong order: behind the certificate comes "CN=root", and not "CN=middle"',
      ],
      [
        joined('leaf.pem', 'double.pem'),
        1,
        'the certificate is not signed with the key of "CN=middle" behind it',
      ],
      [
        joined('leaf.pem', 'stranger.pem'),
        0,
        'note: web: cert.pem: "CN=stranger" has issued nothing that stands before it',
      ],
      [joined('leaf.pem', 'middle.pem', 'stranger.pem'), 0, '"CN=stranger" has issued nothing'],
      [joined('leaf.pem', 'leaf.pem', 'middle.pem'), 0, 'is in the file twice'],
      [
        joined('leaf.pem', 'middle.pem', 'middle.pem'),
        0,
        'the intermediate certificate "CN=middle" is in the file twice',
      ],
    ] as const) {
      const { said, ...rest } = await checked(text);
      expect([rest.code, said]).toEqual([code, expect.stringContaining(message)]);
      expect(said.trim().split('\n')).toHaveLength(1);
    }
    expect(await checked(joined('leaf.pem'))).toMatchObject({ code: 0, said: '' });
    sign('leaf', 'middle', `${NAMES}authorityInfoAccess=caIssuers;URI:http://a.test/middle.crt\n`);
    expect((await checked(joined('leaf.pem'))).said).toMatch(
      /^note: .*there is no intermediate certificate in it/,
    );
    expect((await checked(joined('leaf.pem', 'middle.pem'))).said).toBe('');
  });

  test('what clients refuse: short keys, weak signatures, other purposes', async () => {
    for (const [key, extensions, more, message] of [
      [['-newkey', 'rsa:1024'], NAMES, [], 'the certificate has a key of 1024 bits'],
      [['-newkey', 'rsa:2048'], NAMES, ['-sha1'], 'the certificate is signed with ECDSA with SHA-1'],
      [
        EC_KEY,
        `${NAMES}extendedKeyUsage=clientAuth\n`,
        [],
        'the certificate is not for servers (extendedKeyUsage)',
      ],
      [EC_KEY, `${NAMES}extendedKeyUsage=codeSigning,emailProtection\n`, [], 'is not for servers'],
      [
        EC_KEY,
        `${NAMES}keyUsage=critical,keyAgreement\n`,
        [],
        'may not sign (keyUsage without digitalSignature)',
      ],
    ] as const) {
      request('bad', key);
      sign('bad', 'middle', extensions, ...more);
      const { code, said } = await checked(joined('bad.pem', 'middle.pem'), scratch.text('bad.key'));
      expect([code, said]).toEqual([1, expect.stringContaining(message)]);
      expect(said.trim().split('\n')).toHaveLength(1);
    }
    for (const extensions of [
      `${NAMES}extendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature\n`,
      `${NAMES}extendedKeyUsage=anyExtendedKeyUsage\n`,
    ]) {
      request('fine');
      sign('fine', 'middle', extensions);
      expect(await checked(joined('fine.pem', 'middle.pem'), scratch.text('fine.key'))).toMatchObject({
        code: 0,
        said: '',
      });
    }
    // A weak intermediate, too.
    request('old', ['-newkey', 'rsa:1024']);
    sign('old', 'root', CA);
    request('young');
    sign('young', 'old', NAMES);
    expect(await checked(joined('young.pem', 'old.pem'), scratch.text('young.key'))).toMatchObject({
      code: 1,
      said: expect.stringContaining('the intermediate certificate "CN=old" has a key of 1024 bits'),
    });
  });

  test('texts of other systems are read', async () => {
    sign('leaf', 'middle', NAMES);
    const [certificate, key] = [joined('leaf.pem', 'middle.pem'), scratch.text('leaf.key')];
    const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');
    for (const change of [
      (text: string) => Buffer.from(text.replaceAll('\n', '\r\n')),
      (text: string) => Buffer.from(`\ufeff${text}`),
      (text: string) => Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`),
      utf16,
      (text: string) => utf16(text).swap16(),
      (text: string) => Buffer.from(`# a comment\n\n${text}\n\n`),
    ]) {
      expect(await checked(change(certificate) as unknown as string, change(key))).toMatchObject({
        code: 0,
        said: '',
      });
    }
  });

  test('files that are none, and keys that do not fit', async () => {
    const good = joined('leaf.pem', 'middle.pem');
    const key = scratch.text('leaf.key');
    for (const [certificate, own, message] of [
      ['', key, 'cert.pem: cannot use the certificate: no CERTIFICATE block'],
      ['junk', key, 'cert.pem: cannot use the certificate'],
      [good.slice(0, 300), key, 'cert.pem: cannot use the certificate'],
      [key, key, 'no CERTIFICATE block in the PEM text; it has PRIVATE KEY'],
      [good, '', 'key.pem: cannot use the private key: no PRIVATE KEY block'],
      [
        good,
        good,
        'key.pem: cannot use the private key: no PRIVATE KEY block in the PEM text; it has CERTIFICATE',
      ],
      [good, key.slice(0, 100), 'key.pem: cannot use the private key'],
      [good, scratch.text('root.key'), 'key.pem: this key does not belong to the certificate in cert.pem'],
    ] as const) {
      const { code, said } = await checked(certificate, own);
      expect([code, said]).toEqual([1, expect.stringContaining(message)]);
      expect(said.trim().split('\n')).toHaveLength(1);
      expect(said).not.toContain(key.split('\n')[1]);
    }
    mkdirSync(scratch.path('folder'));
    scratch.write(
      'testudo.yaml',
      'listeners: [{ name: web, listen: "127.0.0.1:0", certificate: folder, key: folder, echo: true }]',
    );
    expect((await check()).said).toMatch(
      /^testudo: web: folder: cannot read the certificate: it is a directory\n$/,
    );
  });
});

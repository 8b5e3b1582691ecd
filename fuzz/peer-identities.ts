import { encode } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Credential,
  clientConfig,
  credential,
  type DelegatedCredential,
  issueDelegatedCredential,
  pinnedKeys,
  rawPublicKeyCredential,
} from '@testudo/tls';
import { zlibCertificates } from '@testudo/tls/node';
import {
  certificate13,
  clientEnd,
  compressedCertificate,
  delegatedCredential,
  ExtensionBlock,
  PuppetServer13,
  SERVER_NAME,
  serverCertificateType,
  type TestPki,
} from '#tls/testing';

// Peers that show themselves in other ways than a plain chain: raw public keys, compressed certificates, delegated keys.

const delegatedKey = nodeCrypto.generateKey({ type: 'ed25519' });

/** A server with a compressed certificate that delegates, and one with a raw public key, for our clients. */
export async function identityPuppets(
  pki: TestPki,
): Promise<readonly (readonly [string, () => PuppetServer13, (p: PuppetServer13) => void])[]> {
  const issued = pki.authority.issue({ purpose: 'server', names: [SERVER_NAME], delegationUsage: true });
  const delegator = credential(nodeCrypto, [issued.certificate.der], issued.privateKey!);
  const delegated = await issueDelegatedCredential(nodeCrypto, { delegator, key: delegatedKey });
  const raw = rawPublicKeyCredential(nodeCrypto, nodeCrypto.generateKey({ type: 'ed25519' }));
  const common = { provider: nodeCrypto, verifyCertificate: pki.verifier() };
  const compressing = clientConfig({
    ...common,
    ...{ certificateCompression: [zlibCertificates], acceptDelegatedCredentials: true },
  });
  const pinning = clientConfig({ ...common, verifyRawPublicKey: pinnedKeys([raw.rawPublicKey!]) });
  return [
    [
      'a client of 1.3, a compressed certificate that delegates',
      () => new PuppetServer13(nodeCrypto, clientEnd(compressing), signing(delegator, delegated)),
      (p) => {
        p.sendServerHello().send(p.encryptedExtensions());
        p.send(compressed(p, delegator, delegated), p.certificateVerify(), p.finished()).enterApplication();
      },
    ],
    [
      'a client of 1.3, a raw public key',
      () => new PuppetServer13(nodeCrypto, clientEnd(pinning), raw),
      (p) => {
        p.sendServerHello().send(p.encryptedExtensions((block) => block.set(serverCertificateType, 2)));
        p.send(p.certificate({ chain: [raw.rawPublicKey!] }), p.certificateVerify(), p.finished());
        p.enterApplication();
      },
    ],
  ];
}

/** The puppet signs with its credential's key: the delegated one. */
function signing(delegator: Credential, { scheme, sign }: DelegatedCredential): Credential {
  return { ...delegator, keyKind: delegatedKey.kind, signatureSchemes: [scheme.name], sign };
}

function compressed(
  p: PuppetServer13,
  { certificates }: Credential,
  delegated: DelegatedCredential,
): Uint8Array {
  const extensions = new ExtensionBlock('certificate').set(delegatedCredential, delegated.signed);
  const body = encode(certificate13.codec, {
    certificateRequestContext: new Uint8Array(0),
    certificateList: certificates.map((certData) => ({ certData, extensions })),
  });
  return p.encoded(compressedCertificate, {
    algorithm: 1,
    uncompressedLength: body.length,
    compressedCertificateMessage: zlibCertificates.compress(body) as Uint8Array,
  });
}

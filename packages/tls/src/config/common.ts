import { TlsError } from '../errors.ts';
import { groupByName, groupFits } from '../groups/index.ts';
import type { CommonOptions } from '../options/common.ts';
import { MAX_PLAINTEXT } from '../record/content-type.ts';
import { signatureSchemeByName } from '../signature-schemes.ts';
import type { CipherSuite } from '../suites/index.ts';
import { cipherSuiteByName, suiteAvailable, suiteFits } from '../suites/index.ts';
import type { VersionRules } from '../tls12/version-rules.ts';
import { rules12 } from '../tls12/version-rules.ts';
import type { Version } from '../versions.ts';
import { TLS12, TLS13, versionName, versionsBetween } from '../versions.ts';
import { flag, inRange, named } from './checks.ts';
import type { CommonConfig } from './config.ts';
import * as defaults from './defaults.ts';
import type { CommonSettings } from './settings.ts';

/** What both sides have in common. Throws `bad-option`. */
export function commonConfig(
  options: CommonOptions,
  hasPsks: boolean,
): Omit<CommonConfig, 'features' | keyof CommonSettings> {
  const { provider, legacy } = options;
  const rules = new Map([rules12, ...(legacy?.rules ?? [])].map((each) => [each.version, each]));
  const { versions, cipherSuites } = versionsAndSuites(options, rules);
  const groups =
    options.groups === undefined
      ? defaults.defaultGroups(provider)
      : named('group', options.groups, groupByName);
  // A group that none of the versions has would only show what this side could do otherwise.
  const fitting = groups.filter((group) => versions.some((version) => groupFits(group, version)));
  const usableGroups = fitting.length > 0 ? fitting : groups;
  const missing = groups.find((group) => !group.available(provider));
  if (missing !== undefined) {
    throw new TlsError('bad-option', `the ${provider.name} provider cannot do ${missing.name}: leave it out`);
  }
  const signatureSchemes =
    options.signatureSchemes === undefined
      ? defaults.defaultSignatureSchemes()
      : named('signature scheme', options.signatureSchemes, signatureSchemeByName);
  const legacyScheme = signatureSchemes.find((scheme) => scheme.isLegacy);
  if (legacyScheme !== undefined && legacy === undefined) {
    throw new TlsError(
      'bad-option',
      `${legacyScheme.name} can be forged: to accept it anyway, give legacy from @testudo/tls/legacy`,
    );
  }
  return {
    provider,
    versions,
    rules,
    legacy,
    cipherSuites,
    groups: usableGroups,
    groups13: groups.filter((group) => groupFits(group, TLS13)),
    finiteFields: defaults.finiteFieldsOf(groups).filter((field) => field.available(provider)),
    hasPsks,
    signatureSchemes,
    signatureSchemeIds: signatureSchemes.map((scheme) => scheme.id),
    signatureSchemes12: signatureSchemes.filter((scheme) => scheme.tls12),
    signatureSchemes13: signatureSchemes.filter((scheme) => scheme.tls13),
    serverSchemes13: signatureSchemes.filter((scheme) => scheme.tls13 && scheme.isForClients !== true),
    now: options.now ?? Date.now,
    padding: options.padding,
    allocate: options.allocate ?? zeroed,
    splitsRecords: !flag(options, 'dangerouslyNoRecordSplitting', false),
    fragmentLength: inRange(
      'maxFragmentLength',
      options.maxFragmentLength ?? MAX_PLAINTEXT,
      64,
      MAX_PLAINTEXT,
    ),
    limits: {
      handshakeMessage: defaults.MAX_HANDSHAKE_MESSAGE,
      certificateMessage: inRange(
        'maxCertificateMessage',
        options.maxCertificateMessage ?? defaults.MAX_CERTIFICATE_MESSAGE,
        1024,
        0xffffff,
      ),
    },
    exposesSecrets: flag(options, 'exposeSecrets', false),
    keyUpdateAfter: inRange('keyUpdateAfter', options.keyUpdateAfter ?? 2 ** 48, 1, 2 ** 48),
    alertFor: options.alertFor,
  };
}

function versionsAndSuites(
  options: CommonOptions,
  rules: ReadonlyMap<Version, VersionRules>,
): Pick<CommonConfig, 'versions' | 'cipherSuites'> {
  const { provider, legacy } = options;
  const min = options.minVersion ?? defaults.DEFAULT_MIN_VERSION;
  const between = versionsBetween(min, options.maxVersion ?? defaults.DEFAULT_MAX_VERSION);
  const old = between.find((version) => version < TLS12 && !rules.has(version));
  if (old !== undefined) {
    throw new TlsError(
      'bad-option',
      `${versionName(old)} is broken: to use it anyway, give legacy from @testudo/tls/legacy`,
    );
  }
  const cipherSuites =
    options.cipherSuites === undefined
      ? defaults.defaultCipherSuites(provider)
      : named('cipher suite', options.cipherSuites, cipherSuiteByName);
  for (const suite of cipherSuites) {
    if (suite.isLegacy && legacy === undefined) {
      throw new TlsError(
        'bad-option',
        `${suite.name} protects nothing: to use it anyway, give legacy from @testudo/tls/legacy`,
      );
    }
    if (suite.authentication === 'anon' && options.dangerouslyAllowAnonymous !== true) {
      throw new TlsError('bad-option', `${suite.name} needs dangerouslyAllowAnonymous`);
    }
    if (!suiteAvailable(suite, provider)) {
      throw new TlsError('bad-option', `the ${provider.name} provider cannot do ${suite.name}: leave it out`);
    }
  }
  if (options.dangerousCompression !== undefined && between.includes(TLS13))
    throw new TlsError('bad-option', 'dangerousCompression needs a maxVersion of TLSv1.2: TLS 1.3 has none');
  const versions = between.filter((version) => cipherSuites.some((suite) => suiteFits(suite, version)));
  if (versions.length === 0) {
    throw new TlsError('bad-option', 'none of the cipher suites belongs to one of the versions');
  }
  const usable = (suite: CipherSuite) => versions.some((version) => suiteFits(suite, version));
  return { versions, cipherSuites: cipherSuites.filter(usable) };
}

function zeroed(length: number): Uint8Array {
  return new Uint8Array(length);
}

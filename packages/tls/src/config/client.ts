import { clientEchOffer } from '../ech/chosen-config.ts';
import { TlsError } from '../errors.ts';
import { groupByName } from '../groups/index.ts';
import type { ClientOptions } from '../options/client.ts';
import { insistsOnPsk } from '../psk/required-psk.ts';
import { TLS13 } from '../versions.ts';
import { checkedProtocols, named, needTls13 } from './checks.ts';
import { commonConfig } from './common.ts';
import type { ClientConfig } from './config.ts';
import * as defaults from './defaults.ts';
import { clientFeatures } from './features.ts';
import { clientServices } from './services.ts';
import { clientSettings } from './settings.ts';

/** Checks a client's options once, for many connections. Throws `bad-option`. */
export function clientConfig(options: ClientOptions): ClientConfig {
  const common = commonConfig(
    insistsOnPsk(options) ? { ...options, minVersion: 'TLSv1.3' } : options,
    options.psks !== undefined,
  );
  const keyShareGroups =
    options.keyShareGroups === undefined
      ? defaults.defaultKeyShareGroups(common.groups13)
      : options.keyShareGroups.length === 0
        ? []
        : named('group', options.keyShareGroups, groupByName);
  if (keyShareGroups.some((group) => !common.groups13.includes(group))) {
    throw new TlsError('bad-option', 'keyShareGroups must be among groups, and known to TLS 1.3');
  }
  const known = common.versions.includes(TLS13) ? common.signatureSchemes : common.signatureSchemes12;
  const toVerify = known.filter(({ isForClients }) => isForClients !== true);
  if (toVerify.length === 0)
    throw new TlsError('bad-option', 'signatureSchemes has none that servers sign with');
  const echOffer = clientEchOffer(options.provider, options.ech);
  if (typeof echOffer === 'object') {
    checkedProtocols(echOffer.outerAlpnProtocols);
    needTls13('ech', common);
  }
  return {
    ...common,
    ...clientSettings(options),
    signatureSchemeIds: toVerify.map(({ id }) => id),
    options,
    services: clientServices(options),
    keyShareGroups,
    features: clientFeatures(options),
    echOffer,
  };
}

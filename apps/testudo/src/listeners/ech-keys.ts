import { readFileSync } from 'node:fs';
import { type EchKey, parseEchConfigList, parseEchKeys, type ServerConfig, TlsError } from '@testudo/tls';
import { Failure, systemReason } from '../failure.ts';

/**
 * The keys for Encrypted Client Hello in these files; undefined where there are none. Clients are told those of the first
 * file; the others are for those who still have an older configuration. Throws a `Failure`.
 */
export function echKeysIn(files: readonly string[]): readonly EchKey[] | undefined {
  if (files.length === 0) return undefined;
  return files.flatMap((file, index) => read(file).map((key) => ({ ...key, isRetry: index === 0 })));
}

/** Who has another key is told ours by a server that shows a certificate for the public name. Throws a `Failure`. */
export function checkPublicNames(
  { echServerKeys }: ServerConfig,
  hasCertificate: (name: string) => boolean,
): void {
  if (echServerKeys === undefined) return;
  const { publicName } =
    parseEchConfigList(echServerKeys.retryConfigs).find((config) => !hasCertificate(config.publicName)) ?? {};
  if (publicName === undefined) return;
  throw new Failure(
    `ech: clients see the name ${publicName}, but no certificate here is for it: without one they cannot be told a new key`,
    2,
  );
}

function read(file: string): EchKey[] {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    throw new Failure(`${file}: cannot read the ECH key: ${systemReason(error)}`, 1, error);
  }
  try {
    return parseEchKeys(text);
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    throw new Failure(`${file}: ${error.message}; make one with: testudo ech keygen`, 1, error);
  }
}

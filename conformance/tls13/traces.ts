import { readFileSync } from 'node:fs';
import { fromHex } from '@testudo/codec';
import type { AgreementKey, CryptoProvider } from '@testudo/crypto';
import { splitRecords } from '#tls/testing';

export type TraceName = 'simple' | 'resumed' | 'retry' | 'clientAuthentication' | 'compatibility';

/** One trace of RFC 8448; see the README next to the data. */
export interface Trace {
  readonly section: string;
  readonly clientPrivateKeys: readonly string[];
  readonly serverPrivateKey: string;
  readonly [name: string]: string | readonly string[];
}

const TRACES = JSON.parse(
  readFileSync(new URL('../vectors/rfc8448/traces.json', import.meta.url), 'utf8'),
) as Readonly<Record<TraceName, Trace>>;

export function trace(name: TraceName): Trace {
  return TRACES[name];
}

/** The bytes under a name. */
export function bytes(from: Trace, name: string): Uint8Array {
  const hex = from[name];
  if (typeof hex !== 'string') throw new Error(`the trace has no ${name}`);
  return fromHex(hex);
}

/** The one record under a name, without its header. */
export function content(from: Trace, name: string): Uint8Array {
  const [first, ...others] = splitRecords(bytes(from, name));
  if (first === undefined || others.length > 0) throw new Error(`${name} is not one record`);
  return first.subarray(5);
}

/** A provider whose ephemeral keys are these, one after the other. */
export function withKeys(provider: CryptoProvider, privateKeys: readonly string[]): CryptoProvider {
  const left = [...privateKeys];
  return {
    ...provider,
    keyAgreement(curve) {
      const agreement = provider.keyAgreement(curve);
      if (agreement === undefined) return undefined;
      const generate = (): AgreementKey => agreement.fromPrivate(fromHex(left.shift()!));
      return { ...agreement, generate };
    },
  };
}

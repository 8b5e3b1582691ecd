import { TlsError } from '../errors.ts';
import type { Handshake } from '../handshake/context.ts';
import { CompressingSealer, DecompressingOpener } from '../record/compression.ts';
import { cbcProtection } from './cbc-protection.ts';
import { aeadProtection } from './record-protection.ts';
import type { Protection, Terms } from './terms.ts';

export function protectionOf(h: Pick<Handshake, 'provider' | 'config'>, terms: Terms): Protection {
  const protection = uncompressed(h, terms);
  const { compression } = terms;
  if (compression === undefined) return protection;
  return {
    ...protection,
    sealer: (keys) => new CompressingSealer(protection.sealer(keys), compression),
    opener: (keys) => new DecompressingOpener(protection.opener(keys), compression),
  };
}

function uncompressed(h: Pick<Handshake, 'provider' | 'config'>, terms: Terms): Protection {
  const { cipher } = terms.suite;
  if (cipher.kind === 'aead') return aeadProtection(h.provider, terms, cipher);
  if (cipher.kind === 'cbc') return cbcProtection(h.provider, terms, cipher);
  const { legacy } = h.config;
  if (legacy !== undefined) return legacy.streamProtection(h.provider, terms, cipher);
  throw new TlsError('internal-error', `no record protection for ${terms.suite.name}`);
}

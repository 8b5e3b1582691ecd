import { cipherSuite } from '@testudo/tls';

/** TLS 1.3 suites are not configured by OpenSSL's lists: always all three. */
const SUITES_13 = [0x1301, 0x1302, 0x1303];

/** What BoringSSL has up to TLS 1.2, in its order. */
const SUITES_12: readonly number[] = [
  0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xccac, 0xc009, 0xc013, 0xc027, 0xc023, 0xc035, 0xc00a,
  0xc014, 0xc036, 0x009c, 0x009d, 0x002f, 0x008c, 0x0035, 0x008d, 0x000a,
];

/** Those that a client has to ask for. */
const OFF_BY_DEFAULT = new Set([0x000a]);

/** IANA names of the suites for an OpenSSL-style list, as far as the runner uses that language; PSK suites only with a key. */
export function suitesFor(list: string | undefined, hasPsk: boolean): string[] {
  let chosen = list === undefined ? enabled() : [];
  // Suites that are equally good (`[A|B]`) are taken in the order in which they stand.
  for (const rule of list?.replace(/[[\]]/g, '').split(/[:,|]/) ?? []) {
    const operator = /^[!+-]/.exec(rule)?.[0];
    const matching = SUITES_12.filter((id) => matches(id, operator === undefined ? rule : rule.slice(1)));
    if (operator === '!' || operator === '-') chosen = chosen.filter((id) => !matching.includes(id));
    else if (operator === '+')
      chosen = [
        ...chosen.filter((id) => !matching.includes(id)),
        ...chosen.filter((id) => matching.includes(id)),
      ];
    else chosen.push(...matching.filter((id) => !chosen.includes(id)));
  }
  return [...SUITES_13, ...chosen]
    .map((id) => cipherSuite(id)!)
    .filter((suite) => hasPsk || suite.authentication !== 'psk')
    .map(({ name }) => name);
}

function enabled(): number[] {
  return SUITES_12.filter((id) => !OFF_BY_DEFAULT.has(id));
}

/** `A+B` is what both match. */
function matches(id: number, rule: string): boolean {
  const suite = cipherSuite(id)!;
  return rule.split('+').every((alias) => {
    if (alias === 'ALL' || alias === 'DEFAULT') return !OFF_BY_DEFAULT.has(id);
    if (alias === suite.name || alias === suite.opensslName) return true;
    if (alias === '3DES') return suite.name.includes('3DES');
    if (alias === 'AES') return suite.name.includes('AES_');
    if (alias === 'AES128') return suite.name.includes('AES_128');
    if (alias === 'AES256') return suite.name.includes('AES_256');
    if (alias === 'CHACHA20') return suite.name.includes('CHACHA20');
    return false;
  });
}

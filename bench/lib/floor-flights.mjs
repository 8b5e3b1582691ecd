import { HYBRID, TLS12 } from './settings.mjs';

/**
 * The flights of a handshake as the floor plays it. Each has who sends it (`by`), what is computed for it (`calls`, see
 * floor-calls.mjs), the contents of its records in bytes, `clear` ones before `sealed` ones, and `isDone` where its sender
 * then has a connection. A flight without records is work that is left for its side. Lengths are those of a TLS 1.3 or 1.2
 * handshake with one short certificate.
 */
export function floorFlights(setting, isResumed) {
  if (setting.version === TLS12.version) return isResumed ? RESUMED_12 : FULL_12;
  return isResumed ? RESUMED_13 : full13(setting.group === HYBRID.group ? HYBRID_SHARES : NO_SHARES);
}

/** Bytes that ML-KEM-768 adds to the two key shares (FIPS 203 table 3). */
const HYBRID_SHARES = { kem: true, up: 1184, down: 1088 };
const NO_SHARES = { kem: false, up: 0, down: 0 };

/** ChangeCipherSpec, which middleboxes want to see (RFC 9846 §E.4). */
const CHANGE = 1;

/**
 * The key schedule (RFC 9846 §7.1, §7.3): up to the server's Finished two Extracts, two handshake secrets with key and IV
 * each, Finished of both sides (its key and its HMAC), one Derive-Secret between the Extracts, two application secrets and
 * the exporter's, and key and IV for the first data that the server sends. The Early Secret without a PSK is a constant.
 */
const SCHEDULE_13 = 18;

function full13({ kem, up, down }) {
  const toHello = 326 + up + down;
  const digests = [toHello, toHello + 469, toHello + 547, toHello + 583];
  return [
    { by: 'client', calls: { generate: true, kemGenerate: kem, randoms: [32, 32] }, clear: [204 + up] },
    {
      by: 'server',
      calls: {
        encapsulate: kem,
        generate: true,
        agree: true,
        sign: true,
        randoms: [32],
        hmacs: SCHEDULE_13,
        digests,
        keys: 2,
      },
      clear: [122 + down, CHANGE],
      sealed: [583],
    },
    {
      by: 'client',
      // With key and IV of the other direction, and the secret of the tickets.
      calls: {
        decapsulate: kem,
        agree: true,
        verify: true,
        hmacs: SCHEDULE_13 + 3,
        digests: [...digests, toHello + 619],
        keys: 3,
      },
      clear: [CHANGE],
      sealed: [36],
      isDone: true,
    },
    {
      by: 'server',
      // As the client's, and a PSK for each ticket.
      calls: { hmacs: 3 + 2, digests: [toHello + 619], keys: 1, tickets: [86, 86] },
      sealed: [296],
      isDone: true,
    },
    { by: 'client', calls: { hmacs: 2 } },
  ];
}

/** Early Secret, binder key, Finished key of the binder and its HMAC; and the Derive-Secret that was a constant without a PSK. */
const PSK_13 = 4;
const RESUMED_SCHEDULE_13 = SCHEDULE_13 + 1;

const RESUMED_13 = [
  {
    by: 'client',
    calls: { generate: true, randoms: [32, 32], hmacs: PSK_13, digests: [346] },
    clear: [381],
  },
  {
    by: 'server',
    calls: {
      openTicket: 86,
      generate: true,
      agree: true,
      randoms: [32],
      hmacs: PSK_13 + RESUMED_SCHEDULE_13,
      digests: [346, 509, 515, 551],
      keys: 2,
    },
    clear: [128, CHANGE],
    sealed: [42],
  },
  {
    by: 'client',
    calls: { agree: true, hmacs: RESUMED_SCHEDULE_13 + 3, digests: [509, 515, 551, 587], keys: 3 },
    clear: [CHANGE],
    sealed: [36],
    isDone: true,
  },
  {
    by: 'server',
    calls: { hmacs: 3 + 1, digests: [587], keys: 1, tickets: [86] },
    sealed: [148],
    isDone: true,
  },
  { by: 'client', calls: { hmacs: 1 } },
];

/** The PRF (RFC 5246 §5) costs two HMACs for each 32 bytes: 48 of a master secret, 40 of keys and IVs, 12 of a Finished. */
const MASTER_12 = 4;
const KEYS_12 = 4;
const FINISHED_12 = 2;

const FULL_12 = [
  { by: 'client', calls: { randoms: [32] }, clear: [138] },
  { by: 'server', calls: { generate: true, sign: true, randoms: [32] }, clear: [642] },
  {
    by: 'client',
    calls: {
      generate: true,
      agree: true,
      verify: true,
      hmacs: MASTER_12 + KEYS_12 + FINISHED_12,
      digests: [817],
    },
    clear: [37, CHANGE],
    sealed: [16],
  },
  {
    by: 'server',
    calls: {
      agree: true,
      hmacs: MASTER_12 + KEYS_12 + 2 * FINISHED_12,
      digests: [817, 989],
      keys: 1,
      tickets: [102],
    },
    clear: [156, CHANGE],
    sealed: [16],
    isDone: true,
  },
  { by: 'client', calls: { hmacs: FINISHED_12, digests: [989], keys: 1 }, isDone: true },
];

const RESUMED_12 = [
  { by: 'client', calls: { randoms: [32, 32] }, clear: [316] },
  {
    by: 'server',
    calls: {
      openTicket: 102,
      randoms: [32],
      hmacs: KEYS_12 + FINISHED_12,
      digests: [567],
      keys: 1,
      tickets: [102],
    },
    clear: [251, CHANGE],
    sealed: [16],
  },
  {
    by: 'client',
    calls: { hmacs: KEYS_12 + 2 * FINISHED_12, digests: [567, 583], keys: 1 },
    clear: [CHANGE],
    sealed: [16],
    isDone: true,
  },
  { by: 'server', calls: { hmacs: FINISHED_12, digests: [583] }, isDone: true },
];

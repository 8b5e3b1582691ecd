export { HpkeAead, HpkeKdf, HpkeKem } from './algorithms.ts';
export type { HpkeExporter, HpkeReceiver, HpkeSender } from './context.ts';
export type { HpkeKeyPair } from './dhkem.ts';
export { type HpkePsk, type HpkeSuite, type HpkeSuiteId, hpkeSuite } from './suite.ts';

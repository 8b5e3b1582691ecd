export { main } from './cli.ts';
export { loadConfig, parseConfig } from './config/load.ts';
export { type Plan, planOf } from './config/plan.ts';
export type { Config } from './config/schema.ts';
export { EXIT, type ExitCode, Failure } from './failure.ts';
export { demoPlan } from './gateway/demo.ts';
export { Gateway } from './gateway/gateway.ts';
export type { Io } from './io.ts';

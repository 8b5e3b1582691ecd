import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderWith, Gateway, type GatewaySurroundings, parseConfig, planOf, testLog } from '#app/testing';

export interface AcmeGateway {
  readonly gateway: Gateway;
  readonly data: string;
  readonly ports: readonly number[];
  readonly lines: () => Record<string, unknown>[];
  /** The line of the log with this text, once it is there. */
  readonly logged: (text: string, count?: number) => Promise<Record<string, unknown>>;
}

const running: Gateway[] = [];

/** Ends all gateways: a test file says `afterEach(stopGateways)`. */
export function stopGateways(): void {
  for (const gateway of running.splice(0)) gateway.destroy();
}

/** A gateway with this configuration, until {@link stopGateways}. */
export async function startAcmeGateway(
  yaml: string,
  options: { data?: string; surroundings?: GatewaySurroundings } = {},
): Promise<AcmeGateway> {
  const data = options.data ?? folderWith();
  const file = join(data, 'testudo.yaml');
  writeFileSync(file, yaml);
  const { log, lines } = testLog();
  const plan = planOf(parseConfig(yaml, file), file);
  const gateway = await Gateway.start(plan, data, log, options.surroundings);
  running.push(gateway);
  const logged = async (text: string, count = 1): Promise<Record<string, unknown>> => {
    for (;;) {
      const found = lines().filter(({ msg }) => String(msg).includes(text));
      if (found.length >= count) return found[count - 1]!;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { gateway, data, ports: gateway.listeners.map(({ address }) => address.port), lines, logged };
}

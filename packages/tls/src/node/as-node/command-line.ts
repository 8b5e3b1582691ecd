/** Node's own flags, on the command line or in NODE_OPTIONS, as far as they concern TLS and Node keeps them to itself. */
export function flag(name: string): boolean {
  return given().includes(name);
}

/** The value of a flag, as `--name=value` or `--name value`; the last one counts. */
export function flagValue(name: string): string | undefined {
  const flags = given();
  const at = flags.findLastIndex((one) => one === name || one.startsWith(`${name}=`));
  if (at === -1) return undefined;
  const [, joined] = /^[^=]+=(.*)$/.exec(flags[at]!) ?? [];
  return joined ?? flags[at + 1];
}

function given(): string[] {
  return [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv];
}

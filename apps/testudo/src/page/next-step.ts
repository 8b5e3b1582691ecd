/** How to put a service of one's own behind the gateway: what the demo's page and its banner say. */
export interface NextStep {
  /** For the file `testudo.yaml`. */
  readonly config: string;
  readonly command: string;
}

/** @param program how this program is called. `data` is the folder of the CA that clients trust already. */
export function nextStep(port: number, program: string = 'testudo', data?: string): NextStep {
  return {
    config: `listeners:
  - listen: "127.0.0.1:${port}"
    certificate: local
    proxy: http://127.0.0.1:3000`,
    command: `${program} up --config testudo.yaml${data === undefined ? '' : ` --data ${data}`}`,
  };
}

import { afterAll, afterEach, beforeEach } from 'vitest';

/** How to close again what a test or a hook has opened: sockets, servers, processes, folders. */
type Action = () => unknown;

const ofTest: Action[] = [];
const ofFile: Action[] = [];
let inTest = false;

/** Closes after the test; what a `beforeAll` opened, after the file. */
export function cleanUp(action: Action): void {
  (inTest ? ofTest : ofFile).push(action);
}

/** Each test file calls it once, first of all. */
export function cleanUpAfterTests(): void {
  beforeEach(() => {
    inTest = true;
  });
  afterEach(() => {
    inTest = false;
    return run(ofTest);
  });
  afterAll(() => run(ofFile));
}

async function run(actions: Action[]): Promise<void> {
  for (const action of actions.splice(0).reverse()) await action();
}

import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { packagesNeeded } from './find-program.ts';

/**
 * Says at the end which tests did not run, and what would make them run. Where `CI` is set a skipped test
 * fails the run: a green CI has run everything. Tests left out by `-t` do not count.
 */
export class SkipReporter implements Reporter {
  #selects = false;

  onInit(vitest: Vitest): void {
    this.#selects = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    if (this.#selects) return;
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    if (skipped.length === 0) return;
    const isCI = isSet(process.env['CI']);
    console.log(skipSummary(skipped.map(describeSkip), isCI));
    if (isCI) process.exitCode = 1;
  }
}

/** One line for each test that was skipped, then the command that installs what they lack. */
export function skipSummary(skipped: readonly string[], isCI: boolean): string {
  const packages = [...new Set(skipped.flatMap(packagesNeeded))].sort();
  const count = `${skipped.length} skipped test${skipped.length === 1 ? '' : 's'}`;
  return [
    isCI ? `\nFAILED: ${count}, and in CI every test must run:` : `\n${count}:`,
    ...skipped.map((line) => `  ${line}`),
    ...(packages.length > 0 ? [`To run them: apt-get install ${packages.join(' ')}`] : []),
    '',
  ].join('\n');
}

function describeSkip(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' && result.note !== undefined ? ` (skipped: ${result.note})` : '';
  return `${test.module.relativeModuleId} > ${test.fullName}${note}`;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

import type { EventEmitter } from 'node:events';

/** What several emitters said, in order: `name event details`. */
export class Story {
  readonly lines: string[] = [];

  /** Notes these events of an emitter, with what tells them apart: an error's code, whether 'close' says an error, text. */
  watch(name: string, emitter: EventEmitter, events: readonly string[]): void {
    for (const event of events) {
      emitter.on(event, (detail: unknown) => this.lines.push(`${name} ${event}${detailOf(event, detail)}`));
    }
  }

  note(line: string): void {
    this.lines.push(line);
  }
}

function detailOf(event: string, detail: unknown): string {
  if (detail instanceof Error) return ` ${(detail as { code?: string }).code ?? detail.message}`;
  if (event === 'close') return ` ${String(detail)}`;
  if (event === 'data') return ` ${String(detail)}`;
  return '';
}

/** Lets everything happen that is under way in this process: closing handles, callbacks, what would be said twice. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

import type { Command } from 'commander';
import { nearest } from './config/suggest.ts';
import { EXIT, Failure } from './failure.ts';

/**
 * Refuses a verb that does not exist, at each level of verbs, before anything else is looked at: else a wish for help
 * beside it would be granted for the level above, as if all were well. Throws a `Failure`.
 */
export function refuseUnknownVerbs(program: Command, args: readonly string[]): void {
  let command = program;
  for (const arg of args) {
    if (command.commands.length === 0) return;
    if (arg.startsWith('-')) continue;
    const verb = command.commands.find((one) => one.name() === arg);
    if (verb === undefined) throw unknownVerb(command, arg);
    command = verb;
  }
}

/** Says below each usage error whose help to look at. */
export function nameHelpAfterErrors(command: Command, name: string = command.name()): void {
  command.showHelpAfterError(`(see ${name} --help)`);
  for (const verb of command.commands) nameHelpAfterErrors(verb, `${name} ${verb.name()}`);
}

function unknownVerb(command: Command, word: string): Failure {
  const known = nearest(
    word,
    command.commands.map((verb) => verb.name()),
  );
  const path: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) path.unshift(at.name());
  const hint = known === undefined ? '' : ` Did you mean ${known}?`;
  return new Failure(`unknown command '${word}'.${hint} (see ${path.join(' ')} --help)`, EXIT.usage);
}

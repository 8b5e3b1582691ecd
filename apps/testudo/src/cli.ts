import { createRequire } from 'node:module';
import { type CryptoChoice, cryptoChoice } from '@testudo/crypto/openssl';
import { Command, CommanderError } from 'commander';
import { addCa } from './commands/ca.ts';
import { addConnect } from './commands/connect.ts';
import { addEch } from './commands/ech.ts';
import { addUp } from './commands/up.ts';
import { EXIT, type ExitCode, Failure } from './failure.ts';
import type { Io } from './io.ts';
import { styleFor } from './output/style.ts';
import { nameHelpAfterErrors, refuseUnknownVerbs } from './verbs.ts';

/** Runs the command line; resolves to the exit code. `args` are those after the program's name. */
export async function main(args: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    refuseUnknownVerbs(program, args);
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has written its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof Failure)) throw error;
    const style = styleFor(io.stderr, io.env);
    for (const line of error.message.split('\n')) io.stderr.write(`${style.bad('testudo:')} ${line}\n`);
    return error.exitCode;
  }
}

function createProgram(io: Io, finish: (code: ExitCode) => void): Command {
  const program = new Command('testudo')
    .description('Testudo: TLS for any connection, seen message by message.')
    .option('--version', 'print the version, and what does the cryptography')
    .on('option:version', () => {
      io.stdout.write(`${version()}\n`);
      throw new CommanderError(0, 'commander.version', 'version');
    })
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) =>
        write(
          `${text
            .trimEnd()
            .replace(/^error: /, 'testudo: ')
            .replace(/\n\(?(Did you mean [^)]*)\)?$/, '. $1')}\n`,
        ),
    })
    .exitOverride()
    .hook('preAction', () => void chosen());
  addUp(program, io, finish);
  addConnect(program, io, finish);
  addCa(program, io, finish);
  addEch(program, io, finish);
  program.addHelpText(
    'after',
    '\nExample:\n  testudo up\n  testudo connect example.com:443\n\nEach verb has its own help: testudo up --help',
  );
  nameHelpAfterErrors(program);
  return program;
}

/** The version on a line of its own, and below it what decides on speed: an operator's report of a fault begins with these. */
function version(): string {
  const { version: text } = createRequire(import.meta.url)('../package.json') as { version: string };
  return `${text}\n${cryptoLine()}`;
}

function cryptoLine(): string {
  const { openssl } = process.versions;
  const { provider, whyNotOpenssl } = chosen();
  const way = provider.name === 'openssl' ? 'called straight' : `through node:crypto (${whyNotOpenssl})`;
  return `Node ${process.version.slice(1)}, OpenSSL ${openssl} ${way}`;
}

/** What the environment asks for and cannot have is told before anything else is done. */
function chosen(): CryptoChoice {
  try {
    return cryptoChoice();
  } catch (error) {
    throw new Failure((error as Error).message, EXIT.usage, error);
  }
}

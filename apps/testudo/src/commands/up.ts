import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { checkOverlaps } from '../config/overlap.ts';
import { type Plan, placesOf, planOf } from '../config/plan.ts';
import { DEFAULT_CONFIG } from '../config/schema.ts';
import { EXIT, type ExitCode, Failure, failures } from '../failure.ts';
import { configBanner, demoBanner, shellWord, shortPath } from '../gateway/banner.ts';
import { DEMO_ECHO_PORT, DEMO_HTTPS_PORT, demoPlan } from '../gateway/demo.ts';
import { Gateway } from '../gateway/gateway.ts';
import { check } from '../gateway/prepare.ts';
import { dataFolder } from '../identity/data-folder.ts';
import { authorityFiles, LocalAuthority } from '../identity/local-authority.ts';
import type { Finding } from '../inspection/finding.ts';
import { inspectPlan } from '../inspection/inspect.ts';
import type { Io } from '../io.ts';
import { openFilesWarning } from '../listeners/open-files.ts';
import { createLog, type Log } from '../output/log.ts';
import { LOG_LEVELS, type LogLevel } from '../output/log-level.ts';
import { styleFor } from '../output/style.ts';
import { count } from '../output/text.ts';

interface UpOptions {
  readonly config?: string;
  readonly data?: string;
  readonly httpsPort?: number;
  readonly echoPort?: number;
  readonly logLevel?: LogLevel;
  readonly check?: boolean;
}

/** Adds `testudo up`. */
export function addUp(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  program
    .command('up')
    .summary('run the gateway')
    .description(
      'Runs the gateway. Without a configuration: a welcome page over HTTPS that shows each client its own ' +
        'connection, and an echo service behind TLS, both with a certificate of a local CA, on 127.0.0.1 only.',
    )
    .option('-c, --config <file>', 'what to serve, as YAML')
    .option('--check', 'check the configuration and the files it names, and stop: certificates, CRLs, keys')
    .option('--data <folder>', 'where the local CA lives (also TESTUDO_DATA)')
    .option(
      '--https-port <port>',
      `the welcome page\u2019s port, 0 for any free one (default ${DEMO_HTTPS_PORT})`,
      portNumber,
    )
    .option(
      '--echo-port <port>',
      `the echo service\u2019s port, 0 for any free one (default ${DEMO_ECHO_PORT})`,
      portNumber,
    )
    .addOption(
      new Option('--log-level <level>', `how much is logged (default ${DEFAULT_CONFIG.logLevel})`).choices(
        LOG_LEVELS,
      ),
    )
    .addHelpText(
      'after',
      `
Example:
  testudo up --https-port 0
  testudo up --config testudo.yaml

A configuration:
  listeners:
    - listen: ":8443"
      certificate: local            # or certificate: and key: with two files; or acme, from Let's Encrypt
      names: [localhost]
      proxy: http://127.0.0.1:3000  # or forward: 127.0.0.1:25, or folder: ./public

SIGTERM and SIGINT let open connections finish (${DEFAULT_CONFIG.drain / 1000} s, or drain: in the configuration), a second one ends at once.
SIGHUP reads the configuration and all files that it names again: all of it counts for new
connections, or, if anything is wrong, nothing changes; the log says what. Exit codes: 0 ended as asked, 1 could not start, or --check found a problem, 2 wrong usage or configuration.`,
    )
    .action(async (options: UpOptions) => finish(await up(options, io)));
}

/** Runs until a signal ends it. */
export async function up(options: UpOptions, io: Io): Promise<ExitCode> {
  const plan = planFor(options, io);
  const folder = dataFolder(io.env, options.data, plan.data);
  const log = createLog(io, options.logLevel ?? plan.logLevel);
  if (options.check) {
    await checkOverlaps(placesOf(plan));
    check(plan, log);
    return reportFindings(options.config!, plan, io);
  }
  const isNewCa = !existsSync(authorityFiles(folder).certificate);
  const gateway = await Gateway.start(plan, folder, log);
  const warnOfOpenFiles = openFilesAdviser(log);
  warnOfOpenFiles(plan);
  const load = (): Plan => {
    const next = planFor(options, io);
    const asked = dataFolder(io.env, options.data, next.data);
    if (asked !== folder)
      throw new Failure(`data: ${asked} instead of ${folder}: such a change needs a restart`, EXIT.usage);
    warnOfOpenFiles(next);
    return next;
  };
  const ended = untilSignal(io, gateway, log, load);
  const style = styleFor(io.stdout, io.env);
  const usesCa = plan.listeners.some(({ certificates }) => certificates.some(({ kind }) => kind === 'local'));
  const lines =
    options.config === undefined
      ? demoBanner({
          listeners: gateway.listeners,
          caFile: authorityFiles(folder).certificate,
          caExpires: LocalAuthority.open(folder).authority.certificate.notAfter,
          isNewCa,
          program: io.program,
          style,
        })
      : configBanner({
          listeners: gateway.listeners,
          caFile: usesCa ? authorityFiles(folder).certificate : undefined,
          http: gateway.httpAddress,
          style,
        });
  io.stdout.write(`${lines.join('\n')}\n`);
  await ended;
  return EXIT.ok;
}

/** Warns of too few files for a plan, unless it has just said the same. */
function openFilesAdviser(log: Log): (plan: Plan) => void {
  let told: string | undefined;
  return (plan) => {
    const tooFew = openFilesWarning(plan);
    if (tooFew !== undefined && tooFew !== told) log.warn(tooFew);
    told = tooFew;
  };
}

/** What is wrong with the files, a line each. */
function reportFindings(config: string, plan: Plan, io: Io): ExitCode {
  const findings = inspectPlan(plan);
  const style = styleFor(io.stderr, io.env);
  const textsOf = (weight: Finding['weight']): string[] =>
    findings.filter((one) => one.weight === weight).map(({ text }) => text);
  const [problems, notes] = [textsOf('problem'), textsOf('note')];
  for (const text of notes) io.stderr.write(`${style.warn('note:')} ${text}\n`);
  if (problems.length > 0) throw failures(problems);
  const suffix = notes.length === 0 ? '' : ` (${count(notes.length, 'note')})`;
  io.stdout.write(`${config}: fine, ${count(plan.listeners.length, 'listener')}${suffix}\n`);
  return EXIT.ok;
}

function planFor(options: UpOptions, io: Io): Plan {
  if (options.config === undefined) {
    if (options.check)
      throw new Failure('--check needs --config: there is nothing else to check', EXIT.usage);
    const ports = { https: options.httpsPort ?? DEMO_HTTPS_PORT, echo: options.echoPort ?? DEMO_ECHO_PORT };
    const data = shellWord(shortPath(dataFolder(io.env, options.data)));
    return demoPlan(ports, { program: io.program, data });
  }
  if (options.httpsPort !== undefined || options.echoPort !== undefined) {
    throw new Failure(
      '--https-port and --echo-port are for the demo: with --config, write listen: into the file',
      EXIT.usage,
    );
  }
  const plan = planOf(loadConfig(options.config), options.config);
  return { ...plan, logLevel: options.logLevel ?? plan.logLevel };
}

/** Resolves when everything is closed: after a signal and the drain, or at once at the second signal. */
function untilSignal(io: Io, gateway: Gateway, log: Log, load: () => Plan): Promise<void> {
  return new Promise((resolve) => {
    let draining = false;
    const onEnd = (): void => {
      if (draining) {
        gateway.destroy();
        done();
        return;
      }
      draining = true;
      const { connections, drainTime: drain } = gateway;
      if (connections > 0)
        log.info(
          { connections, limit: `${drain} ms` },
          'ending: open connections may finish; a second signal ends at once',
        );
      gateway.drain(drain).then(done, done);
    };
    const onReload = (): void => void gateway.reload(load);
    const done = (): void => {
      io.signals.off('SIGINT', onEnd).off('SIGTERM', onEnd).off('SIGHUP', onReload);
      resolve();
    };
    io.signals.on('SIGINT', onEnd).on('SIGTERM', onEnd).on('SIGHUP', onReload);
  });
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}

#!/usr/bin/env node
import type { EvenkeelError } from '@evenkeel/core';
import { benchCommand, recipeCommand } from './commands/in-repository.ts';
import { commandHelp, parse, programHelp, UsageError, type Command } from './commands/command.ts';
import { doctorCommand } from './commands/doctor.ts';
import { tourCommand } from './commands/tour.ts';
import { abortOnSignals } from './terminal/signals.ts';
import { styleFor } from './terminal/colour.ts';
import { version } from './version.ts';

const commands: readonly Command[] = [doctorCommand, tourCommand, recipeCommand, benchCommand];

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function run([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined) {
    process.stderr.write(`${programHelp(commands, version)}\n`);
    return 2;
  }
  if (name === '--version' || name === '-v') {
    print(version);
    return 0;
  }
  if (name === '--help' || name === '-h') {
    print(programHelp(commands, version));
    return 0;
  }
  const command = commands.find((known) => known.name === name);
  if (command === undefined) {
    throw new UsageError(
      `unknown ${name.startsWith('-') ? 'option' : 'command'} '${name}', expected one of ${commands.map((known) => known.name).join(', ')}`,
    );
  }
  const { values, positionals } = parse(command, rest);
  if (values.help) {
    print(commandHelp(command));
    return 0;
  }
  const { signal, exitCode, stop } = abortOnSignals();
  try {
    return await command.run(values, positionals, { signal, print });
  } catch (error) {
    if (exitCode() === undefined || !isEvenkeelError(error) || error.code !== 'ABORTED') throw error;
    process.stderr.write('Interrupted: nothing was left half-written.\n');
    return exitCode()!;
  } finally {
    stop();
  }
}

/** As core's function of that name: without loading core, which needs TensorFlow.js, where only help is wanted. */
function isEvenkeelError(error: unknown): error is EvenkeelError {
  return error instanceof Error && error.name === 'EvenkeelError';
}

/** A package that is not installed, by the message of Node's module loader. */
function missingPackage(error: Error): string | undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  return /Cannot find package '([^']+)'/.exec(error.message)?.[1];
}

/** Tells an error to people: message and what to do; the stack only where it is a defect of ours. Returns the exit code. */
function report(error: unknown): number {
  const { bad } = styleFor(process.stderr);
  const tell = (text: string): boolean => process.stderr.write(`${bad('Error:')} ${text}\n`);
  if (error instanceof UsageError) {
    tell(error.message);
    process.stderr.write(`'evenkeel --help' shows the commands, 'evenkeel COMMAND --help' their options.\n`);
    return 2;
  }
  if (isEvenkeelError(error)) tell(error.message);
  else if (error instanceof Error) {
    const missing = missingPackage(error);
    tell(missing === undefined ? (error.stack ?? error.message) : `the package ${missing} is not installed; npm install ${missing}`);
  } else tell(String(error));
  return 1;
}

// Not process.exit: what was written to a pipe would be cut off.
run(process.argv.slice(2))
  .catch(report)
  .then((code) => (process.exitCode = code));

import { InvalidArgumentError, type Command } from 'commander';
import { isEvenkeelError } from '../errors.ts';
import { abortOnSignals } from '../terminal/signals.ts';
import { wrap } from '../terminal/text.ts';

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Reads an option's value as an integer in a range. */
export function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`);
  };
}

/** Adds command lines, each with what it does, to the end of a command's help. */
export function addExamples(command: Command, examples: readonly (readonly [line: string, meaning: string])[]): Command {
  const told = examples.map(([line, meaning]) => `  ${line}\n      ${wrap(meaning, { indent: '      ' })}`);
  return command.addHelpText('after', `\nExamples:\n${told.join('\n')}`);
}

/** Does a command's work: Ctrl-C and `kill` abort it, and what it resolves to is the exit code. */
export async function carryOut(work: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const { signal, exitCode, stop } = abortOnSignals();
  try {
    process.exitCode = await work(signal);
  } catch (error) {
    const code = exitCode();
    if (code === undefined || !isEvenkeelError(error) || error.code !== 'ABORTED') throw error;
    process.stderr.write('Interrupted: nothing was left half-written.\n');
    process.exitCode = code;
  } finally {
    stop();
  }
}

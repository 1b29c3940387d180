import { parseArgs } from 'node:util';
import { table, wrap } from '../terminal/text.ts';

/** An option as the command line takes it and help shows it. */
export interface Option {
  /** What stands for the value in help, such as `N`. Without it the option is a switch. */
  readonly value?: string;
  readonly help: string;
}

/** What was given, by option name. */
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** What a command may use of the process around it. */
export interface Surroundings {
  readonly signal: AbortSignal;
  print(text: string): void;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** Hands all arguments on as they are, but for a leading --help: another program reads them. */
  readonly passesOn?: true;
  /** Returns the exit code. */
  run(values: Values, positionals: readonly string[], surroundings: Surroundings): Promise<number>;
}

/** A command line that makes no sense: exit code 2, message and a hint at help. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const COMMON: Record<string, Option> = { help: { help: 'show this help' } };

/** Reads a command's arguments. Throws a UsageError for an unknown option, a missing value or a word too many. */
export function parse({ name, options, passesOn }: Command, given: readonly string[]): { values: Values; positionals: string[] } {
  if (passesOn) {
    const help = given[0] === '--help' || given[0] === '-h';
    return { values: { help }, positionals: [...given] };
  }
  const known = { ...options, ...COMMON };
  const config = Object.fromEntries(
    Object.entries(known).map(([option, { value }]) => [
      option,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(option === 'help' && { short: 'h' }) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...given], options: config, allowPositionals: true });
    if (positionals.length > 0) throw new UsageError(`${name}: takes no words, got '${positionals.join(' ')}'`);
    return { values: values as Values, positionals };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // Its first sentence names the option; the rest explains how to pass words that begin with a dash.
    throw new UsageError(`${name}: ${(error as Error).message.split('. ')[0]}`);
  }
}

/** An option's value as an integer in a range. */
export function integer(
  command: string,
  option: string,
  value: string | boolean | undefined,
  min: number,
  max: number,
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (typeof value === 'string' && /^\d+$/.test(value) && number >= min && number <= max) return number;
  throw new UsageError(`${command}: --${option} is '${String(value)}', expected an integer from ${min} to ${max}`);
}

/** An option's value as one of a list. */
export function oneOf<T extends string>(
  command: string,
  option: string,
  value: string | boolean | undefined,
  known: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((name) => name === value);
  if (found === undefined) throw new UsageError(`${command}: --${option} is '${String(value)}', expected one of ${known.join(', ')}`);
  return found;
}

function optionRows(options: Readonly<Record<string, Option>>): string {
  const labels = Object.entries(options).map(
    ([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  );
  const width = Math.max(...labels.map(([label]) => label.length)) + 5;
  const indent = ' '.repeat(width);
  return labels.map(([label, help]) => `  ${label.padEnd(width - 2)}${wrap(help, { indent })}`).join('\n');
}

export function commandHelp({ name, summary, usage, options, examples }: Command): string {
  return [
    wrap(summary),
    '',
    `Usage: evenkeel ${name}${usage === '' ? '' : ` ${usage}`}`,
    '',
    'Options:',
    optionRows({ ...options, ...COMMON }),
    '',
    'Examples:',
    ...examples.map(([line, meaning]) => `  ${line}\n      ${wrap(meaning, { indent: '      ' })}`),
  ].join('\n');
}

export function programHelp(commands: readonly Command[], version: string): string {
  return [
    `evenkeel ${version}: normalization for TensorFlow.js, fused on WASM and WebGPU`,
    '',
    'Usage: evenkeel COMMAND [OPTIONS]',
    '',
    'Commands:',
    table(commands.map(({ name, summary }) => [name, summary.split(/[.:;] /)[0]!])),
    '',
    'Options:',
    table([
      ['--help', 'show this help, or that of a command: evenkeel tour --help'],
      ['--version', 'show the version'],
    ]),
    '',
    'Examples:',
    table([
      ['evenkeel doctor', 'what this machine can do, and what is missing'],
      ['evenkeel tour', 'train on real digits, with ours and without'],
      ['evenkeel tour --json', 'the same, for programs'],
    ]),
  ].join('\n');
}

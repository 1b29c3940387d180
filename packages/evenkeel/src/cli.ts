#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { addExamples } from './commands/command.ts';
import { addDoctor } from './commands/doctor.ts';
import { addBench, addRecipe } from './commands/in-repository.ts';
import { addInspect } from './commands/inspect.ts';
import { addTour } from './commands/tour.ts';
import { describeError } from './errors.ts';
import { styleFor } from './terminal/colour.ts';
import { version } from './version.ts';

const { bad } = styleFor(process.stderr);

const program = new Command('evenkeel')
  .description('Normalization for TensorFlow.js, fused on WASM and WebGPU.')
  .version(version, '-v, --version', 'show the version')
  .helpOption('-h, --help', 'show this help')
  .helpCommand(false)
  .showHelpAfterError("'evenkeel --help' shows the commands, 'evenkeel COMMAND --help' their options.")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, bad('Error:'))) })
  // What follows `recipe NAME` and `bench NAME` is for another program.
  .enablePositionalOptions()
  .exitOverride();
addExamples(program, [
  ['evenkeel doctor', 'what this machine can do, and what is missing'],
  ['evenkeel tour', 'train on real digits, with ours and without'],
  ['evenkeel tour --json', 'the same, for programs'],
  ['evenkeel tour --help', 'the options of a command'],
]);
for (const add of [addDoctor, addTour, addInspect, addRecipe, addBench]) add(program);

// Not process.exit: what was written to a pipe would be cut off.
program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    // It has said what is wrong, or shown help or the version.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`${bad('Error:')} ${describeError(error)}\n`);
    process.exitCode = 1;
  }
});

#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { buildKernels, KernelBuildError, type KernelBuildOptions } from './index.ts';
import { version } from './version.ts';

const help = `Usage: evenkeel-kernels [options] [folder]

Turns a package's kernels into TypeScript modules beside them: x.as.ts (AssemblyScript)
into x.wasm.ts, x.wgsl into x.wgsl.ts. What has not changed is not compiled again.

Options:
  --source <folder>       where in the package the kernels are (default: src)
  --write-version <file>  also write a module that exports the version of package.json
  --verbose               also name what was current already
  -v, --version           show the version
  -h, --help              show this help

Examples:
  evenkeel-kernels
      the package in the current folder
  evenkeel-kernels --write-version src/version.ts packages/my-norm
      another one, and its version for the registry
`;

const options = {
  source: { type: 'string' },
  'write-version': { type: 'string' },
  verbose: { type: 'boolean' },
  version: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
} as const;

function read(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length > 1) throw new TypeError(`too many arguments: ${positionals.join(' ')}, expected one folder`);
    return { values, folder: positionals[0] };
  } catch (error) {
    process.stderr.write(`Error: ${(error as Error).message}\n'evenkeel-kernels --help' shows the options.\n`);
    return undefined;
  }
}

async function build(given: KernelBuildOptions, verbose: boolean): Promise<void> {
  const { written, current, removed } = await buildKernels(given);
  for (const file of written) console.log(`wrote ${file}`);
  for (const file of removed) console.log(`removed ${file}`);
  if (verbose) for (const file of current) console.log(`current ${file}`);
}

async function main(): Promise<number> {
  const given = read(process.argv.slice(2));
  if (given === undefined) return 2;
  const { values, folder } = given;
  if (values.help === true || values.version === true) {
    process.stdout.write(values.help === true ? help : `${version}\n`);
    return 0;
  }
  try {
    await build(
      {
        ...(folder !== undefined && { folder }),
        ...(values.source !== undefined && { source: values.source }),
        ...(values['write-version'] !== undefined && { version: values['write-version'] }),
      },
      values.verbose === true,
    );
    return 0;
  } catch (error) {
    process.stderr.write(`Error: ${error instanceof KernelBuildError ? error.message : ((error as Error).stack ?? String(error))}\n`);
    return 1;
  }
}

// Not process.exit: what was written to a pipe would be cut off. And no await at the top level.
void main().then((code) => (process.exitCode = code));

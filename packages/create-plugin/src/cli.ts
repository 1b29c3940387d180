#!/usr/bin/env node
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { createPlugin, CreateError, variants, type Variant } from './index.ts';
import { isVariant } from './variants.ts';
import { version } from './version.ts';

const help = `Usage: npm create @evenkeel/plugin [name] [-- --variant <variant>]

Writes the package of a plugin for Evenkeel into a new folder. What is not given is
asked for, where there is somebody to ask.

Options:
  --variant <variant>  what it begins with:
${Object.entries(variants)
  .map(([name, what]) => `                         ${name.padEnd(10)} ${what}`)
  .join('\n')}
  -v, --version        show the version
  -h, --help           show this help

Examples:
  npm create @evenkeel/plugin my-norm
      evenkeel-plugin-my-norm in the folder my-norm
  npm create @evenkeel/plugin @me/my-adam -- --variant optimizer
      @me/evenkeel-plugin-my-adam in the folder my-adam
`;

const options = {
  variant: { type: 'string' },
  version: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
} as const;

function refuse(message: string): undefined {
  process.stderr.write(`Error: ${message}\n'npm create @evenkeel/plugin -- --help' shows the options.\n`);
}

function read(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length > 1) return refuse(`too many arguments: ${positionals.join(' ')}, expected one name`);
    const { variant } = values;
    if (variant !== undefined && !isVariant(variant)) {
      return refuse(`variant is '${variant}', expected one of ${Object.keys(variants).join(', ')}`);
    }
    return { ...values, variant, name: positionals[0] };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** Name and variant, asked for where they are not given and there is somebody to ask. */
async function complete(given: { name: string | undefined; variant: Variant | undefined }) {
  const canAsk = process.stdin.isTTY && process.stdout.isTTY && !process.env['CI'];
  if (given.name !== undefined && (given.variant !== undefined || !canAsk)) return { name: given.name, variant: given.variant ?? 'op' };
  if (!canAsk) return refuse('there is no name, and nobody to ask');
  const { ask } = await import('./ask.ts');
  return ask(given);
}

function say({ folder, names, files }: ReturnType<typeof createPlugin>): void {
  const place = relative(process.cwd(), folder);
  console.log(`${names.packageName}: ${files.length} files in ${place}\n`);
  console.log(`  cd ${place}\n  npm install\n  npm test\n`);
  console.log('It computes RMSNorm, and passes its tests: change it until it is yours, and stays green.');
}

async function main(): Promise<number> {
  const given = read(process.argv.slice(2));
  if (given === undefined) return 2;
  if (given.help === true || given.version === true) {
    process.stdout.write(given.help === true ? help : `${version}\n`);
    return 0;
  }
  const wanted = await complete({ name: given.name, variant: given.variant });
  if (wanted === undefined) return 2;
  try {
    say(createPlugin(wanted));
    return 0;
  } catch (error) {
    process.stderr.write(`Error: ${error instanceof CreateError ? error.message : ((error as Error).stack ?? String(error))}\n`);
    return 1;
  }
}

// Not process.exit: what was written to a pipe would be cut off. And no await at the top level.
void main().then((code) => (process.exitCode = code));

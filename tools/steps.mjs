// What `npm test` and `npm run check` share: named steps with their durations, commands whose output appears where it is of use.
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { countFailure } from './tally.mjs';

export const root = join(import.meta.dirname, '..');

/** Whether a check that cannot be made here is a failure. */
export const ci = process.env.CI !== undefined && !['', '0', 'false'].includes(process.env.CI);

/** An error whose message says all there is to say: printed without a stack. */
export class Failure extends Error {}

const started = performance.now();
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const bold = (text) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[22m` : text);

/** Runs one step under a heading. What `body` returns, if it is text, is told beside the duration. */
export async function step(title, body) {
  const since = performance.now();
  console.log(bold(`\n==> ${title}`));
  const said = await body();
  console.log(`    ${title}: ok${typeof said === 'string' ? `, ${said}` : ''} (${seconds(since)})`);
}

/** Ends the program: 0 after all steps, 1 with the first failure as the last thing printed. */
export async function runSteps(name, body) {
  try {
    await body();
    console.log(bold(`\n${name}: all passed in ${seconds(started)}`));
  } catch (error) {
    countFailure();
    console.error(`\n${error instanceof Failure ? error.message : error.stack}`);
    console.error(bold(`\n${name}: FAILED after ${seconds(started)}`));
    process.exitCode = 1;
  }
}

/**
 * Runs a program to its end. With `show`, its output goes to ours as it comes; otherwise it is returned, and shown only on failure.
 * The repository's tools are on the path. Resolves to { status, stdout, stderr }; a status other than 0 is a Failure unless `allowFailure`.
 */
export function run(command, args, { cwd = root, env = {}, show = false, allowFailure = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`, ...env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
      shell: process.platform === 'win32',
    });
    const collected = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name]?.setEncoding('utf8').on('data', (chunk) => (collected[name] += chunk));
    child.on('error', (error) => reject(new Failure(`${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      const status = code ?? 1;
      if (status === 0 || allowFailure) return resolve({ status, ...collected });
      const how = signal === null ? `exit code ${status}` : `stopped by ${signal}`;
      reject(new Failure(`${collected.stdout}${collected.stderr}\n${command} ${args.join(' ')}: ${how}`));
    });
  });
}

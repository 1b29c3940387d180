import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs the command line from its sources, in a process of its own, off a terminal.
 *
 * @param onStderr - called with each piece of stderr, and the process
 */
export function evenkeel(args: readonly string[], onStderr?: (text: string, child: ChildProcess) => void): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['tools/run.mjs', 'packages/evenkeel/src/cli.ts', ...args], { cwd: root });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      onStderr?.(chunk.toString(), child);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

// A newer Node, which npm has as packages with nothing but the binary.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, run } from '../steps.mjs';

export const version = '24.21.0';

/** Installs it; resolves to the binary's path, or to undefined where npm has none for this machine. */
export async function newerNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, '.cache', `node-${version}`);
  const binary = join(folder, 'node_modules', name, 'bin/node');
  if (!existsSync(binary)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }));
    const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    const { status } = await run('npm', args, { cwd: folder, allowFailure: true });
    if (status !== 0 || !existsSync(binary)) return undefined;
  }
  return binary;
}

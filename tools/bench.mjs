// pnpm bench NAME [OPTIONS]: installs the peers too (hundreds of megabytes, which nothing else needs), builds, and runs bench/NAME/index.ts.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';

const root = join(import.meta.dirname, '..');
const [name = '', ...options] = process.argv.slice(2);
const entry = join(root, 'bench', name, 'index.ts');
if (!/^[a-z-]+$/.test(name) || !existsSync(entry)) {
  const known = readdirSync(join(root, 'bench')).filter((folder) => existsSync(join(root, 'bench', folder, 'index.ts')));
  console.error(`bench: expected one of ${known.join(', ')}; got '${name}'`);
  process.exit(2);
}
for (const args of [
  ['tools/setup.mjs', 'all'],
  ['tools/run.mjs', entry, ...options],
]) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

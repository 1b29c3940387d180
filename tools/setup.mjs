// Installs what a command needs, with the pinned pnpm by way of npx, and builds. Does nothing when nothing changed.
//   node tools/setup.mjs tour   what `npm start` needs: no test tools, no peers to bench against
//   node tools/setup.mjs        everything but the bench
//   node tools/setup.mjs all    everything
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'node_modules/.setup-stamp');
const scopes = {
  tour: { rank: 0, install: ['--prod', '--filter', '{.}', '--filter', 'evenkeel...'], build: ['--filter', 'evenkeel...'] },
  test: { rank: 1, install: ['--filter', '!@evenkeel/bench'], build: [] },
  all: { rank: 2, install: [], build: [] },
};

const scope = scopes[process.argv[2] ?? 'test'];
if (!scope) throw new Error(`setup: unknown scope '${process.argv[2]}', expected ${Object.keys(scopes).join(', ')}`);

const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const wanted = createHash('sha256').update(process.version);
for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) wanted.update(readFileSync(join(root, file)));
const state = wanted.digest('hex');
const [installed, rank] = existsSync(stamp) ? readFileSync(stamp, 'utf8').split(' ') : [];

/** Runs a command with its output on stderr, so that `npm start -- --json` leaves stdout to the program. */
function run(command, args) {
  const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['inherit', 2, 2],
    shell: process.platform === 'win32',
    env: { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (installed !== state || Number(rank) < scope.rank) {
  run('npx', ['-y', packageManager, 'install', '--frozen-lockfile', '--prefer-offline', ...scope.install]);
  writeFileSync(stamp, `${state} ${scope.rank}`);
}
run('turbo', ['run', 'build', '--output-logs=errors-only', ...scope.build]);

// A release without releasing: versions and changelogs as `changeset version` makes them, in a clone, and a dry run of publishing what is packed.
//   node tools/release.mjs
// Publishing itself: npx changeset version; commit; npm test; npm run check; then, in CI, NPM_CONFIG_PROVENANCE=true npx changeset publish.
// Provenance needs CI with an identity, and `repository` in each package.json, which must name the repository that CI ran in.
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { packAll } from './check/pack.mjs';
import { packages } from './check/packages.mjs';
import { Failure, root, run, runSteps, step } from './steps.mjs';

/** Versions and changelogs that come of the changesets that are committed. */
async function version(clone) {
  await run('git', ['clone', '--quiet', '--local', root, clone]);
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  await run('changeset', ['version'], { cwd: clone });
  for (const { name, folder, manifest } of packages) {
    const at = join(clone, relative(root, folder));
    if (!existsSync(join(at, 'package.json'))) throw new Failure(`${name} is not committed`);
    const next = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')).version;
    const changelog = join(at, 'CHANGELOG.md');
    if (next === manifest.version) console.log(`    ${name} ${next}: no change`);
    else if (!existsSync(changelog) || !readFileSync(changelog, 'utf8').includes(`## ${next}`)) {
      throw new Failure(`${name} ${next} has no line in its changelog; npx changeset writes one`);
    } else console.log(`    ${name} ${manifest.version} -> ${next}, with a changelog`);
  }
}

/** What npm would publish; nothing is sent. */
async function publish(tarballs) {
  for (const [name, tarball] of tarballs) {
    const args = ['publish', tarball, '--dry-run', '--access', 'public', '--provenance', '--json', '--ignore-scripts'];
    const { stdout } = await run('npm', args);
    const told = JSON.parse(stdout);
    const { name: published, version: at, files } = told.name === undefined ? told[name] : told;
    if (published !== name) throw new Failure(`npm would publish ${published} for ${name}`);
    console.log(`    ${name} ${at}: ${files.length} files`);
  }
}

await runSteps('release, dry run', async () => {
  const clone = mkdtempSync(join(tmpdir(), 'evenkeel-release-'));
  try {
    await step('versions and changelogs', () => version(clone));
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
  await step('install and build', () => run(process.execPath, [join(root, 'tools/setup.mjs'), 'test'], { show: true }));
  let tarballs;
  await step('pack; publint and attw', async () => void (tarballs = await packAll(packages)));
  await step('publish, dry run, with provenance asked for', () => publish(tarballs));
});

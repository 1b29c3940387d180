// A release without releasing: versions and changelogs as changesets make them, and what npm would publish.
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Failure, root, run } from '../steps.mjs';
import { packages } from './packages.mjs';

/** Versions and changelogs that come of the changesets that are committed, in a clone. */
export async function checkVersions() {
  const clone = mkdtempSync(join(tmpdir(), 'evenkeel-release-'));
  try {
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
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}

/** What npm would publish, for everybody and with provenance asked for; nothing is sent. */
export async function checkPublish(tarballs) {
  for (const { name, manifest } of packages) {
    const { access, provenance } = manifest.publishConfig ?? {};
    if (access !== 'public' || provenance !== true) {
      throw new Failure(`${name}: publishConfig in its package.json is not { "access": "public", "provenance": true }`);
    }
    const { stdout } = await run('npm', ['publish', tarballs.get(name), '--dry-run', '--json', '--ignore-scripts']);
    const told = JSON.parse(stdout);
    const { name: published, version, files } = told.name === undefined ? told[name] : told;
    if (published !== name) throw new Failure(`npm would publish ${published} for ${name}`);
    console.log(`    ${name} ${version}: ${files.length} files`);
  }
  const without = packages.filter(({ manifest }) => manifest.repository === undefined);
  if (without.length > 0)
    return `${without.length} packages without repository, which npm wants for provenance: node tools/release.mjs --repository URL`;
}

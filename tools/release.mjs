// A release without releasing: versions and changelogs as `changeset version` makes them, in a clone, and a dry run of publishing what is packed.
//   node tools/release.mjs
//   node tools/release.mjs --repository https://host/owner/name   writes `repository` into every package.json: provenance names it
// CONTRIBUTING.md has the steps of a real one.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { packAll } from './check/pack.mjs';
import { packages } from './check/packages.mjs';
import { checkPublish, checkVersions } from './check/release.mjs';
import { Failure, root, run, runSteps, step } from './steps.mjs';

/** Where the code is, as only the one who publishes can say: npm compares it with the repository that CI runs in. */
function setRepository(given = '') {
  if (!/^https:\/\/[^/\s]+\/\S+$/.test(given))
    throw new Failure(`--repository is '${given}', expected an address such as https://host/owner/name`);
  for (const { folder } of packages) {
    const file = join(folder, 'package.json');
    const { license, ...manifest } = JSON.parse(readFileSync(file, 'utf8'));
    const parts = Object.entries(manifest);
    const after = parts.findIndex(([name]) => name === 'keywords') + 1;
    const repository = { type: 'git', url: `git+${given.replace(/\.git$/, '')}.git`, directory: relative(root, folder) };
    const rest = parts.filter(([name]) => name !== 'repository');
    const complete = Object.fromEntries([...rest.slice(0, after), ['license', license], ['repository', repository], ...rest.slice(after)]);
    writeFileSync(file, `${JSON.stringify(complete, undefined, 2)}\n`);
  }
}

const at = process.argv.indexOf('--repository');
if (at > 0) {
  await runSteps('release', () => step('repository in every package.json', () => setRepository(process.argv[at + 1])));
} else {
  await runSteps('release, dry run', async () => {
    await step('versions and changelogs', checkVersions);
    await step('install and build', () => run(process.execPath, [join(root, 'tools/setup.mjs'), 'test'], { show: true }));
    let tarballs;
    await step('pack; publint and attw', async () => void (tarballs = await packAll(packages)));
    await step('publish, dry run, with provenance asked for', () => checkPublish(tarballs));
  });
}

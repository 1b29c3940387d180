// npm run docs:api: the API of all packages, from their docstrings, to docs/api. A warning is a failure, but not with --lenient, as the site builds it.
import { join } from 'node:path';
import { Application, TSConfigReader, TypeDocReader } from 'typedoc';
import { packages } from './check/packages.mjs';
import { root } from './steps.mjs';

const options = join(root, 'typedoc.json');
const lenient = process.argv.includes('--lenient');

async function convert(more) {
  const application = await Application.bootstrap(
    { options, logLevel: lenient ? 'Error' : 'Warn', treatWarningsAsErrors: !lenient, ...more },
    [new TypeDocReader(), new TSConfigReader()],
  );
  const project = await application.convert();
  if (project === undefined) process.exit(1);
  application.validate(project);
  if (application.logger.hasErrors() || (!lenient && application.logger.hasWarnings())) process.exitCode = 1;
  return { application, project };
}

const converted = [];
for (const { name, folder, sources } of packages) {
  const { application, project } = await convert({
    name,
    entryPoints: sources,
    tsconfig: join(folder, 'tsconfig.json'),
    readme: join(folder, 'README.md'),
  });
  const file = join(root, '.cache/api', `${name.replace('/', '-')}.json`);
  await application.generateJson(project, file);
  converted.push(file);
}
const { application, project } = await convert({ entryPointStrategy: 'merge', entryPoints: converted, readme: join(root, 'README.md') });
await application.generateDocs(project, join(root, 'docs/api'));
if (!lenient && application.logger.hasWarnings()) process.exitCode = 1;
